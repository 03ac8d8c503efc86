"""Writing, editing and deleting posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from accounts.services.counts import count
from campaigns.models import PUBLIC, Campaign
from campaigns.roles import author_role
from core import events
from core.api.etags import require_match
from core.data.transactions import atomic, retrying
from social.access import access_own_post, access_post_to_delete
from social.errors import (
    AudienceOfChannel,
    AudienceOfGroup,
    EmptyPost,
    GroupOrChannel,
    OneVideoOrPictures,
    UnknownCampaign,
    UnknownChannel,
    UnknownGroup,
)
from social.models import Channel, ChannelMember, ChannelPin, Group, Membership, Post, PostCounts, PostEdit, PostMedia
from social.models.channels import WRITERS
from social.models.posts import etag_of
from social.services import feeds
from social.services.mentions import check_mentions, check_tags, mention_in_post
from uploads.models import StoredFile, Visibility
from uploads.services import (
    delete_file,
    describe_file,
    is_video,
    keep_files,
    publish_file,
    seal_file,
    store_media,
)

LONGEST_VIDEO = timedelta(minutes=3)

WIDTHS = (Post.Visibility.PRIVATE, Post.Visibility.FOLLOWERS, Post.Visibility.PUBLIC)
"""Audiences from the smallest to the largest."""


@dataclass(frozen=True)
class Draft:
    """A post that is not saved yet, and its pictures or its video, which are in the store."""

    post: Post
    media: list[StoredFile]


def draft_post(
    *,
    author: Any,
    now: datetime,
    content: str = "",
    media: "Sequence[UploadedFile[bytes]]" = (),
    media_alt: Sequence[str] = (),
    visibility: str | None = None,
    group_id: UUID | None = None,
    channel_id: UUID | None = None,
    campaign_id: UUID | None = None,
) -> Draft:
    """
    Check a new post and take its pictures to the store, outside of any transaction.

    :raises EmptyPost: neither words nor pictures
    :raises GroupOrChannel: :raises AudienceOfGroup: :raises AudienceOfChannel:
    :raises UnknownGroup: :raises UnknownChannel: :raises UnknownCampaign:
    :raises TooManyMentions: :raises TooManyTags:
    :raises OneVideoOrPictures: and what `uploads` says of a file (BAD_VIDEO)
    """
    _check_words(content, has_media=bool(media))
    if group_id and channel_id:
        raise GroupOrChannel(field="channelId")
    _check_audience(visibility, is_in_group=bool(group_id), is_in_channel=bool(channel_id))
    group = _group(author, group_id) if group_id else None
    channel = _channel(author, channel_id) if channel_id else None
    campaign = _campaign(campaign_id) if campaign_id else None
    post = Post(
        author=author,
        created_at=now,
        content=content,
        visibility=visibility or Post.Visibility.PUBLIC,
        group=group,
        channel=channel,
        campaign=campaign,
        author_role=author_role(author, campaign) if campaign else "",
    )
    return Draft(post, _store(post, media, media_alt, now))


def _store(
    post: Post, media: "Sequence[UploadedFile[bytes]]", media_alt: Sequence[str], now: datetime
) -> list[StoredFile]:
    """Take all pictures, or the video, to the store, or none of them."""
    if len(media) > 1 and any(map(is_video, media)):
        raise OneVideoOrPictures(field="media")
    visibility = Visibility.PUBLIC if is_for_everyone(post) else Visibility.PRIVATE
    stored: list[StoredFile] = []
    try:
        for position, (file, alt) in enumerate(zip_longest(media, media_alt[: len(media)], fillvalue="")):
            about: dict[str, Any] = {
                "owner_id": post.author_id,
                "purpose": "post",
                "now": now,
                "field": f"media.{position}",
                "visibility": visibility,
                "alt": alt,
            }
            stored.append(store_media(file, longest=LONGEST_VIDEO, **about))
    except Exception:
        for kept in stored:
            delete_file(kept, now=now)
        raise
    return stored


def publish_post(draft: Draft, *, now: datetime) -> Post:
    """
    Save a new post.

    :raises UnknownGroup: :raises UnknownChannel: since the draft its author lost the place to write in
    """
    post = draft.post
    with atomic():
        if post.group_id:
            _group(post.author, post.group_id)
        if post.channel_id:
            _channel(post.author, post.channel_id)
        post.save(force_insert=True)
        PostCounts.objects.create(post=post)
        keep_files(draft.media)
        PostMedia.objects.bulk_create(
            PostMedia(post=post, file=file, position=position, created_at=now)
            for position, file in enumerate(draft.media)
        )
        mentioned = mention_in_post(post, now=now)
        events.record(
            "post.published", post, actor=post.author, now=now, author_id=post.author_id, campaign_id=post.campaign_id
        )
        _tell_mentioned(post, mentioned, now)
        count(user_id=post.author_id, posts=1)
    return post


@retrying
def edit_post(
    *,
    author: Any,
    post_id: UUID,
    now: datetime,
    expected: frozenset[str] | None = None,
    content: str | None = None,
    visibility: str | None = None,
    media_alt: Sequence[str] | None = None,
) -> Post:
    """
    Change some of a post. Earlier words are kept with the audience that they had.

    :param expected: the ETags that the author would overwrite (If-Match)
    :param media_alt: what each picture shows, in their order; those beyond the list keep their words
    :raises NotFound: :raises NotTheAuthor:
    :raises Stale: it was edited since
    :raises EmptyPost: neither words nor pictures would be left
    :raises AudienceOfGroup: :raises AudienceOfChannel: :raises TooManyMentions: :raises TooManyTags:
    """
    post = access_own_post(author, post_id)
    require_match(expected, etag_of(post.edited_at))
    media = list(post.media.select_related("file").order_by("position"))
    before = (post.content, post.visibility)
    post.content = post.content if content is None else content
    post.visibility = post.visibility if visibility is None else Post.Visibility(visibility)
    _check_words(post.content, has_media=bool(media))
    _check_audience(post.visibility, is_in_group=bool(post.group_id), is_in_channel=bool(post.channel_id))
    changed = [name for name, is_other in _changes(post, before, media, media_alt).items() if is_other]
    if not changed:
        return post
    if "content" in changed:
        said, was_for = before
        PostEdit.objects.create(post=post, content=said, visibility=was_for, replaced_at=now, created_at=now)
    post.edited_at = now
    post.save(update_fields=["content", "visibility", "edited_at"])
    if WIDTHS.index(post.visibility) > WIDTHS.index(before[1]):
        feeds.deliver_again(post)
    move = publish_file if is_for_everyone(post) else seal_file
    for one, alt in zip_longest(media, (media_alt or [])[: len(media)]):
        move(one.file, now=now)
        if alt is not None:
            describe_file(one.file, alt=alt)
    mentioned = mention_in_post(post, now=now)
    events.record("post.edited", post, actor=author, now=now, author_id=author.pk, fields=changed)
    _tell_mentioned(post, mentioned, now)
    return post


def _changes(
    post: Post, before: tuple[str, str], media: Sequence[PostMedia], media_alt: Sequence[str] | None
) -> dict[str, bool]:
    """Which of the three an edit changes, by their names for clients."""
    described = zip(media, media_alt or [], strict=False)
    return {
        "content": post.content != before[0],
        "visibility": post.visibility != before[1],
        "mediaAlt": any(one.file.alt != alt for one, alt in described),
    }


@retrying
def delete_post(*, person: Any, post_id: UUID, now: datetime) -> None:
    """
    Take a post away, with its pictures. It is gone for everybody at once.

    :param person: its author, or a moderator
    :raises NotFound: :raises NotTheAuthor:
    """
    post = access_post_to_delete(person, post_id)
    post.deleted_at = now
    post.content = ""
    post.save(update_fields=["deleted_at", "content"])
    for picture in post.media.select_related("file"):
        picture.delete()
        delete_file(picture.file, now=now)
    for rows in (post.edits, post.mentions, post.tags, ChannelPin.objects.filter(post=post)):
        rows.all().delete()
    by_moderator = person.pk != post.author_id
    events.record("post.deleted", post, actor=person, now=now, author_id=post.author_id, by_moderator=by_moderator)
    count(user_id=post.author_id, posts=-1)


def _tell_mentioned(post: Post, mentioned: Sequence[UUID], now: datetime) -> None:
    others = [user_id for user_id in mentioned if user_id != post.author_id]
    if others:
        events.record("post.mentioned", post, actor=post.author, now=now, mentioned_ids=others)


def _check_words(content: str, *, has_media: bool) -> None:
    if not content.strip() and not has_media:
        raise EmptyPost(field="content")
    check_mentions(content)
    check_tags(content)


def _check_audience(visibility: str | None, *, is_in_group: bool, is_in_channel: bool) -> None:
    """:param visibility: as it was asked for; None: not at all"""
    if is_in_group and visibility not in (None, Post.Visibility.PUBLIC):
        raise AudienceOfGroup(field="visibility")
    if is_in_channel and visibility == Post.Visibility.PRIVATE:
        raise AudienceOfChannel(field="visibility")


def is_for_everyone(post: Post) -> bool:
    """Whether anybody, also without an account, may read it: then its pictures have lasting addresses."""
    is_shown = post.hidden_at is None and post.held_at is None
    is_open = post.group is None or post.group.visibility == Group.Visibility.PUBLIC
    return is_shown and is_open and post.visibility == Post.Visibility.PUBLIC


def _group(author: Any, group_id: UUID) -> Group:
    member = Membership.objects.members().filter(user=author)
    group = Group.objects.visible_to(author).filter(pk=group_id, memberships__in=member).first()
    if group is None:
        raise UnknownGroup(field="groupId")
    return group


def _channel(author: Any, channel_id: UUID) -> Channel:
    writer = ChannelMember.objects.filter(user=author, role__in=WRITERS)
    channel = Channel.objects.visible_to(author).filter(pk=channel_id, members__in=writer).first()
    if channel is None:
        raise UnknownChannel(field="channelId")
    return channel


def _campaign(campaign_id: UUID) -> Campaign:
    campaign = Campaign.objects.filter(pk=campaign_id, status__in=PUBLIC).first()
    if campaign is None:
        raise UnknownCampaign(field="campaignId")
    return campaign
