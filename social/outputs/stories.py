"""Stories, and who has seen them."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta

from accounts.outputs.people import UserCard
from core.api.outputs import Count, Moment, Output
from social.models import StoryView
from social.outputs.comments import Moderation, ModerationState
from uploads.outputs import MediaCard, media_cards


class StoryOutput(Output):
    id: UUID
    author: UserCard
    media: Annotated[MediaCard, Meta(description="Its links end with the story at the latest.")]
    caption: str
    created_at: Moment
    expires_at: Moment
    views_count: Annotated[Count | None, Meta(description="For its author only.")]
    seen: Annotated[bool, Meta(description="Whether I have viewed it.")]
    moderation: ModerationState

    @classmethod
    def of_row(cls, row: Any, viewer_id: UUID, now: datetime) -> Self:
        """From a row of `social/sql/story_list.sql`."""
        is_mine = row.author_id == viewer_id
        (media,) = media_cards(row.media, now, until=row.expires_at)
        return cls(
            id=row.id,
            author=UserCard.of_columns(
                row.author_id, row.author_first_name, row.author_last_name, row.author_profile_photo, row.author_badges
            ),
            media=media,
            caption=row.caption,
            created_at=row.created_at,
            expires_at=row.expires_at,
            views_count=row.views_count if is_mine else None,
            seen=is_mine or row.seen,
            moderation=Moderation.of(row.hidden_at, None),
        )


class StoriesOfAuthor(Output):
    """What one person shows today."""

    author: UserCard
    has_unseen: bool
    stories: Annotated[list[StoryOutput], Meta(description="Newest first.")]

    @classmethod
    def of(cls, stories: list[StoryOutput]) -> Self:
        return cls(author=stories[0].author, has_unseen=not all(one.seen for one in stories), stories=stories)


class ViewerOutput(Output):
    user: UserCard
    viewed_at: Moment

    @classmethod
    def of(cls, view: StoryView) -> Self:
        return cls(user=UserCard.of(view.viewer), viewed_at=view.created_at)
