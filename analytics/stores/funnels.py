"""
How far people get in a funnel, as one statement from fixed parts, for PostgreSQL and ClickHouse alike.

A person's events are looked at in the order in which they occurred (then by id). Each level of the statement adds to an
event when the newest attempt began that has reached this step with it, or NULL:

    ordered    the steps in their order, other events may lie in between
    strict     the steps in their order, nothing in between
    any        the steps in whatever order, all within one window

An attempt counts if its last step is at most the window after its first. The latest begin is the best one, so looking
at the newest attempt alone is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Order(StrEnum):
    """How the steps of a funnel follow each other."""

    ORDERED = "ordered"
    STRICT = "strict"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What is asked: events from `since` (included) to `until`, UTC, of a campaign or of the whole platform."""

    steps: Sequence[str]
    """Names of events, two or more, each once."""
    window: timedelta
    order: Order
    since: datetime
    until: datetime
    campaign_id: UUID | None = None


_PERSON = "PARTITION BY who ORDER BY at, place"


def statement(funnel: Funnel, *, events: str, within: str) -> str:
    """
    A SELECT of one row, with a column for each step: how many people have reached it.

    :param events: a SELECT of the events that count, with the columns `who`, `at`, `place` and `step`: the number of
        the step that the name is, from 1, or 0
    :param within: whether `{at}` is at most the window after `{begin}`, as an expression of the store
    """
    numbers = range(1, len(funnel.steps) + 1)
    if funnel.order is Order.ANY:
        reached = " + ".join(
            f"CASE WHEN {within.format(at=f'next_{number}', begin='at')} THEN 1 ELSE 0 END" for number in numbers
        )
        following = ", ".join(
            f"min(CASE WHEN step = {number} THEN at END) "
            f"OVER ({_PERSON} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_{number}"
            for number in numbers
        )
        level = f"SELECT who, {reached} AS reached FROM (SELECT who, at, {following} FROM ({events}) AS seen) AS seen"
    else:
        frame = "1 PRECEDING AND 1" if funnel.order is Order.STRICT else "UNBOUNDED PRECEDING AND 1"
        columns = "who, at, place, step, begin_1"
        level = f"SELECT who, at, place, step, CASE WHEN step = 1 THEN at END AS begin_1 FROM ({events}) AS seen"
        for number in numbers[1:]:
            before = f"max(begin_{number - 1}) OVER ({_PERSON} ROWS BETWEEN {frame} PRECEDING) AS earlier"
            begin = f"CASE WHEN step = {number} AND {within.format(at='at', begin='earlier')} THEN earlier END"
            level = (
                f"SELECT {columns}, {begin} AS begin_{number} "
                f"FROM (SELECT {columns}, {before} FROM ({level}) AS seen) AS seen"
            )
            columns += f", begin_{number}"
        levels = " ".join(f"WHEN begin_{number} IS NOT NULL THEN {number}" for number in reversed(numbers))
        level = f"SELECT who, CASE {levels} ELSE 0 END AS reached FROM ({level}) AS seen"
    counts = ", ".join(f"count(CASE WHEN furthest >= {number} THEN 1 END) AS step_{number}" for number in numbers)
    return (
        f"SELECT {counts} FROM (SELECT who, max(reached) AS furthest FROM ({level}) AS reaching GROUP BY who) AS people"
    )
