"""Bans in a group. A ban is what the person is in the group until it is ended: leaving does not lift it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Status, User
from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying
from social.access import lock_place
from social.group_rights import Action
from social.models import Membership
from social.services.memberships import enter, remove

BANS = Limit("groups:bans", 300, timedelta(days=1))


@retrying
def ban(*, actor: Any, group_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Keep somebody out, member or not; a request or an invitation ends. They are not told. Twice changes nothing.

    :raises NotFound: no such group or person
    :raises GroupRoleRequired: :raises NotBelowYou: a peer or superior, or oneself
    """
    place = lock_place(actor, group_id)
    place.require(Action.REMOVE_MEMBERS)
    before = place.of(user_id)
    place.require_above(before)
    if before is not None and before.status == Membership.Status.BANNED:
        return
    if not User.objects.filter(pk=user_id).exclude(status=Status.DELETED).exists():
        raise NotFound()
    enter(place.group, user_id, Membership.Status.BANNED, by=actor, now=now)
    events.record("group.banned", place.group, actor=actor, now=now, user_id=user_id)


@retrying
def end_ban(*, actor: Any, group_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Let somebody join again. Without a ban nothing changes.

    :raises NotFound: no such group
    :raises GroupRoleRequired:
    """
    place = lock_place(actor, group_id)
    place.require(Action.REMOVE_MEMBERS)
    banned = place.of(user_id)
    if banned is None or banned.status != Membership.Status.BANNED:
        return
    remove(place.group, banned)
    events.record("group.ban_ended", place.group, actor=actor, now=now, user_id=user_id)
