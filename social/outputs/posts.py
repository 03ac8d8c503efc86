"""A post as somebody sees it."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from accounts.outputs.people import UserCard
from campaigns.models import AuthorRole
from core.api.outputs import Count, Moment, Output, Page, Url
from core.share_pages import share_url
from social.emojis import LIKE
from social.models.posts import Post, PostEdit, etag_of
from social.outputs.comments import CommentOutput, Moderation, ModerationState
from social.outputs.mentions import mention_cards
from uploads.outputs import MediaCard, media_cards

MAX_REACTIONS = 30
"""A post shows so many different emoji, and those of the person who asks."""

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
    mentions: Annotated[list[UserCard], Meta(description="The people that `content` names as `<@id>`.")]
    tags: Annotated[list[str], Meta(description="The hashtags of `content`, in the form in which they are compared.")]
    like_count: Count
    comment_count: Count
    liked_by_me: bool
    reactions: Annotated[
        list[ReactionCount], Meta(description="The 30 most frequent, and mine. `GET .../reactions` has all of them.")
    ]
    moderation: ModerationState
    share_url: Annotated[Url | None, Meta(description="Its page for anybody. Null if not everybody may read it.")]
    created_at: Moment
    edited_at: Moment | None

    @classmethod
    def of_row(cls, row: Any, now: datetime, **more: Any) -> Self:
        """
        From a row with the columns of `social/sql/post_columns.part.sql`.

        :param more: members of a subclass
        """
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
            mentions=mention_cards(row.mentions),
            tags=row.tags,
            like_count=row.like_count,
            comment_count=row.comment_count,
            liked_by_me=LIKE in mine,
            reactions=_reactions(row.reactions, mine),
            moderation=Moderation.of(row.hidden_at, row.held_at),
            share_url=share_url("post", row.id) if row.is_public else None,
            created_at=row.created_at,
            edited_at=row.edited_at,
            **more,
        )


class PostPageOutput(PostOutput):
    """A post with its newest comments."""

    comments: Annotated[Page[CommentOutput], Meta(description="The first page of `GET .../comments`.")]

    @property
    def etag(self) -> str:
        return etag_of(self.edited_at)


class PostEditOutput(Output):
    """What a post said before it was edited."""

    id: UUID
    content: str
    replaced_at: Moment

    @classmethod
    def of(cls, edit: PostEdit) -> Self:
        return cls(id=edit.pk, content=edit.content, replaced_at=edit.replaced_at)


def _reactions(counts: str, mine: set[str]) -> list[ReactionCount]:
    """:param counts: `PostCounts.reactions` as JSON"""
    frequent_first = sorted(_counts.decode(counts).items(), key=lambda item: (-item[1], item[0]))
    shown = frequent_first[:MAX_REACTIONS] + [item for item in frequent_first[MAX_REACTIONS:] if item[0] in mine]
    return [ReactionCount(emoji=emoji, count=count, mine=emoji in mine) for emoji, count in shown]
