"""
Inviting people into a group: somebody with an account, or an address by mail.

Nobody learns from an answer whether an address has an account, whether somebody is in the group or banned from it, or
that somebody blocks whoever invites: an invitation that cannot arrive does nothing.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.access import lock_people
from accounts.models import Invitation, Status, User, normalise_email
from accounts.relations import is_hidden_between
from accounts.services.invitations import invite
from core import events
from core.api import limits
from core.api.limits import Limit, RateLimited
from core.data.transactions import retrying
from social.access import access_place, lock_group, lock_place
from social.group_rights import RIGHTS, Action
from social.models import Group, GroupInvitation, Membership
from social.services.memberships import approve, enter

INVITATIONS = Limit("groups:invitations", 100, timedelta(days=1))
OF_ONE = Limit("groups:invitations-of-one", 3, timedelta(days=7))
"""How often a group may invite one person, who may decline each time. Beyond it nothing arrives."""


@retrying
def invite_person(*, inviter: Any, group_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Invite somebody with an account. Who has asked to join is admitted.

    :raises NotFound: no such group
    :raises GroupRoleRequired:
    """
    invited = lock_people(inviter.pk, user_id).get(user_id)  # a block of the two waits, or is seen
    place = lock_place(inviter, group_id)
    place.require(Action.INVITE)
    if invited is None or invited.status != Status.ACTIVE or is_hidden_between(inviter.pk, user_id):
        return
    before = place.of(user_id)
    if before is not None and before.status == Membership.Status.REQUESTED:
        approve(place.group, user_id, by=inviter, now=now)
    elif before is None and _may_be_invited(place.group, user_id):
        enter(place.group, user_id, Membership.Status.INVITED, by=inviter, now=now)
        events.record(
            "group.invited",
            place.group,
            actor=inviter,
            now=now,
            user_id=user_id,
            group_name=place.group.name,
        )


def invite_address(*, inviter: Any, group_id: UUID, email: str, now: datetime) -> None:
    """
    Invite whoever has this address; by mail, if it has no account.

    :raises NotFound: no such group
    :raises GroupRoleRequired:
    """
    known = User.objects.filter(email=normalise_email(email)).first()
    if known is not None:
        invite_person(inviter=inviter, group_id=group_id, user_id=known.pk, now=now)
    else:
        _invite_by_mail(inviter, group_id, email, now)


@retrying
def _invite_by_mail(inviter: Any, group_id: UUID, email: str, now: datetime) -> None:
    place = access_place(inviter, group_id)
    place.require(Action.INVITE)
    invitation = invite(inviter=inviter, email=email, into=place.group.name, now=now)
    GroupInvitation.objects.create(group=place.group, invitation=invitation, created_at=now)


@retrying
def join_invited(*, invitation_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Make somebody who registered with an invitation into a group a member of it, if whoever invited may still do so.
    Safe to repeat.
    """
    found = GroupInvitation.objects.filter(invitation=invitation_id).select_related("invitation").first()
    if found is None:
        return
    people = lock_people(found.invitation.inviter_id, user_id)
    group = lock_group(found.group_id)
    GroupInvitation.objects.filter(pk=found.pk).delete()
    if user_id not in people or people[user_id].status != Status.ACTIVE or not _still_invites(found.invitation, group):
        return
    before = Membership.objects.filter(group=group, user=user_id).first()
    if before is None and not is_hidden_between(found.invitation.inviter_id, user_id):
        enter(group, user_id, Membership.Status.MEMBER, by=people[found.invitation.inviter_id], now=now)
        events.record("group.joined", group, actor=people[user_id], now=now, user_id=user_id)


def _still_invites(invitation: Invitation, group: Group) -> bool:
    roles = RIGHTS[Action.INVITE]
    inviting = Membership.objects.members().filter(group=group, user=invitation.inviter_id, role__in=roles)
    return group.hidden_at is None and inviting.exists()


def _may_be_invited(group: Group, user_id: UUID) -> bool:
    try:
        limits.hit(OF_ONE, f"{group.pk}:{user_id}")
    except RateLimited:
        return False
    return True
