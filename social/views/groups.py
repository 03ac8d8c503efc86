"""/api/social/groups: parse, one call, answer."""

from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import brakes
from accounts.errors import SlowDown
from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from social import errors, place_selectors
from social.access import access_group
from social.inputs.groups import GroupInput, GroupQuery, NewGroupInput
from social.models import Group, Membership
from social.outputs.groups import GroupOutput
from social.outputs.posts import PostOutput
from social.services.groups import FOUNDINGS, GroupDraft, delete_group, draft_group, edit_group, found_group
from social.views.posts import page_of_posts
from uploads.errors import BAD_FILE


class Groups(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"create": [MayPublish], "edit": [MayPublish], "remove": [EmailVerified]}

    @operation("listGroups", query=GroupQuery, returns=Page[GroupOutput])
    def list(self, request: Request, query: dict[str, Any]) -> Page[GroupOutput]:
        """
        Groups that I may see, biggest first

        Secret ones only for their members and the invited.
        """
        part = asked_part(request, keys=("member_count", "id"))
        mine = query.get("member", False)
        rows = place_selectors.group_rows(request.user, member=mine, **part.parameters)
        each = partial(GroupOutput.of_row, now=clock.now())
        return part.page_of(rows, each, whole=lambda: self._listed(request, mine))

    def _listed(self, request: Request, mine: bool) -> Any:
        groups = Group.objects.visible_to(request.user)
        memberships = Membership.objects.members().filter(user=request.user)
        return groups.filter(pk__in=memberships.values("group")) if mine else groups

    def _draft(self, request: Request) -> GroupDraft:
        data = parse(NewGroupInput, request)
        limits.hit(FOUNDINGS, request.user.pk)
        now = clock.now()
        brakes.require_brake(request.user, brakes.Action.GROUPS, 1, now)
        return draft_group(founder=request.user, now=now, **data)

    @operation(
        "createGroup",
        NewGroupInput,
        returns=GroupOutput,
        status=201,
        multipart=True,
        errors=[errors.PolicyNotWithVisibility, errors.NameTaken, SlowDown, limits.RateLimited, *BAD_FILE],
    )
    @prepared(_draft)
    def create(self, request: Request, prepared: GroupDraft) -> Response:
        """
        Found a group

        `private`: everybody sees that it exists, members see what is in it. `secret`: members and the invited see that
        it exists. A private group is not `open`; a secret one admits by invitation. No two groups that everybody can
        see have names that look alike. At most 20 a day.
        """
        now = clock.now()
        group = found_group(founder=request.user, draft=prepared, now=now)
        return Response(place_selectors.group_page(request.user, group.pk, now), 201)

    @operation("getGroup", returns=GroupOutput)
    def show(self, request: Request, group_id: UUID) -> GroupOutput:
        """One group"""
        return place_selectors.group_page(request.user, group_id, clock.now())

    @operation(
        "updateGroup",
        GroupInput,
        returns=GroupOutput,
        multipart=True,
        partial=True,
        errors=[errors.GroupRoleRequired, errors.PolicyNotWithVisibility, errors.NameTaken, *BAD_FILE],
    )
    def edit(self, request: Request, group_id: UUID, data: dict[str, Any]) -> GroupOutput:
        """
        Change a group

        Any of the fields; owners and admins. Its visibility stays what it was.
        """
        now = clock.now()
        edit_group(editor=request.user, group_id=group_id, now=now, changes=data)
        return place_selectors.group_page(request.user, group_id, now)

    @operation("deleteGroup", returns=Message, errors=[errors.GroupRoleRequired, errors.GroupNotEmpty])
    def remove(self, request: Request, group_id: UUID) -> Message:
        """
        Delete a group that nobody else is in

        With everything that was posted in it. Its owner.
        """
        delete_group(owner=request.user, group_id=group_id, now=clock.now())
        return Message(message=_("Group deleted successfully"))

    @operation("listGroupPosts", returns=Page[PostOutput])
    def posts(self, request: Request, group_id: UUID) -> Page[PostOutput]:
        """The posts of a group that I may read, newest first"""
        page = page_of_posts(request, group=group_id, of_readers=True)
        if page.items:  # a group of which there are posts to read need not be asked for
            return page
        # Whoever reads no others in it has their own posts; looking for these does not lead through everybody's.
        access_group(request.user, group_id)
        return page_of_posts(request, group=group_id, author=request.user.pk)
