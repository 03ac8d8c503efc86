"""Following people. Each does nothing when it is done already."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from accounts import relations
from accounts.access import lock_people
from accounts.errors import NotWithYourself
from accounts.models import Invitation, User
from accounts.services.counts import count, uncount_follows
from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying
from core.models import Event
from social.errors import TooManyFollows
from social.models import Follow
from social.services.feeds import empty_feed, fill_feed

MAX_FOLLOWS = 10_000
"""How many people one person may follow."""
PER_PERSON = Limit("follows:person", 200, timedelta(hours=1))
"""Follows and their ends."""


@retrying
def follow(*, person: User, other_id: UUID, now: datetime) -> None:
    """
    Follow somebody.

    :raises NotWithYourself: :raises NotFound: nobody, erased, suspended, or hidden from the person by a block
    :raises TooManyFollows: the person follows as many as one may
    """
    other = _other(person, other_id)
    if Follow.objects.filter(follower=person, followed=other).exists():
        return
    if Follow.objects.filter(follower=person).count() >= MAX_FOLLOWS:
        raise TooManyFollows(most=MAX_FOLLOWS)
    _begin(person, other, now)


@retrying
def unfollow(*, person: User, other_id: UUID, now: datetime) -> None:
    """
    Follow somebody no more.

    :raises NotWithYourself: :raises NotFound: nobody, erased, suspended, or hidden from the person by a block
    """
    other = _other(person, other_id)
    if _end([(person.pk, other.pk)]):
        events.record("account.unfollowed", other, actor=person, now=now)


@retrying
def follow_each_other(*, invitation_id: UUID, now: datetime) -> None:
    """
    An accepted invitation makes inviter and invited follow each other, unless one of them blocks the other or is gone.
    Each direction is made once: who stops following afterwards is not made to follow again. Nobody is notified.
    """
    invitation = Invitation.objects.filter(pk=invitation_id, accepted_by__isnull=False).first()
    if invitation is None or invitation.accepted_by_id is None or invitation.accepted_at is None:
        return
    pair = invitation.inviter_id, invitation.accepted_by_id
    people = lock_people(*pair)
    if len(people) < 2 or not all(one.is_active for one in people.values()) or relations.is_hidden_between(*pair):
        return
    for one, other in (pair, pair[::-1]):
        before = Event.objects.filter(kind="account.followed", actor_id=one, subject_id=other)
        if (
            not before.filter(created_at__gte=invitation.accepted_at).exists()
            and not Follow.objects.filter(follower=one, followed=other).exists()
            and Follow.objects.filter(follower=one).count() < MAX_FOLLOWS
        ):
            _begin(people[one], people[other], now, by_invitation=True)


def end_follows_between(one_id: UUID, other_id: UUID, now: datetime) -> None:
    """In both directions, in the transaction of a block, which has locked both accounts."""
    _end([(one_id, other_id), (other_id, one_id)])


def fill_again(*, follower_id: UUID, followed_id: UUID) -> None:
    """After a follow was committed: what was published and delivered while it was being written is there, too."""
    if Follow.objects.filter(follower=follower_id, followed=followed_id).exists():
        fill_feed(follower_id, author_id=followed_id)


def delete_follows_of(person_id: UUID) -> None:
    """Both those that a person follows and their followers, in the transaction that erases the person."""
    followed = Follow.objects.filter(follower=person_id)
    followers = Follow.objects.filter(followed=person_id)
    uncount_follows(
        followed=list(followed.values_list("followed_id", flat=True)),
        followers=list(followers.values_list("follower_id", flat=True)),
    )
    (followed | followers).delete()


def _other(person: User, other_id: UUID) -> User:
    """The other one, with both accounts locked, so that no block comes in between."""
    if other_id == person.pk:
        raise NotWithYourself()
    other = lock_people(person.pk, other_id).get(other_id)
    if other is None or not other.is_active or relations.is_hidden_between(person.pk, other_id):
        raise NotFound()
    return other


def _begin(person: User, other: User, now: datetime, *, by_invitation: bool = False) -> None:
    Follow.objects.create(follower=person, followed=other, created_at=now)
    fill_feed(person.pk, author_id=other.pk)
    _count([(person.pk, other.pk)], 1)
    events.record("account.followed", other, actor=person, now=now, by_invitation=by_invitation)


def _end(pairs: Iterable[tuple[UUID, UUID]]) -> bool:
    """:returns: whether there was a follow"""
    ended = [pair for pair in pairs if Follow.objects.filter(follower=pair[0], followed=pair[1]).delete()[0]]
    for follower_id, followed_id in ended:
        empty_feed(follower_id, author_id=followed_id)
    _count(ended, -1)
    return bool(ended)


def _count(pairs: Iterable[tuple[UUID, UUID]], by: int) -> None:
    """The counts on both profiles, in the order of their ids."""
    steps: dict[UUID, dict[str, int]] = {}
    for follower_id, followed_id in pairs:
        steps.setdefault(follower_id, {})["following"] = by
        steps.setdefault(followed_id, {})["followers"] = by
    for user_id in sorted(steps):
        count(user_id=user_id, **steps[user_id])
