"""Reads of groups and channels."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from msgspec.structs import asdict

from accounts.relations import not_hidden_from
from core.api.errors import NotFound
from core.data.statements import load
from social.access import asker
from social.models import Group, Membership
from social.outputs.channels import ChannelCard, ChannelOutput
from social.outputs.groups import GroupOutput
from social.outputs.posts import PostOutput
from social.permissions import MODERATE
from social.selectors import post_rows

_GROUPS = load("social/sql/group_list.sql")
_CHANNELS = load("social/sql/channel_list.sql")


def group_rows(person: Any, **where: Any) -> list[Any]:
    """
    Groups that the person may see, biggest first, for `GroupOutput.of_row`.

    :param where: `member`, and `core.api.pages.Part.parameters`, by `member_count` and `id`
    """
    return _GROUPS.rows(**asker(person), **where)


def group_page(person: Any, group_id: UUID, now: datetime, *, has_left: bool = False) -> GroupOutput:
    """
    :param has_left: the person was in it a moment ago, and sees it once more
    :raises NotFound: missing, or secret and not theirs to see
    """
    who = {"viewer": person.pk, "left": True} if has_left else asker(person)
    rows = _GROUPS.rows(**who, id=group_id, limit=1)
    if not rows:
        raise NotFound()
    return GroupOutput.of_row(rows[0], now)


def people_in_group(person: Any, group: Group, status: str, role: str = "") -> QuerySet[Membership]:
    """Those who have this status in a group, and perhaps this role, but for people who are hidden from the person."""
    people = Membership.objects.filter(group=group, status=status).select_related("user")
    if not MODERATE.held_by(person):
        people = people.filter(not_hidden_from(person.pk, "user_id"))
    return people.filter(role=role) if role else people


def request_to_join(person: Any, group: Group, user_id: UUID) -> Membership:
    """:raises NotFound: they have not asked, or the request is decided"""
    found = people_in_group(person, group, Membership.Status.REQUESTED).filter(user=user_id).first()
    if found is None:
        raise NotFound()
    return found


def channel_rows(person: Any, **where: Any) -> list[Any]:
    """
    Channels that the person may see, biggest first, for `ChannelCard.of_row`.

    :param where: `subscribed`, and `core.api.pages.Part.parameters`, by `subscriber_count` and `id`
    """
    return _CHANNELS.rows(**asker(person), **where)


def channel_page(person: Any, channel_id: UUID, now: datetime) -> ChannelOutput:
    """:raises NotFound: missing, hidden, or of an owner who is hidden from the person"""
    rows = channel_rows(person, id=channel_id, limit=1)
    if not rows:
        raise NotFound()
    row = rows[0]
    card = ChannelCard.of_row(row, now)
    return ChannelOutput(**asdict(card), pinned_posts=_in_their_order(person, row.pinned, now) if row.pinned else [])


def _in_their_order(person: Any, post_ids: list[UUID], now: datetime) -> list[PostOutput]:
    """These posts, as far as the person may read them."""
    found = {row.id: row for row in post_rows(person, ids=post_ids, limit=len(post_ids))}
    return [PostOutput.of_row(found[post_id], now) for post_id in post_ids if post_id in found]
