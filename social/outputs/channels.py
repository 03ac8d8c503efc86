"""A channel as somebody sees it."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta

from accounts.outputs.people import UserCard
from core.api.outputs import Count, Moment, Output, Url
from core.share_pages import share_url
from social.models import ChannelMember
from social.outputs.pictures import picture_url
from social.outputs.posts import PostOutput


class ChannelCard(Output):
    """A channel in a list."""

    id: UUID
    name: str
    description: str
    cover_image: Url | None
    profile_image: Url | None
    banner: Url | None
    owner: UserCard
    subscriber_count: Count
    subscribed: bool
    my_role: ChannelMember.Role | None
    share_url: Annotated[Url | None, Meta(description="Its page for anybody. Null while moderation hides it.")]
    created_at: Moment

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row of `social/sql/channel_list.sql`."""
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            cover_image=picture_url(row, "cover", now),
            profile_image=picture_url(row, "profile", now),
            banner=picture_url(row, "banner", now),
            owner=UserCard.of_columns(
                row.owner_id, row.owner_first_name, row.owner_last_name, row.owner_profile_photo, row.owner_badges
            ),
            subscriber_count=row.subscriber_count,
            subscribed=row.my_role is not None,
            my_role=row.my_role,
            share_url=None if row.hidden_at else share_url("channel", row.id),
            created_at=row.created_at,
        )


class ChannelOutput(ChannelCard):
    pinned_posts: Annotated[
        list[PostOutput], Meta(max_length=3, description="Those that I may read, in the order they were pinned.")
    ]
