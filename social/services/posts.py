"""Writing and deleting posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from accounts.permissions import USE_ADMIN
from accounts.services.counts import count
from campaigns.models import PUBLIC, Backing, Campaign
from core import events
from core.data.transactions import atomic
from social.access import access_own_post
from social.errors import (
    AudienceOfChannel,
    AudienceOfGroup,
    EmptyPost,
    GroupOrChannel,
    UnknownCampaign,
    UnknownChannel,
    UnknownGroup,
)
from social.models import Channel, ChannelMember, Group, Membership, Post, PostCounts, PostMedia
from social.models.posts import AuthorRole
from uploads.models import StoredFile, Visibility
from uploads.services import delete_file, keep_files, store_image

WRITERS = (ChannelMember.Role.OWNER, ChannelMember.Role.EDITOR)


@dataclass(frozen=True)
class Draft:
    """A post that is not saved yet, and its pictures, which are in the store."""

    post: Post
    pictures: list[StoredFile]


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
    """
    if not content.strip() and not media:
        raise EmptyPost(field="content")
    if group_id and channel_id:
        raise GroupOrChannel(field="channelId")
    if group_id and visibility not in (None, Post.Visibility.PUBLIC):
        raise AudienceOfGroup(field="visibility")
    if channel_id and visibility == Post.Visibility.PRIVATE:
        raise AudienceOfChannel(field="visibility")
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
    visibility_of_files = Visibility.PUBLIC if is_for_everyone(post) else Visibility.PRIVATE
    pictures = [
        store_image(
            file,
            owner_id=author.pk,
            purpose="post",
            now=now,
            field=f"media.{position}",
            visibility=visibility_of_files,
            alt=alt,
        )
        for position, (file, alt) in enumerate(zip_longest(media, media_alt[: len(media)], fillvalue=""))
    ]
    return Draft(post, pictures)


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
        keep_files(draft.pictures)
        PostMedia.objects.bulk_create(
            PostMedia(post=post, file=file, position=position, created_at=now)
            for position, file in enumerate(draft.pictures)
        )
        events.record(
            "post.published", post, actor=post.author, now=now, author_id=post.author_id, campaign_id=post.campaign_id
        )
        count(user_id=post.author_id, posts=1)
    return post


def delete_post(*, author: Any, post_id: UUID, now: datetime) -> None:
    """
    Take a post away, with its pictures. It is gone for everybody at once.

    :raises NotFound: :raises NotTheAuthor:
    """
    with atomic():
        post = access_own_post(author, post_id)
        post.deleted_at = now
        post.content = ""
        post.save(update_fields=["deleted_at", "content"])
        for picture in post.media.select_related("file"):
            picture.delete()
            delete_file(picture.file, now=now)
        post.edits.all().delete()
        events.record("post.deleted", post, actor=author, now=now, author_id=post.author_id)
        count(user_id=post.author_id, posts=-1)


def is_for_everyone(post: Post) -> bool:
    """Whether anybody, also without an account, may read it: then its pictures have lasting addresses."""
    return post.visibility == Post.Visibility.PUBLIC and (
        post.group is None or post.group.visibility == Group.Visibility.PUBLIC
    )


def author_role(author: Any, campaign: Campaign) -> str:
    """What somebody is to a campaign now; of several the one that matters most to a reader (17 CFR 227.303(c))."""
    if campaign.owner_id == author.pk:
        return AuthorRole.FOUNDER
    if USE_ADMIN.held_by(author):
        return AuthorRole.STAFF
    backs = Backing.objects.filter(campaign=campaign, backer=author, committed_minor__gt=0).exists()
    return AuthorRole.INVESTOR if backs else ""


def _group(author: Any, group_id: UUID) -> Group:
    member = Membership.objects.filter(user=author, status=Membership.Status.MEMBER)
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
