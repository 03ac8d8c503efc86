"""Opening and changing channels, and giving them to somebody else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.transactions import retrying
from social.access import PlaceInChannel, access_channel_place, lock_channel_place
from social.errors import NotAnEditor, NotASubscriber
from social.models import Channel, ChannelMember
from social.services.naming import set_name, unlike_others
from social.services.pictures import Pictures, put_up, store_pictures, take_down
from social.services.places import delete_posts_of
from uploads.services import keep_files

OPENINGS = Limit("channels:openings", 20, timedelta(days=1))
PICTURES = ("cover_image", "profile_image", "banner")
Role = ChannelMember.Role


@dataclass(frozen=True)
class ChannelDraft:
    """A channel that is not saved yet, and its pictures, which are in the store."""

    channel: Channel
    pictures: Pictures


def draft_channel(*, owner: Any, name: str, now: datetime, description: str = "", **pictures: Any) -> ChannelDraft:
    """
    Make a new channel and take its pictures to the store, outside of any transaction.

    :param pictures: `cover_image`, `profile_image`, `banner`, as uploaded
    """
    channel = Channel(owner=owner, description=description, created_at=now)
    set_name(channel, name)
    stored = _store(owner, pictures, now)
    for column, picture in stored.items():
        setattr(channel, column, picture)
    return ChannelDraft(channel, stored)


@retrying
def open_channel(*, draft: ChannelDraft, now: datetime) -> Channel:
    """Save a new channel, whose owner is its first subscriber. :raises NameTaken:"""
    channel = draft.channel
    keep_files(draft.pictures.values())
    channel.subscriber_count = 1
    with unlike_others():
        channel.save(force_insert=True)
    ChannelMember.objects.create(channel=channel, user=channel.owner, role=Role.OWNER, created_at=now)
    events.record("channel.opened", channel, actor=channel.owner, now=now)
    return channel


def edit_channel(*, owner: Any, channel_id: UUID, now: datetime, changes: dict[str, Any]) -> None:
    """
    Change name, description or pictures; what is not given stays.

    :raises NotFound: :raises ChannelRoleRequired: :raises NameTaken:
    """
    access_channel_place(owner, channel_id).require(Role.OWNER)  # before the store takes anything
    pictures = _store(owner, {name: changes.get(name) for name in PICTURES}, now)
    _edit(owner, channel_id, {name: value for name, value in changes.items() if name not in PICTURES}, pictures, now)


@retrying
def _edit(owner: Any, channel_id: UUID, changes: dict[str, Any], pictures: Pictures, now: datetime) -> None:
    place = lock_channel_place(owner, channel_id)
    place.require(Role.OWNER)
    channel = place.channel
    if "name" in changes:
        set_name(channel, changes["name"])
    channel.description = changes.get("description", channel.description)
    put_up(channel, pictures, now=now)
    with unlike_others():
        channel.save(update_fields=["name", "name_key", "capitals_key", "description", *PICTURES])
    events.record("channel.edited", channel, actor=owner, now=now, fields=sorted([*changes, *pictures]))


@retrying
def add_editor(*, owner: Any, channel_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Let a subscriber write in the channel. Twice changes nothing.

    :raises NotFound: :raises ChannelRoleRequired: :raises NotASubscriber:
    """
    place = lock_channel_place(owner, channel_id)
    place.require(Role.OWNER)
    member = place.of(user_id)
    if member is None:
        raise NotASubscriber()
    if member.role == Role.SUBSCRIBER:
        _set_role(place, member, Role.EDITOR, by=owner, now=now)


@retrying
def remove_editor(*, owner: Any, channel_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Make an editor a subscriber. Twice changes nothing.

    :raises NotFound: no such channel
    :raises ChannelRoleRequired:
    """
    place = lock_channel_place(owner, channel_id)
    place.require(Role.OWNER)
    member = place.of(user_id)
    if member is not None and member.role == Role.EDITOR:
        _set_role(place, member, Role.SUBSCRIBER, by=owner, now=now)


@retrying
def give_channel(*, owner: Any, channel_id: UUID, user_id: UUID, now: datetime) -> None:
    """
    Make an editor the owner; the owner becomes an editor. Asking again, when the answer was lost, changes nothing.

    :raises NotFound: :raises ChannelRoleRequired: :raises NotAnEditor:
    """
    place = lock_channel_place(owner, channel_id)
    if place.channel.owner_id == user_id and place.role in (Role.OWNER, Role.EDITOR):
        return
    place.require(Role.OWNER)
    heir = place.of(user_id)
    if heir is None or heir.role == Role.SUBSCRIBER:
        raise NotAnEditor()
    if place.membership is None:
        raise NotFound()
    ChannelMember.objects.filter(pk=place.membership.pk).update(role=Role.EDITOR)
    pass_on(place.channel, heir, actor=owner, now=now)


def pass_on(channel: Channel, heir: ChannelMember, *, actor: Any, now: datetime) -> None:
    """Make a member the owner of a locked channel that has no other, in the caller's transaction."""
    ChannelMember.objects.filter(pk=heir.pk).update(role=Role.OWNER)
    Channel.objects.filter(pk=channel.pk).update(owner=heir.user_id)
    events.record("channel.passed_on", channel, actor=actor, now=now, user_id=heir.user_id, channel_name=channel.name)


def discard_channel(channel: Channel, *, actor: Any, now: datetime) -> None:
    """Delete a locked channel with everything in it, in the caller's transaction."""
    events.record("channel.deleted", channel, actor=actor, now=now)
    delete_posts_of(now=now, channel=channel)
    Channel.objects.filter(pk=channel.pk).delete()
    take_down(channel, *PICTURES, now=now)


def _set_role(place: PlaceInChannel, member: ChannelMember, role: str, *, by: Any, now: datetime) -> None:
    ChannelMember.objects.filter(pk=member.pk).update(role=role)
    events.record(
        "channel.role_changed",
        place.channel,
        actor=by,
        now=now,
        user_id=member.user_id,
        role=str(role),
        is_editor=role == Role.EDITOR,
        channel_name=place.channel.name,
    )


def _store(owner: Any, files: dict[str, Any], now: datetime) -> Pictures:
    return store_pictures(files, owner_id=owner.pk, purpose="channel", is_public=True, now=now)
