"""What a search finds."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from accounts.outputs.people import UserCard
from campaigns.outputs import CampaignCard
from core.api.outputs import Count, Output, Url
from social.models import Group, Membership
from social.outputs.posts import PostOutput
from uploads.outputs import media_cards


class Kind(StrEnum):
    """What a search looks for."""

    PEOPLE = "people"
    POSTS = "posts"
    GROUPS = "groups"
    CHANNELS = "channels"
    CAMPAIGNS = "campaigns"


class FoundGroup(Output):
    id: UUID
    name: str
    description: str
    visibility: Group.Visibility
    join_policy: Group.JoinPolicy
    profile_image: Url | None
    member_count: Count
    my_status: Membership.Status | None

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row of `social/sql/group_search.sql`."""
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            visibility=row.visibility,
            join_policy=row.join_policy,
            profile_image=_picture(row, now),
            member_count=row.member_count,
            my_status=row.my_status,
        )


class FoundChannel(Output):
    id: UUID
    name: str
    description: str
    profile_image: Url | None
    subscriber_count: Count
    subscribed: bool

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row of `social/sql/channel_search.sql`."""
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            profile_image=_picture(row, now),
            subscriber_count=row.subscriber_count,
            subscribed=row.subscribed,
        )


class Hit(Output):
    """One thing that was found, under the member that `type` names."""

    type: Literal["person", "post", "group", "channel", "campaign"]
    score: Annotated[int, Meta(ge=0, description="Orders what was found by one query; the number means nothing else.")]
    person: UserCard | UnsetType = UNSET
    post: PostOutput | UnsetType = UNSET
    group: FoundGroup | UnsetType = UNSET
    channel: FoundChannel | UnsetType = UNSET
    campaign: CampaignCard | UnsetType = UNSET

    @classmethod
    def of_person(cls, row: Any) -> Self:
        card = UserCard.of_columns(row.id, row.first_name, row.last_name, row.profile_photo, row.badges)
        return cls(type="person", score=row.score, person=card)

    @classmethod
    def of_post(cls, row: Any, now: datetime) -> Self:
        return cls(type="post", score=row.score, post=PostOutput.of_row(row, now))

    @classmethod
    def of_group(cls, row: Any, now: datetime) -> Self:
        return cls(type="group", score=row.score, group=FoundGroup.of_row(row, now))

    @classmethod
    def of_channel(cls, row: Any, now: datetime) -> Self:
        return cls(type="channel", score=row.score, channel=FoundChannel.of_row(row, now))

    @classmethod
    def of_campaign(cls, row: Any, now: datetime) -> Self:
        return cls(type="campaign", score=row.score, campaign=CampaignCard.of_row(row, now))


def _picture(row: Any, now: datetime) -> str | None:
    cards = media_cards(row.profile_image, now)
    return cards[0].url if cards else None
