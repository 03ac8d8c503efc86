"""
Who is in a group, and as what. Every change holds the group's lock (`social.access.lock_place`), so that the count of
members is exact and an owner is always left.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying
from social.access import PlaceInGroup, lock_place
from social.errors import BannedFromGroup, InvitationRequired, LastOwner, RoleAboveYours
from social.group_rights import RIGHTS, Action, outranks
from social.models import Group, Membership
from social.services import feeds

JOINS = Limit("groups:joins", 60, timedelta(hours=1))
JOINS_OF_ONE = Limit("groups:joins-of-one", 10, timedelta(days=1))
"""Of one person in one group: each request tells its staff."""
MAX_NOTIFIED = 50
"""How many of a group's staff are notified of a request, the highest and longest-standing first."""

Role, Status = Membership.Role, Membership.Status


@retrying
def join_group(*, person: Any, group_id: UUID, now: datetime) -> None:
    """
    Become a member, where the group is open or one is invited; else ask to. Doing it twice changes nothing.

    :raises NotFound: :raises BannedFromGroup: :raises InvitationRequired:
    """
    place = lock_place(person, group_id)
    group, before = place.group, place.membership
    if before is not None and before.status == Status.BANNED:
        raise BannedFromGroup()
    if before is not None and before.status in (Status.MEMBER, Status.REQUESTED):
        return
    if before is not None or group.join_policy == Group.JoinPolicy.OPEN:
        enter(group, person.pk, Status.MEMBER, by=person, now=now)
        events.record("group.joined", group, actor=person, now=now, user_id=person.pk)
    elif group.join_policy == Group.JoinPolicy.REQUEST:
        enter(group, person.pk, Status.REQUESTED, by=person, now=now)
        _record_request("group.join_requested", group, person.pk, actor=person, now=now, group_name=group.name)
    else:
        raise InvitationRequired()


@retrying
def leave_group(*, person: Any, group_id: UUID, now: datetime) -> None:
    """
    Leave, withdraw a request, or decline an invitation. A ban stays. Doing it twice changes nothing.

    :raises NotFound: :raises LastOwner:
    """
    place = lock_place(person, group_id)
    before = place.membership
    if before is None or before.status == Status.BANNED:
        return
    if place.role == Role.OWNER:
        _require_another_owner(place)
    remove(place.group, before)
    if before.status == Status.REQUESTED:
        _record_request("group.request_withdrawn", place.group, person.pk, actor=person, now=now)
    else:
        kind = "group.left" if before.status == Status.MEMBER else "group.invitation_declined"
        events.record(kind, place.group, actor=person, now=now, user_id=person.pk)


@retrying
def set_role(*, actor: Any, group_id: UUID, user_id: UUID, role: str, now: datetime) -> None:
    """
    Give a member another role. One's own can only be lowered. Asking again, when the answer was lost, changes nothing.

    :raises NotFound: no such group, or the person is no member
    :raises GroupRoleRequired: :raises NotBelowYou: a peer or superior
    :raises RoleAboveYours: :raises LastOwner:
    """
    place = lock_place(actor, group_id)
    if user_id != actor.pk:
        place.require(Action.CHANGE_ROLES)
    member = _member(place, user_id)
    if member.role == role:
        return
    if user_id != actor.pk:
        place.require_above(member)
    if outranks(role, str(place.role)):
        raise RoleAboveYours()
    if member.role == Role.OWNER:
        _require_another_owner(place)
    change_role(member, role, by=actor, now=now)


@retrying
def remove_member(*, actor: Any, group_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Send a member away, who may join again.

    :raises NotFound: no such group, or the person is no member
    :raises GroupRoleRequired: :raises NotBelowYou:
    """
    place = lock_place(actor, group_id)
    place.require(Action.REMOVE_MEMBERS)
    member = _member(place, user_id)
    place.require_above(member)
    remove(place.group, member)
    events.record("group.member_removed", place.group, actor=actor, now=now, user_id=user_id)


@retrying
def decide_request(*, actor: Any, group_id: UUID, user_id: UUID, is_approved: bool, now: datetime) -> None:
    """
    Admit somebody who asked, or not. Who was refused may ask again.

    :raises GroupRoleRequired:
    :raises NotFound: no such group, or no such request, perhaps since it was withdrawn or decided
    """
    place = lock_place(actor, group_id)
    place.require(Action.DECIDE_REQUESTS)
    request = place.of(user_id)
    if request is None or request.status != Status.REQUESTED:
        raise NotFound()
    if is_approved:
        approve(place.group, user_id, by=actor, now=now)
    else:
        remove(place.group, request)
        _record_request(
            "group.request_rejected", place.group, user_id, actor=actor, now=now, group_name=place.group.name
        )


def approve(group: Group, user_id: UUID, *, by: Any, now: datetime) -> None:
    """Admit somebody who asked. The group is locked."""
    enter(group, user_id, Status.MEMBER, by=by, now=now)
    _record_request("group.request_approved", group, user_id, actor=by, now=now, group_name=group.name)


def enter(group: Group, user_id: UUID, status: str, *, by: Any, now: datetime) -> None:
    """Give somebody this status in a locked group, in place of the one they had."""
    before = Membership.objects.filter(group=group, user=user_id).first()
    if before is not None:
        remove(group, before)
    Membership.objects.create(
        group=group, user_id=user_id, status=status, changed_by=by, changed_at=now, created_at=now
    )
    if status == Status.MEMBER:
        Group.objects.filter(pk=group.pk).update(member_count=F("member_count") + 1)
        feeds.fill_feed(user_id, group_id=group.pk)


def remove(group: Group, membership: Membership) -> None:
    """Take away what somebody is in a locked group."""
    Membership.objects.filter(pk=membership.pk).delete()
    if membership.status == Status.MEMBER:
        Group.objects.filter(pk=group.pk).update(member_count=F("member_count") - 1)


def change_role(member: Membership, role: str, *, by: Any, now: datetime) -> None:
    """Set a member's role in a locked group."""
    before = member.role
    member.role, member.changed_by, member.changed_at = role, by, now
    member.save(update_fields=["role", "changed_by", "changed_at"])
    group = member.group
    events.record(
        "group.role_changed",
        group,
        actor=by,
        now=now,
        user_id=member.user_id,
        before=str(before),
        after=str(role),
        is_ones_own=by is not None and by.pk == member.user_id,
        group_name=group.name,
    )


def _member(place: PlaceInGroup, user_id: UUID) -> Membership:
    member = place.of(user_id)
    if member is None or member.status != Status.MEMBER:
        raise NotFound()
    return member


def _require_another_owner(place: PlaceInGroup) -> None:
    """:raises LastOwner: the group has one owner"""
    if Membership.objects.members().filter(group=place.group, role=Role.OWNER).count() == 1:
        raise LastOwner()


def _record_request(kind: str, group: Group, user_id: UUID, *, actor: Any, now: datetime, **facts: str) -> None:
    """Of a request that was made or has ended, with the ids of those who are told of it, and so no more."""
    deciders = Membership.objects.members().filter(group=group, role__in=RIGHTS[Action.DECIDE_REQUESTS])
    staff = list(deciders.by_rank().values_list("user_id", flat=True)[:MAX_NOTIFIED])
    events.record(kind, group, actor=actor, now=now, user_id=user_id, staff_ids=staff, **facts)
