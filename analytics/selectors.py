"""Figures, read from counts; money from the books."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

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
from core.data.ids import first_id_at
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


def made_by_day(rows: QuerySet[Any], days: Days) -> dict[date, int]:
    """How many rows with a UUIDv7 key were made on each day (UTC); the index of the key serves for it."""
    bounds = days.bounds
    made = rows.filter(pk__gte=first_id_at(bounds["since"]), pk__lt=first_id_at(bounds["until"]))
    by_day = made.order_by().annotate(day=TruncDate("created_at", tzinfo=UTC)).values("day")
    return dict(by_day.annotate(number=Count("pk")).values_list("day", "number"))


def if_enough(number: int, people: int) -> int | None:
    """A number of nobody or of enough people; None if it is of a few."""
    return number if people == 0 or people >= FEWEST else None


def campaign_figures(person: Any, campaign: Campaign, days: Days) -> CampaignFigures:
    """How a campaign does. Whoever is not staff sees no number of a period that is of fewer than five people."""
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

    def shown(number: int, people: int) -> int | None:
        return number if sees_all else if_enough(number, people)

    def step(name: str) -> int | None:
        return shown(sum(getattr(row, name) for row in money), sum(getattr(row, f"{name}_by") for row in money))

    return CampaignFigures(
        period=days.output,
        views=shown(views, visitors),
        unique_visitors=shown(visitors, visitors),
        interactions={
            name.removeprefix("campaign_"): shown(events, people) for name, (events, people) in sorted(by_name.items())
        },
        conversion=Conversion(
            views=shown(visitors, visitors),
            started=step("started"),
            committed=step("committed"),
            invested=step("invested"),
        ),
        raised_amount=minor_text(sum(row.minor for row in in_all), campaign.currency),
        currency=campaign.currency,
        investor_count=campaign.investor_count,
        sources=_sources(counts, money, campaign.currency, sees_all),
        series=_campaign_days(campaign.pk, counts, days, sees_all),
    )


_PEOPLE_OF = {
    "visits": "people",
    "people": "people",
    "started": "started_by",
    "committed": "committed_by",
    "invested": "invested_by",
    "minor": "committed_by",
    "invested_minor": "invested_by",
}
"""The numbers of a source, each with the number that says of how many people it is."""


def _sources(counts: Any, money: list[Any], currency: str, sees_all: bool) -> list[SourceFigures]:
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: dict.fromkeys([*_PEOPLE_OF, *_PEOPLE_OF.values()], 0)
    )
    for source, medium, events, people in (
        counts.filter(name=VISIT)
        .values("source", "medium")
        .annotate(in_all=Sum("events"), of=Sum("people"))
        .values_list("source", "medium", "in_all", "of")
    ):
        found[source or DIRECT, medium] |= {"visits": events, "people": people}
    for row in money:
        brought = {name: value for name, value in row._asdict().items() if name not in ("source", "medium")}
        found[row.source or DIRECT, row.medium] |= brought
    shown: dict[tuple[str, str], Mapping[str, int | None]] = dict(found) if sees_all else _without_few(found)

    def amount(minor: int | None) -> str | None:
        return None if minor is None else minor_text(minor, currency)

    rows = [
        SourceFigures(
            source=source,
            medium=medium,
            visits=numbers["visits"],
            people=numbers["people"],
            started=numbers["started"],
            committed=numbers["committed"],
            invested=numbers["invested"],
            amount=amount(numbers["minor"]),
            invested_amount=amount(numbers["invested_minor"]),
        )
        for (source, medium), numbers in shown.items()
    ]
    return sorted(
        rows, key=lambda row: (row.source == OTHER, -(row.started or 0), -(row.people or 0), row.source, row.medium)
    )


def _without_few(found: Mapping[tuple[str, str], Mapping[str, int]]) -> dict[tuple[str, str], Mapping[str, int | None]]:
    """
    The sources without numbers of fewer than five people: those are added up in one row, `OTHER`, which has none for
    what is of fewer than five people even so.
    """
    shown: dict[tuple[str, str], Mapping[str, int | None]] = {}
    others: dict[str, int] = defaultdict(int)
    for key, numbers in found.items():
        own = {name: if_enough(numbers[name], numbers[people]) for name, people in _PEOPLE_OF.items()}
        hidden = {name for name, number in own.items() if number is None}
        for name in hidden | {_PEOPLE_OF[name] for name in hidden}:
            others[name] += numbers[name]
        if any(own.values()) or not hidden:
            shown[key] = own
    if others:
        shown[OTHER, ""] = {name: if_enough(others[name], others[people]) for name, people in _PEOPLE_OF.items()}
    return shown


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
