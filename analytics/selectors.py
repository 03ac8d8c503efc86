"""Figures, read from counts; money from the books."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Sum

from analytics.errors import PeriodReversed, PeriodTooLong
from analytics.models import DayCount
from analytics.outputs import (
    Amount,
    CampaignDay,
    CampaignFigures,
    Conversion,
    Period,
    SourceFigures,
    UserDay,
    UserFigures,
)
from analytics.permissions import READ_FIGURES
from analytics.services.rollups import VISIT
from campaigns.models import Campaign
from core.data.statements import load
from core.money import minor_text
from core.times import bounds_of
from investments.selectors import portfolio_totals
from social.emojis import LIKE

MAX_DAYS = 400
DEFAULT_DAYS = 30
FEWEST = 5
"""Numbers of fewer people are shown to staff only."""
DIRECT, OTHER = "direct", "other"
_MONEY = load("analytics/sql/campaign_money.sql")
_STARTED = load("analytics/sql/campaign_days.sql")
_USER_DAYS = load("analytics/sql/user_days.sql")


@dataclass(frozen=True, slots=True)
class Days:
    """Days in UTC, both included."""

    since: date
    until: date

    @classmethod
    def of(cls, *, now: datetime, since: date | None = None, until: date | None = None, most: int = MAX_DAYS) -> "Days":
        """
        The period that is asked for; 30 days that end today, or with `until`, or begin with `since`.

        :param most: how many days it may have
        :raises PeriodReversed: :raises PeriodTooLong:
        """
        last = until or now.date()
        first = since or last - timedelta(days=DEFAULT_DAYS - 1)
        if first > last:
            raise PeriodReversed(field="from")
        if (last - first).days >= most:
            raise PeriodTooLong(field="from", most=most)
        return cls(first, last)

    def __iter__(self) -> Iterator[date]:
        return (self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1))

    @property
    def bounds(self) -> dict[str, datetime]:
        """From the first moment to the first one after it, for statements."""
        since, until = bounds_of(self.since, self.until)
        return {"since": since, "until": until}

    @property
    def output(self) -> Period:
        return Period(since=self.since, until=self.until)


def if_enough(number: int, people: int) -> int | None:
    """A number of nobody or of enough people; None if it is of a few."""
    return number if people == 0 or people >= FEWEST else None


def campaign_figures(person: Any, campaign: Campaign, days: Days) -> CampaignFigures:
    """How a campaign does. Whoever is not staff sees no number of fewer than five people by source or day."""
    sees_all = READ_FIGURES.held_by(person)
    counts = DayCount.objects.filter(about_id=campaign.pk, day__range=(days.since, days.until))
    by_name: dict[str, tuple[int, int]] = {
        name: (events, people)
        for name, events, people in counts.filter(name__startswith="campaign_")
        .values("name")
        .annotate(in_all=Sum("events"), of=Sum("people"))
        .values_list("name", "in_all", "of")
    }
    views, visitors = by_name.get("campaign_view", (0, 0))
    money = _MONEY.rows(campaign=campaign.pk, **days.bounds)
    in_all = _MONEY.rows(campaign=campaign.pk)
    return CampaignFigures(
        period=days.output,
        views=views,
        unique_visitors=visitors,
        interactions={name.removeprefix("campaign_"): events for name, (events, _) in sorted(by_name.items())},
        conversion=Conversion(
            views=visitors,
            started=sum(row.started for row in money),
            committed=sum(row.committed for row in money),
            invested=sum(row.invested for row in money),
        ),
        raised_amount=minor_text(sum(row.minor for row in in_all), campaign.currency),
        currency=campaign.currency,
        investor_count=campaign.investor_count,
        sources=_sources(counts, money, campaign.currency, sees_all),
        series=_campaign_days(campaign.pk, counts, days, sees_all),
    )


def _sources(counts: Any, money: list[Any], currency: str, sees_all: bool) -> list[SourceFigures]:
    visits = {
        (source or DIRECT, medium): (events, people)
        for source, medium, events, people in counts.filter(name=VISIT)
        .values("source", "medium")
        .annotate(in_all=Sum("events"), of=Sum("people"))
        .values_list("source", "medium", "in_all", "of")
    }
    brought = {(row.source or DIRECT, row.medium): row for row in money}
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key in sorted(visits.keys() | brought.keys()):
        row, (events, people) = brought.get(key), visits.get(key, (0, 0))
        is_shown = sees_all or key[0] == DIRECT or max(people, row.started if row else 0) >= FEWEST
        total = sums[key if is_shown else (OTHER, "")]
        total["visits"] += events
        total["people"] += people
        for name in ("started", "committed", "invested", "minor", "invested_minor"):
            total[name] += getattr(row, name) if row else 0
    found = [
        SourceFigures(
            source=source,
            medium=medium,
            visits=total["visits"],
            people=total["people"],
            started=total["started"],
            committed=total["committed"],
            invested=total["invested"],
            amount=minor_text(total["minor"], currency),
            invested_amount=minor_text(total["invested_minor"], currency),
        )
        for (source, medium), total in sums.items()
    ]
    return sorted(found, key=lambda row: (row.source == OTHER, -row.started, -row.people, row.source, row.medium))


def _campaign_days(campaign_id: UUID, counts: Any, days: Days, sees_all: bool) -> list[CampaignDay]:
    views = {
        day: (events, people)
        for day, events, people in counts.filter(name="campaign_view").values_list("day", "events", "people")
    }
    started = {row.day: (row.started, row.people) for row in _STARTED.rows(campaign=campaign_id, **days.bounds)}

    def shown(number: int, people: int) -> int | None:
        return number if sees_all else if_enough(number, people)

    series = []
    for day in days:
        seen, people = views.get(day, (0, 0))
        begun, investors = started.get(day, (0, 0))
        series.append(
            CampaignDay(
                date=day,
                views=shown(seen, people),
                unique_visitors=shown(people, people),
                started=shown(begun, investors),
            )
        )
    return series


def user_figures(person: Any, days: Days) -> UserFigures:
    """What a person did and what came to them. `invested` is what they have in campaigns now."""
    by_day: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in _USER_DAYS.rows(person=person.pk, like=LIKE, **days.bounds):
        by_day[row.day][row.what] = row.number
    viewed = DayCount.objects.filter(about_id=person.pk, name="profile_view", day__range=(days.since, days.until))
    for day, events in viewed.values_list("day", "events"):
        by_day[day]["views"] = events

    def total(what: str) -> int:
        return sum(numbers[what] for numbers in by_day.values())

    return UserFigures(
        period=days.output,
        profile_views=total("views"),
        posts_count=total("posts"),
        likes_received=total("likes"),
        comments_received=total("comments"),
        followers_gained=total("followers"),
        invested=[Amount(currency=each.currency, amount=each.invested) for each in portfolio_totals(person)],
        series=[
            UserDay(
                date=day,
                profile_views=by_day[day]["views"],
                posts=by_day[day]["posts"],
                likes_received=by_day[day]["likes"],
                comments_received=by_day[day]["comments"],
                followers_gained=by_day[day]["followers"],
            )
            for day in days
        ],
    )
