"""How quickly people answer each other in direct conversations."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from uuid import UUID

from analytics.outputs import AnswersWithin, ResponseTimes
from core.data.ids import first_id_at
from core.data.statements import load

BOUNDS = (60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600)
"""Seconds. Answers are counted by them, so that the counts of days can be added up."""
NO_ANSWERS = (0,) * (len(BOUNDS) + 1)
_COUNT = load("analytics/sql/response_times.sql")


def count_answers(since: datetime, until: datetime, *, person_id: UUID | None = None) -> list[int]:
    """
    How many answers of a time took less than each of `BOUNDS`, and no less than the one before; the last number is of
    those that took longer.

    :param person_id: only this person's answers
    """
    counts = [*NO_ANSWERS]
    rows = _COUNT.rows(
        first=first_id_at(since), last=first_id_at(until), bounds=[float(bound) for bound in BOUNDS], person=person_id
    )
    for row in rows:
        counts[row.place] = row.answers
    return counts


def response_times(counts: Sequence[int]) -> ResponseTimes:
    """:param counts: as `count_answers` gives them, those of several days added up"""
    answers = sum(counts)
    within = list(zip(BOUNDS, accumulate(counts[:-1]), strict=True))
    return ResponseTimes(
        answers=answers,
        half_within_seconds=next((bound for bound, number in within if answers and 2 * number >= answers), None),
        within=[AnswersWithin(seconds=bound, answers=number) for bound, number in within],
    )
