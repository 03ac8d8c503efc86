"""Who is in a group: joining, roles, requests, invitations, bans."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import brakes
from accounts.errors import SlowDown
from accounts.permissions import EmailVerified, MayPublish
from accounts.services.invitations import PER_PERSON
from core import clock
from core.api import limits
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social import errors, place_selectors
from social.access import access_member_list, access_staff_list
from social.group_rights import Action
from social.inputs.groups import DecisionInput, GroupInvitationInput, MemberQuery, RoleInput
from social.models import Group, Membership
from social.outputs.groups import GroupOutput, MembershipCard
from social.services import bans, group_invitations, memberships

NEWEST_FIRST = ("-id",)


def _answer(request: Request, group_id: UUID) -> GroupOutput:
    return place_selectors.group_page(request.user, group_id, clock.now())


def _people(request: Request, group: Group, status: str, **more: Any) -> Page[MembershipCard]:
    people = place_selectors.people_in_group(request.user, group, status, **more)
    return paginate(request, people, MembershipCard.of, order=NEWEST_FIRST)


class OwnMembership(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"join": [MayPublish]}

    @operation(
        "joinGroup",
        returns=GroupOutput,
        errors=[errors.BannedFromGroup, errors.InvitationRequired, limits.RateLimited],
    )
    def join(self, request: Request, group_id: UUID) -> GroupOutput:
        """
        Join a group, or ask to

        `myStatus` is `member` then, or `requested` where its owners, admins and moderators decide. Whoever is invited
        joins at once. At most 60 times an hour, and 10 times a day in one group.
        """
        limits.hit(memberships.JOINS, request.user.pk)
        limits.hit(memberships.JOINS_OF_ONE, f"{request.user.pk}:{group_id}")
        memberships.join_group(person=request.user, group_id=group_id, now=clock.now())
        return _answer(request, group_id)

    @operation("leaveGroup", returns=GroupOutput, errors=[errors.LastOwner])
    def leave(self, request: Request, group_id: UUID) -> GroupOutput:
        """
        Leave a group

        A request is withdrawn with it, an invitation declined. A ban stays.
        """
        now = clock.now()
        memberships.leave_group(person=request.user, group_id=group_id, now=now)
        return place_selectors.group_page(request.user, group_id, now, has_left=True)


class Members(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"set_role": [EmailVerified], "remove": [EmailVerified]}

    @operation("listGroupMembers", query=MemberQuery, returns=Page[MembershipCard], errors=[errors.MembersOnly])
    def list(self, request: Request, group_id: UUID, query: dict[str, Any]) -> Page[MembershipCard]:
        """
        The members of a group, newest first

        Of a group that is not public, for its members.
        """
        group = access_member_list(request.user, group_id)
        return _people(request, group, Membership.Status.MEMBER, **query)

    @operation(
        "setGroupRole",
        RoleInput,
        returns=GroupOutput,
        errors=[errors.GroupRoleRequired, errors.NotBelowYou, errors.RoleAboveYours, errors.LastOwner],
    )
    def set_role(self, request: Request, group_id: UUID, user_id: UUID, data: dict[str, Any]) -> GroupOutput:
        """
        Give a member a role

        Owners and admins, to people below them, up to their own role. Everybody may lower their own, but for the last
        owner.
        """
        memberships.set_role(actor=request.user, group_id=group_id, user_id=user_id, now=clock.now(), **data)
        return _answer(request, group_id)

    @operation("removeGroupMember", returns=GroupOutput, errors=[errors.GroupRoleRequired, errors.NotBelowYou])
    def remove(self, request: Request, group_id: UUID, user_id: UUID) -> GroupOutput:
        """
        Send a member away

        Owners, admins and moderators, people below them. They may join again; a ban keeps them out.
        """
        memberships.remove_member(actor=request.user, group_id=group_id, user_id=user_id, now=clock.now())
        return _answer(request, group_id)


class JoinRequests(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"decide": [EmailVerified]}

    @operation("listGroupRequests", returns=Page[MembershipCard], errors=[errors.GroupRoleRequired])
    def list(self, request: Request, group_id: UUID) -> Page[MembershipCard]:
        """Who asks to join, newest first"""
        group = access_staff_list(request.user, group_id, Action.DECIDE_REQUESTS)
        return _people(request, group, Membership.Status.REQUESTED)

    @operation("getGroupRequest", returns=MembershipCard, errors=[errors.GroupRoleRequired])
    def show(self, request: Request, group_id: UUID, user_id: UUID) -> MembershipCard:
        """Whether this person asks to join"""
        group = access_staff_list(request.user, group_id, Action.DECIDE_REQUESTS)
        return MembershipCard.of(place_selectors.request_to_join(request.user, group, user_id))

    @operation("decideGroupRequest", DecisionInput, returns=GroupOutput, errors=[errors.GroupRoleRequired])
    def decide(self, request: Request, group_id: UUID, user_id: UUID, data: dict[str, Any]) -> GroupOutput:
        """
        Approve or reject a request

        One that was withdrawn or decided meanwhile is not there any more.
        """
        memberships.decide_request(
            actor=request.user,
            group_id=group_id,
            user_id=user_id,
            is_approved=data["decision"] == "approve",
            now=clock.now(),
        )
        return _answer(request, group_id)


class GroupInvitations(ApiViewSet):
    permission_classes = [MayPublish]

    @operation(
        "inviteToGroup",
        GroupInvitationInput,
        returns=Message,
        errors=[errors.UserOrEmail, errors.GroupRoleRequired, SlowDown, limits.RateLimited],
    )
    def invite(self, request: Request, group_id: UUID, data: dict[str, Any]) -> Response:
        """
        Invite somebody into a group

        By `userId` or by `email`; owners, admins and moderators. Somebody without an account gets a mail, with a token
        for `inviteToken` of the registration, and is a member when they register with it. The answer does not show
        whether the invitation could arrive. At most 100 a day, of these 20 by `email`.
        """
        user_id, email = data["user_id"], data["email"]
        if bool(user_id) == bool(email):
            raise errors.UserOrEmail(field="email" if email else "userId")
        limit = limits.hit(group_invitations.INVITATIONS, request.user.pk)
        brakes.require_brake(request.user, brakes.Action.INVITATIONS, 1, clock.now())
        if email:
            limit = limits.hit(PER_PERSON, request.user.pk)
        invited = {"inviter": request.user, "group_id": group_id, "now": clock.now()}
        if email:
            group_invitations.invite_address(email=email, **invited)
        else:
            group_invitations.invite_person(user_id=user_id, **invited)
        # These limits and no others: how often one person was invited is not for whoever invites.
        return Response(Message(message=_("Invitation sent")), headers=limit.headers)


class Bans(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"ban": [EmailVerified], "end": [EmailVerified]}

    @operation("listGroupBans", returns=Page[MembershipCard], errors=[errors.GroupRoleRequired])
    def list(self, request: Request, group_id: UUID) -> Page[MembershipCard]:
        """Who is banned, newest first"""
        group = access_staff_list(request.user, group_id, Action.REMOVE_MEMBERS)
        return _people(request, group, Membership.Status.BANNED)

    @operation(
        "banFromGroup",
        returns=GroupOutput,
        errors=[errors.GroupRoleRequired, errors.NotBelowYou, limits.RateLimited],
    )
    def ban(self, request: Request, group_id: UUID, user_id: UUID) -> GroupOutput:
        """
        Ban somebody

        Owners, admins and moderators; members below them, and whoever is no member. It ends a membership, a request or
        an invitation, and stays until it is ended. They are not told.
        """
        limits.hit(bans.BANS, request.user.pk)
        bans.ban(actor=request.user, group_id=group_id, user_id=user_id, now=clock.now())
        return _answer(request, group_id)

    @operation("endGroupBan", returns=GroupOutput, errors=[errors.GroupRoleRequired])
    def end(self, request: Request, group_id: UUID, user_id: UUID) -> GroupOutput:
        """End a ban"""
        bans.end_ban(actor=request.user, group_id=group_id, user_id=user_id, now=clock.now())
        return _answer(request, group_id)
