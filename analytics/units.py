"""Days, weeks and months (UTC)."""

from datetime import date, timedelta
from enum import StrEnum


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def begin_of(self, day: date) -> date:
        """The first day of the one that a day is in; weeks begin on Monday."""
        if self is Unit.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is Unit.MONTH else day

    def after(self, begin: date, number: int) -> date:
        """The first day of the one that comes `number` later than the one that begins on `begin`."""
        if self is Unit.MONTH:
            years, month = divmod(begin.month - 1 + number, 12)
            return begin.replace(year=begin.year + years, month=month + 1)
        return begin + timedelta(days=number * (7 if self is Unit.WEEK else 1))
