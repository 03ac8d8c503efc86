"""A post as somebody sees it."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from accounts.outputs.people import UserCard
from core.api.outputs import Count, Moment, Output
from social.models.posts import AuthorRole, Post
from uploads.outputs import MediaCard, media_cards

_counts = msgspec.json.Decoder(dict[str, int])


class GroupRef(Output):
    """The group that something is in."""

    id: UUID
    name: str


class ChannelRef(Output):
    """The channel that something is in."""

    id: UUID
    name: str


class CampaignRef(Output):
    """The campaign that something is about."""

    id: UUID
    title: str
    slug: str


class ReactionCount(Output):
    emoji: str
    count: Count
    mine: bool


class PostOutput(Output):
    id: UUID
    author: UserCard
    content: str
    media: list[MediaCard]
    visibility: Annotated[
        Post.Visibility,
        Meta(description="In a channel, `followers` are its subscribers; in a group, its audience reads."),
    ]
    group: GroupRef | None
    channel: ChannelRef | None
    campaign: CampaignRef | None
    author_role: Annotated[
        AuthorRole | None, Meta(description="What the author was to the campaign when the post was written.")
    ]
    like_count: Count
    comment_count: Count
    liked_by_me: bool
    reactions: list[ReactionCount]
    created_at: Moment
    edited_at: Moment | None

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row with the columns of `social/sql/post_columns.part.sql`."""
        mine = set(row.mine)
        return cls(
            id=row.id,
            author=UserCard.of_columns(
                row.author_id, row.author_first_name, row.author_last_name, row.author_profile_photo, row.author_badges
            ),
            content=row.content,
            media=media_cards(row.media, now),
            visibility=row.visibility,
            group=GroupRef(id=row.group_id, name=row.group_name) if row.group_id else None,
            channel=ChannelRef(id=row.channel_id, name=row.channel_name) if row.channel_id else None,
            campaign=CampaignRef(id=row.campaign_id, title=row.campaign_title, slug=row.campaign_slug)
            if row.campaign_id
            else None,
            author_role=row.author_role or None,
            like_count=row.like_count,
            comment_count=row.comment_count,
            liked_by_me="👍" in mine,
            reactions=[
                ReactionCount(emoji=emoji, count=count, mine=emoji in mine)
                for emoji, count in sorted(_counts.decode(row.reactions).items(), key=lambda item: (-item[1], item[0]))
            ],
            created_at=row.created_at,
            edited_at=row.edited_at,
        )
