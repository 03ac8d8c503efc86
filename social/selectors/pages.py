"""What share pages show, to people who are not signed in (docs/share-pages.md)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.api.errors import NotFound
from core.api.principals import Anonymous
from social.models import Channel, Group, Post
from social.models.channels import MAX_PINS
from social.outputs.posts import PostOutput
from social.selectors import post_output, post_rows

NOBODY = Anonymous()
SHOWN = 10
"""Newest posts on the page of a group or channel."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    group: Group
    posts: list[PostOutput]


@dataclass(frozen=True, slots=True)
class ChannelPage:
    channel: Channel
    pinned: list[PostOutput]
    posts: list[PostOutput]
    """The newest, without those that are pinned."""


def public_post(post_id: UUID, now: datetime) -> PostOutput:
    """:raises NotFound: not for everybody, or missing"""
    return post_output(NOBODY, post_id, now)


def public_group(group_id: UUID, now: datetime) -> GroupPage:
    """
    A group with its newest posts; of a private one, what everybody may see: the group alone.

    :raises NotFound: secret, hidden, or missing
    """
    group = _group(group_id)
    rows = post_rows(NOBODY, group=group_id, limit=SHOWN) if group.visibility == Group.Visibility.PUBLIC else []
    return GroupPage(group, [PostOutput.of_row(row, now) for row in rows])


def public_channel(channel_id: UUID, now: datetime) -> ChannelPage:
    """
    A channel with its pinned posts and the newest others, as far as everybody may read them.

    :raises NotFound: hidden or missing
    """
    channel = _channel(channel_id)
    visible = Post.objects.visible_to(NOBODY)
    pinned_ids = list(visible.filter(pin__channel=channel_id).order_by("pin__pk").values_list("pk", flat=True))
    pinned = {row.id: row for row in post_rows(NOBODY, ids=pinned_ids, limit=MAX_PINS)} if pinned_ids else {}
    newest = post_rows(NOBODY, channel=channel_id, limit=SHOWN + MAX_PINS)
    return ChannelPage(
        channel,
        [PostOutput.of_row(pinned[post_id], now) for post_id in pinned_ids if post_id in pinned],
        [PostOutput.of_row(row, now) for row in newest if row.id not in pinned][:SHOWN],
    )


def _group(group_id: UUID) -> Group:
    found = Group.objects.visible_to(NOBODY).select_related("cover_image", "profile_image").filter(pk=group_id).first()
    if found is None:
        raise NotFound()
    return found


def _channel(channel_id: UUID) -> Channel:
    channels = Channel.objects.visible_to(NOBODY).select_related("owner", "banner", "cover_image", "profile_image")
    found = channels.filter(pk=channel_id).first()
    if found is None:
        raise NotFound()
    return found
