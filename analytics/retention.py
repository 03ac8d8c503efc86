"""Who comes back: of the people who joined in a day, week or month, how many were active in each of those after it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from analytics.outputs import Retention, RetentionCell, RetentionCohort
from analytics.permissions import READ_FIGURES
from analytics.selectors import FEWEST, Days, if_enough
from analytics.units import Unit
from core.data.statements import load
from core.times import bounds_of

MOST = {Unit.DAY: 31, Unit.WEEK: 26, Unit.MONTH: 14}
"""How many cohorts an answer has at most: the newest of the period."""
_RETENTION = load("analytics/sql/retention.sql")


@dataclass(frozen=True, slots=True)
class Cell:
    active: int
    is_complete: bool
    """Whether every day of it is over and in the period."""


@dataclass(frozen=True, slots=True)
class Cohort:
    start: date
    people: int
    cells: list[Cell]


def retention(person: Any, days: Days, unit: Unit, *, now: datetime) -> Retention:
    """Of the platform for those who may see its figures, otherwise of the people who follow this one."""
    sees_all = READ_FIGURES.held_by(person)
    found = cohorts(days, unit, now=now, followed=None if sees_all else person.pk)
    return Retention(
        scope="platform" if sees_all else "audience",
        by=unit,
        period=days.output,
        cohorts=[
            RetentionCohort(
                start=each.start,
                people=each.people,
                cells=[
                    RetentionCell(
                        active=cell.active if sees_all else if_enough(cell.active, cell.active),
                        is_complete=cell.is_complete,
                    )
                    for cell in each.cells
                ],
            )
            for each in found
        ],
    )


def cohorts(days: Days, unit: Unit, *, now: datetime, followed: UUID | None = None) -> list[Cohort]:
    """
    The newest cohorts of a period, whole ones: the first begins with the day, week or month that `days` begins in.

    :param followed: only people who follow this one; then without cohorts of few
    """
    last = min(days.until, now.date())
    since, _ = bounds_of(unit.begin_of(days.since), days.since)
    _, until = bounds_of(days.until, days.until)
    sizes: dict[date, int] = {}
    active: dict[date, dict[int, int]] = defaultdict(dict)
    for row in _RETENTION.rows(since=since, until=until, unit=unit.value, followed=followed, **{f"by_{unit}": True}):
        if row.later is None:
            sizes[row.start] = row.people
        else:
            active[row.start][row.later] = row.people

    def cells(start: date) -> list[Cell]:
        found: list[Cell] = []
        while unit.after(start, len(found)) <= last:
            end = unit.after(start, len(found) + 1) - timedelta(days=1)
            is_complete = end <= days.until and end < now.date()
            found.append(Cell(active[start].get(len(found), 0), is_complete))
        return found

    shown = [start for start in sorted(sizes) if followed is None or sizes[start] >= FEWEST]
    return [Cohort(start, sizes[start], cells(start)) for start in shown[-MOST[unit] :]]
