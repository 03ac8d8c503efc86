"""The shapes that clients see."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from analytics.stores.funnels import Order
from analytics.units import Unit
from core.api.outputs import Count, Currency, Message, Moment, MoneyText, Output, Url


class Tracked(Message):
    """`ignored`: the sender asked not to be tracked (`DNT`, `Sec-GPC`), so nothing is kept."""

    status: Literal["stored", "duplicate", "ignored"]


class EventResult(Output):
    """What became of one event of a batch, in the order of the batch. A refused one may be mended and sent again."""

    index: int
    status: Literal["stored", "duplicate", "ignored", "refused"]
    code: str | None
    detail: str | None
    field: str | None


class BatchResult(Output):
    stored: int
    duplicates: int
    ignored: int
    refused: int
    items: list[EventResult]


class Period(Output, rename={"since": "from", "until": "to"}):
    """Days in UTC, both included."""

    since: date
    until: date


class SourceFigures(Output):
    """
    What a source has brought; `direct` is everything whose source is not known. Whoever is not staff sees numbers of
    fewer than five people as null; they are in the row `other`, unless those of all such sources are of fewer than five
    people together.
    """

    source: str
    medium: str
    visits: Count | None
    people: Count | None
    started: Count | None
    committed: Count | None
    invested: Count | None
    amount: MoneyText | None
    invested_amount: MoneyText | None


class CampaignDay(Output):
    """A day (UTC). Numbers of fewer than five people are null for everybody but staff."""

    date: date
    views: Count | None
    unique_visitors: Count | None
    started: Count | None


class Conversion(Output):
    """
    People who saw the campaign; investments begun, paid and settled, the last two by the books. Numbers of fewer than
    five people are null for everybody but staff.
    """

    views: Count | None
    started: Count | None
    committed: Count | None
    invested: Count | None


class CampaignFigures(Output):
    """Numbers of a period are null if they are of fewer than five people, for everybody but staff."""

    period: Period
    views: Count | None
    unique_visitors: Count | None
    interactions: dict[str, Count | None]
    conversion: Conversion
    raised_amount: MoneyText
    currency: Currency
    investor_count: Count
    sources: list[SourceFigures]
    series: list[CampaignDay]


class PageLinkOutput(Output):
    url: Annotated[Url, Meta(description="Opens the figures in a browser for whoever has it.")]
    expires_at: Moment


class Amount(Output):
    currency: Currency
    amount: MoneyText


class UserDay(Output):
    date: date
    profile_views: Count
    posts: Count
    likes_received: Count
    comments_received: Count
    followers_gained: Count


class UserFigures(Output):
    period: Period
    profile_views: Count
    posts_count: Count
    likes_received: Count
    comments_received: Count
    followers_gained: Count
    invested: list[Amount]
    series: list[UserDay]


class Cohort(Output):
    """
    People who joined in a week (for others than staff: of those who follow them). `active` has a number for each week
    from the one they joined in; the last one may be of a week that is not over. Of an audience, numbers of fewer than
    five people are null.
    """

    week: date
    people: Count
    active: list[Count | None]
    is_complete: bool


class RetentionCell(Output):
    """How many people of a cohort were active in a day, week or month; `isComplete` if all of it is counted."""

    active: Count | None
    is_complete: bool


class RetentionCohort(Output):
    """People who joined in the day, week (from Monday) or month that begins at `start` (UTC), and who came back."""

    start: date
    people: Count
    cells: Annotated[list[RetentionCell], Meta(description="The first is of the time in which they joined.")]


class Retention(Output):
    """Of the platform for staff, for others of the people who follow them: then few people are null or left out."""

    scope: Literal["platform", "audience"]
    by: Unit
    period: Period
    cohorts: list[RetentionCohort]


class FunnelStep(Output):
    name: str
    people: Annotated[Count, Meta(description="People and visitors who reached this step and all before it.")]
    share: Annotated[float, Meta(description="Of those who reached the first step, from 0 to 1.")]


class FunnelFigures(Output):
    """With `order=any`, a step is reached by whoever has taken so many different ones within the window."""

    period: Period
    order: Order
    window_seconds: int
    steps: list[FunnelStep]


class EngagementDay(Output):
    date: date
    daily_active: Count | None
    posts: Count
    messages: Count


class AnswersWithin(Output):
    seconds: int
    answers: Annotated[Count, Meta(description="How many came in less than so many seconds.")]


class ResponseTimes(Output):
    """
    How long answers in direct conversations took, from the first message that waited. Only answered messages count.
    """

    answers: Count
    half_within_seconds: Annotated[
        int | None,
        Meta(description="The smallest bound of `within` that half of them kept; null if none did."),
    ]
    within: list[AnswersWithin]


class Engagement(Output):
    """
    Of the platform for staff (`scope: platform`), for others of the people who follow them (`scope: audience`), with
    their own posts, messages and response times. Numbers of fewer than five people of an audience are null.
    """

    scope: Literal["platform", "audience"]
    period: Period
    daily_active: Count | None
    weekly_active: Count | None
    monthly_active: Count | None
    posts_per_day: float
    messages_per_day: float
    response_times: ResponseTimes
    retention: list[Cohort]
    series: list[EngagementDay]
