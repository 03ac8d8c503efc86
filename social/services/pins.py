"""Posts at the top of a channel."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core import events
from core.api.errors import NotFound
from core.data.transactions import retrying
from social.access import PlaceInChannel, lock_channel_place
from social.errors import TooManyPins
from social.models import ChannelPin, Post
from social.models.channels import MAX_PINS, WRITERS


@retrying
def pin_post(*, editor: Any, channel_id: UUID, post_id: UUID, now: datetime) -> None:
    """
    Pin a post of the channel, below those that are pinned. Twice changes nothing.

    :raises NotFound: no such channel, or no such post in it
    :raises ChannelRoleRequired: :raises TooManyPins:
    """
    place = _lock_for_editor(editor, channel_id)
    post = Post.objects.visible_to(editor).filter(pk=post_id, channel=place.channel).first()
    if post is None:
        raise NotFound()
    taken = _taken(place)
    if post_id in taken:
        return
    free = sorted({*range(1, MAX_PINS + 1)} - {*taken.values()})
    slot = free[0] if free else _take_from_hidden(place)
    ChannelPin.objects.create(channel=place.channel, post=post, place=slot, created_at=now)
    events.record("channel.post_pinned", place.channel, actor=editor, now=now, post_id=post_id)


@retrying
def unpin_post(*, editor: Any, channel_id: UUID, post_id: UUID, now: datetime) -> None:
    """
    Twice changes nothing.

    :raises NotFound: no such channel
    :raises ChannelRoleRequired:
    """
    place = _lock_for_editor(editor, channel_id)
    removed, _ = ChannelPin.objects.filter(channel=place.channel, post=post_id).delete()
    if removed:
        events.record("channel.post_unpinned", place.channel, actor=editor, now=now, post_id=post_id)


def _lock_for_editor(person: Any, channel_id: UUID) -> PlaceInChannel:
    place = lock_channel_place(person, channel_id)
    place.require(*WRITERS)
    return place


def _taken(place: PlaceInChannel) -> dict[UUID, int]:
    """The posts that are pinned, with their places. One that was deleted frees its place here."""
    pins = ChannelPin.objects.filter(channel=place.channel)
    pins.filter(post__deleted_at__isnull=False).delete()
    return dict(pins.values_list("post_id", "place"))


def _take_from_hidden(place: PlaceInChannel) -> int:
    """
    The place of a post that moderators hide. Such a pin stays as long as nobody needs its place, so that it is there
    again with the post.

    :raises TooManyPins: every pinned post is shown
    """
    pins = ChannelPin.objects.filter(channel=place.channel, post__hidden_at__isnull=False)
    longest_hidden = pins.order_by("post__hidden_at", "pk").first()
    if longest_hidden is None:
        raise TooManyPins(most=MAX_PINS)
    longest_hidden.delete()
    return longest_hidden.place
