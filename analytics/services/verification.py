"""Comparing counts with the raw events they were made of."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from analytics.models import DayCount, HourCount
from analytics.services.rollups import VISIT
from analytics.stores import store
from core.times import bounds_of


def differences(day: date) -> tuple[int, list[str]]:
    """
    Recount a day (UTC).

    :returns: how many counts were compared, and a line for each that differs
    """
    begin, end = bounds_of(day, day)
    lines: list[str] = []
    raw: Counter[Any] = Counter()
    for hour in (begin + timedelta(hours=number) for number in range(24)):
        for row in store().count_hour(hour):
            raw[hour, row.name, row.about_id, row.audience] = row.events
    kept = HourCount.objects.filter(hour__gte=begin, hour__lt=end)
    counted = {(r.hour, r.name, r.about_id, r.audience): r.events for r in kept}
    lines += _compared("hour", raw, counted)
    by_day = {(row.name, row.about_id): (row.events, row.people) for row in store().count_day(day)}
    rows = DayCount.objects.filter(day=day).exclude(name=VISIT)
    counted_by_day = {(row.name, row.about_id): (row.events, row.people) for row in rows}
    lines += _compared(f"day {day}", by_day, counted_by_day)
    return len(raw.keys() | counted.keys()) + len(by_day.keys() | counted_by_day.keys()), lines


def _compared(what: str, raw: Any, counted: Any) -> list[str]:
    return [
        f"{what} {' '.join(map(str, key))}: counted {counted.get(key, 0)}, raw {raw.get(key, 0)}"
        for key in sorted(raw.keys() | counted.keys(), key=str)
        if raw.get(key, 0) != counted.get(key, 0)
    ]
