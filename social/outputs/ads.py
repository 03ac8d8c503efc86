"""An ad as its advertiser and as others see it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta

from accounts.outputs.people import UserCard
from core.api.outputs import Count, Moment, Output, Url
from social.models import Ad, AdDay
from social.outputs.comments import Moderation, ModerationState
from uploads.outputs import MediaCard, media_cards


class AdOutput(Output):
    """An ad as its advertiser sees it."""

    id: UUID
    title: str
    body: str
    target_url: Url
    media: MediaCard
    starts_at: Moment
    ends_at: Moment
    daily_cap: Annotated[Count | None, Meta(description="The most impressions of a day (UTC).")]
    status: Ad.Status
    reason: Annotated[str | None, Meta(description="Why it was rejected.")]
    moderation: ModerationState
    created_at: Moment

    @classmethod
    def of(cls, ad: Ad, now: datetime, **more: Any) -> Self:
        """:param more: members of a subclass"""
        return cls(
            id=ad.pk,
            title=ad.title,
            body=ad.body,
            target_url=ad.target_url,
            media=MediaCard.of(ad.file, now),
            starts_at=ad.starts_at,
            ends_at=ad.ends_at,
            daily_cap=ad.daily_cap,
            status=ad.status_at(now),
            reason=ad.reason or None,
            moderation=Moderation.of(ad.hidden_at, None),
            created_at=ad.created_at,
            **more,
        )


class AdDayOutput(Output):
    day: date
    impressions: Count
    clicks: Count

    @classmethod
    def of(cls, day: AdDay) -> Self:
        return cls(day=day.day, impressions=day.impressions, clicks=day.clicks)


class AdPageOutput(AdOutput):
    """An ad with its figures."""

    days: Annotated[list[AdDayOutput], Meta(description="The newest 90 days (UTC) on which it was seen.")]


class FeedAd(Output):
    """An ad in somebody's feed."""

    id: UUID
    label: Literal["Ad"]
    title: str
    body: str
    media: MediaCard
    target_url: Url
    advertiser: UserCard
    click_token: Annotated[str, Meta(description="For `POST /api/social/ads/:id/click`, once, within a day.")]

    @classmethod
    def of_row(cls, row: Any, click_token: str, now: datetime) -> Self:
        """From a row of `social/sql/serve_ad.sql`."""
        return cls(
            id=row.id,
            label="Ad",
            title=row.title,
            body=row.body,
            media=media_cards(row.media, now)[0],
            target_url=row.target_url,
            advertiser=UserCard.of_columns(
                row.advertiser_id,
                row.advertiser_first_name,
                row.advertiser_last_name,
                row.advertiser_profile_photo,
                row.advertiser_badges,
            ),
            click_token=click_token,
        )


class AdTarget(Output):
    target_url: Url
