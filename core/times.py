"""Moments and days as clients write them (API.md, *times*): RFC 3339 with a zone, `YYYY-MM-DD`, and nothing else."""

import re
from datetime import UTC, date, datetime, time, timedelta

from core.api.errors import ZoneRequired

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO = re.compile(r"[+-]?\d{4}[-:.,+\dTtWZz ]*", re.ASCII)
"""What looks like another form of ISO 8601: without a zone, a bare date, a week, without hyphens or seconds."""


def parse_moment(text: str) -> datetime:
    """
    A moment in UTC.

    :raises ZoneRequired: a moment without a zone, or another form of ISO 8601
    :raises ValueError: no moment at all
    """
    if not _MOMENT.fullmatch(text):
        if _ISO.fullmatch(text):
            raise ZoneRequired()
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def parse_day(text: str) -> date:
    """:raises ValueError: not a day of the calendar as `YYYY-MM-DD`"""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def bounds_of(first: date, last: date) -> tuple[datetime, datetime]:
    """The first moment of days in UTC, both included, and the first one after them."""
    return datetime.combine(first, time(), UTC), datetime.combine(last, time(), UTC) + timedelta(days=1)
