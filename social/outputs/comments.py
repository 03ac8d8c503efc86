"""A comment as somebody sees it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from accounts.outputs.people import UserCard
from campaigns.models import AuthorRole
from core.api.outputs import Count, Moment, Output
from social.outputs.mentions import mention_cards
from social.permissions import MODERATE


class CommentRow(msgspec.Struct, frozen=True, gc=False):
    """The columns of `social/sql/comment_columns.part.sql` in the column `comments` of `social/sql/post_page.sql`."""

    id: UUID
    parent_id: UUID | None
    content: str
    author_role: str
    replies_count: int
    like_count: int
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_at: datetime | None
    held_at: datetime | None
    author_id: UUID
    author_first_name: str
    author_last_name: str
    author_profile_photo: str
    author_badges: list[str]
    liked: bool
    mentions: str | None


class Moderation(StrEnum):
    HELD = "held"
    HIDDEN = "hidden"

    @classmethod
    def of(cls, hidden_at: datetime | None, held_at: datetime | None) -> "Moderation | None":
        return cls.HIDDEN if hidden_at else cls.HELD if held_at else None


ModerationState = Annotated[
    Moderation | None,
    Meta(description="Where others cannot read it: `held` until a moderator has looked at it, or `hidden`."),
]


class CommentOutput(Output):
    id: UUID
    parent_id: Annotated[UUID | None, Meta(description="The comment that this reply is under.")]
    author: Annotated[
        UserCard | None, Meta(description="Null in place of a comment that was deleted, or hidden by moderators.")
    ]
    content: Annotated[str, Meta(description="Empty in place of a comment that was deleted or hidden.")]
    author_role: Annotated[
        AuthorRole | None, Meta(description="What the author was to the post's campaign when this was written.")
    ]
    mentions: Annotated[list[UserCard], Meta(description="The people that `content` names as `<@id>`.")]
    replies_count: Count
    like_count: Count
    liked_by_me: bool
    moderation: ModerationState
    created_at: Moment
    edited_at: Moment | None
    deleted_at: Moment | None

    @classmethod
    def of_row(cls, row: Any, viewer: Any) -> Self:
        """From a row with the columns of `social/sql/comment_columns.part.sql`."""
        is_hidden = row.hidden_at is not None and row.author_id != viewer.pk and not MODERATE.held_by(viewer)
        is_gone = row.deleted_at is not None or is_hidden
        return cls(
            id=row.id,
            parent_id=row.parent_id,
            author=None
            if is_gone
            else UserCard.of_columns(
                row.author_id, row.author_first_name, row.author_last_name, row.author_profile_photo, row.author_badges
            ),
            content="" if is_gone else row.content,
            author_role=None if is_gone else row.author_role or None,
            mentions=[] if is_gone else mention_cards(row.mentions),
            replies_count=row.replies_count,
            like_count=row.like_count,
            liked_by_me=row.liked,
            moderation=None if is_gone else Moderation.of(row.hidden_at, row.held_at),
            created_at=row.created_at,
            edited_at=row.edited_at,
            deleted_at=row.deleted_at,
        )


decode_comments = msgspec.json.Decoder(list[CommentRow]).decode
