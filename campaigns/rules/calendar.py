"""
Periods as rules of law count them: in the time zone of the campaign, across clock changes, weekends and holidays.

All moments that come out are in UTC. Where a local moment does not exist, the clock change decides (PEP 495, fold=0).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

SATURDAY = 5


class Place(NamedTuple):
    """Whose clock and whose public holidays count."""

    zone: ZoneInfo
    country: str
    """ISO 3166-1 alpha-2; without one only weekends are no working days."""


def add_hours(start: datetime, hours: int) -> datetime:
    """Hours are exact, whatever the clocks on the wall do."""
    return start.astimezone(UTC) + timedelta(hours=hours)


def add_days(start: datetime, days: int, place: Place) -> datetime:
    """The same time on the wall, that many days later: a day in which the clocks change has 23 or 25 hours."""
    local = start.astimezone(place.zone)
    return datetime.combine(local.date() + timedelta(days=days), local.time(), place.zone).astimezone(UTC)


def add_months(start: datetime, months: int, place: Place) -> datetime:
    """The same day and time on the wall that many months later, or the last day of a month that is too short."""
    local = start.astimezone(place.zone)
    return datetime.combine(months_after(local.date(), months), local.time(), place.zone).astimezone(UTC)


def months_after(day: date, months: int) -> date:
    """The same day that many months later (or earlier), or the last one of a month that is too short."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def end_of_calendar_days(start: datetime, days: int, place: Place) -> datetime:
    """
    The end of the n-th day after the day of `start`; should that be no working day, of the next working day. A period
    of two days or more has two working days at least (Regulation (EEC, Euratom) No 1182/71, Art. 3(1), (2)(b), (4)
    and (5)).
    """
    first = start.astimezone(place.zone).date()
    last = first + timedelta(days=days)
    working = sum(is_working_day(first + timedelta(days=day), place.country) for day in range(1, days + 1))
    while not is_working_day(last, place.country) or working < min(days, 2):
        last += timedelta(days=1)
        working += is_working_day(last, place.country)
    return _end_of(last, place)


def end_of_business_days(start: datetime, days: int, place: Place) -> datetime:
    """The end of the n-th working day after the day of `start`, which does not count itself."""
    last = start.astimezone(place.zone).date()
    while days:
        last += timedelta(days=1)
        days -= is_working_day(last, place.country)
    return _end_of(last, place)


def is_working_day(day: date, country: str) -> bool:
    """No weekend and no public holiday of the country."""
    return day.weekday() < SATURDAY and day not in _holidays(country, day.year)


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    """Whole years, so that no thread sees one that another is still filling; an unknown country has none."""
    try:
        return frozenset(holidays.country_holidays(country, years=year) if country else ())
    except NotImplementedError:
        return frozenset()


def _end_of(day: date, place: Place) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), place.zone).astimezone(UTC)
