"""/api/social/users/:id and who follows whom: parse, one call, answer."""

from functools import partial
from uuid import UUID

from accounts import brakes
from accounts.errors import NotWithYourself, SlowDown
from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social import errors
from social.access import access_profile
from social.outputs.people import PersonCard, PersonOutput
from social.selectors import people
from social.services import follows


class People(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"follow": [MayPublish], "unfollow": [EmailVerified]}

    @operation("getUser", returns=PersonOutput)
    def show(self, request: Request, user_id: UUID) -> PersonOutput:
        """The public profile of a person"""
        return people.person_page(request.user, user_id, clock.now())

    @operation(
        "followUser",
        returns=PersonOutput,
        errors=[NotWithYourself, errors.TooManyFollows, SlowDown, limits.RateLimited],
    )
    def follow(self, request: Request, user_id: UUID) -> PersonOutput:
        """
        Follow a person

        Their posts appear in my feed, those for followers included. Doing it twice changes nothing.
        """
        now = clock.now()
        limits.hit(follows.PER_PERSON, request.user.pk)
        brakes.require_brake(request.user, brakes.Action.FOLLOWS, 1, now)
        follows.follow(person=request.user, other_id=user_id, now=now)
        return people.person_page(request.user, user_id, now)

    @operation("unfollowUser", returns=PersonOutput, errors=[NotWithYourself, limits.RateLimited])
    def unfollow(self, request: Request, user_id: UUID) -> PersonOutput:
        """Follow a person no more"""
        now = clock.now()
        limits.hit(follows.PER_PERSON, request.user.pk)
        follows.unfollow(person=request.user, other_id=user_id, now=now)
        return people.person_page(request.user, user_id, now)

    @operation("listFollowers", returns=Page[PersonCard])
    def followers(self, request: Request, user_id: UUID) -> Page[PersonCard]:
        """Who follows a person, the newest first"""
        person = access_profile(request.user, user_id)
        part = asked_part(request, keys=("id",))
        rows = people.follower_rows(request.user, person.pk, **part.parameters)
        whole = partial(people.followers_of, request.user, person.pk)
        return part.page_of(rows, PersonCard.of_person, whole=whole)

    @operation("listFollowing", returns=Page[PersonCard])
    def following(self, request: Request, user_id: UUID) -> Page[PersonCard]:
        """Whom a person follows, the newest first"""
        person = access_profile(request.user, user_id)
        part = asked_part(request, keys=("id",))
        rows = people.following_rows(request.user, person.pk, **part.parameters)
        whole = partial(people.follows_of, request.user, person.pk)
        return part.page_of(rows, PersonCard.of_person, whole=whole)
