"""Who comes back equals a count by hand, by day, week and month; what is not over is marked; few people are hidden."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from accounts.testing import make_person
from analytics.models import ActiveDay
from analytics.retention import MOST, Cohort, cohorts
from analytics.selectors import FEWEST, Days
from analytics.units import Unit
from core.testing import Api
from social.services.follows import follow

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 15, tzinfo=UTC)
"""A Wednesday."""
RETENTION = "/api/analytics/retention"


def joined(person: User, at: datetime) -> None:
    User.objects.filter(pk=person.pk).update(created_at=at)


def community_at_random(seed: int) -> dict[User, tuple[datetime, set[date]]]:
    """People who joined within 120 days, with the days on which they were active."""
    choose, found = random.Random(seed), {}
    for _ in range(30):
        person = make_person()
        at = NOW - timedelta(minutes=choose.randrange(120 * 24 * 60))
        joined(person, at)
        days = {at.date() + timedelta(days=choose.randrange(130)) for _ in range(choose.randrange(12))}
        active = {day for day in days if day <= NOW.date()}
        ActiveDay.objects.bulk_create([ActiveDay(user_id=person.pk, day=day) for day in sorted(active)])
        found[person] = (at, active)
    return found


def place(unit: Unit, day: date) -> tuple[int, ...]:
    """What two days have in common when they are of one day, week or month."""
    year, week, _ = day.isocalendar()
    return {Unit.DAY: (day.toordinal(),), Unit.WEEK: (year, week), Unit.MONTH: (day.year, day.month)}[unit]


def by_hand(people: dict[User, tuple[datetime, set[date]]], days: Days, unit: Unit) -> list[Cohort]:
    first = days.since
    while place(unit, first - timedelta(days=1)) == place(unit, days.since):
        first -= timedelta(days=1)
    places: dict[tuple[int, ...], list[date]] = {}
    for number in range((days.until + timedelta(days=40) - first).days):
        day = first + timedelta(days=number)
        places.setdefault(place(unit, day), []).append(day)
    order = list(places)
    found = []
    for number, one in enumerate(order):
        members = [
            (at, active)
            for at, active in people.values()
            if place(unit, at.date()) == one and first <= at.date() <= days.until
        ]
        if members:
            cells = []
            for later in order[number:]:
                if places[later][0] > min(days.until, NOW.date()):
                    break
                inside = {day for day in places[later] if day <= days.until}
                is_complete = all(day <= days.until and day < NOW.date() for day in places[later])
                cells.append((sum(bool(active & inside) for _, active in members), is_complete))
            found.append((places[one][0], len(members), cells))
    return found[-MOST[unit] :]  # type: ignore[return-value]


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("seed", [1, 2])
def test_retention_equals_a_count_by_hand(seed: int, unit: Unit) -> None:
    people = community_at_random(seed)
    for since, until in (
        (date(2025, 11, 5), NOW.date()),
        (date(2026, 1, 14), date(2026, 3, 4)),
        (NOW.date(), NOW.date()),
    ):
        days = Days(since, until)
        known = {person: those for person, those in people.items() if those[0] <= NOW}
        found = cohorts(days, unit, now=NOW)
        plain: list[Any] = [
            (each.start, each.people, [(cell.active, cell.is_complete) for cell in each.cells]) for each in found
        ]
        assert plain == by_hand(known, days, unit)


def test_units_meet_their_borders() -> None:
    assert Unit.MONTH.begin_of(date(2024, 2, 29)) == date(2024, 2, 1)
    assert [Unit.MONTH.after(date(2025, 11, 1), number) for number in (1, 2, 14)] == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2027, 1, 1),
    ]
    assert Unit.WEEK.begin_of(date(2026, 1, 4)) == date(2025, 12, 29)


@time_machine.travel(NOW, tick=False)
def test_an_audience_sees_no_few_people(api: Api, person: Callable[..., User]) -> None:
    author = person("author")
    fans = [person(f"fan{number}") for number in range(FEWEST + 1)]
    for number, fan in enumerate(fans):
        follow(person=fan, other_id=author.pk, now=NOW)
        joined(fan, datetime.combine(date(2026, 3, 2), time(8), UTC) if number else NOW - timedelta(days=40))
    ActiveDay.objects.bulk_create(
        [ActiveDay(user_id=fan.pk, day=date(2026, 3, 3)) for fan in fans[1:]]
        + [ActiveDay(user_id=fan.pk, day=date(2026, 3, 10)) for fan in fans[1:4]]
    )
    shown = api.as_user(author).get(RETENTION, {"by": "week", "from": "2026-02-01", "to": "2026-03-18"}).json()
    assert shown["scope"] == "audience"
    assert shown["cohorts"] == [
        {
            "start": "2026-03-02",
            "people": FEWEST,
            "cells": [
                {"active": FEWEST, "isComplete": True},
                {"active": None, "isComplete": True},
                {"active": 0, "isComplete": False},
            ],
        }
    ]
    everything = api.as_user(person("staff", role="admin")).get(RETENTION, {"by": "month", "from": "2026-02-01"}).json()
    assert (everything["scope"], everything["by"]) == ("platform", "month")
    assert (everything["cohorts"][0]["start"], everything["cohorts"][0]["people"]) == ("2026-02-01", 1)


def test_other_units_are_refused(api: Api, person: Callable[..., User]) -> None:
    refused = api.as_user(person("reader")).get(RETENTION, {"by": "year"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
