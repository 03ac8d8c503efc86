"""
What is trending: a count of investments in which each weighs half after three days.

The count is kept as its base-2 logarithm on a clock that never stops, so that adding one needs no sweep over old rows
and two campaigns compare the same at any moment: score = log2(Σ 2^(t / HALF_LIFE)).
"""

from datetime import UTC, datetime, timedelta
from math import log2

HALF_LIFE = timedelta(days=3)
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


def score_of_one(at: datetime) -> float:
    """The score of a single event at `at`."""
    return (at - EPOCH) / HALF_LIFE


def with_one_more(score: float, at: datetime) -> float:
    """`score` after another event at `at`."""
    one = score_of_one(at)
    return max(score, one) + log2(1 + 2 ** -abs(score - one))


WITH_ONE_MORE = """
    greatest(trend, %s::float8) + ln(1 + power(2::float8, -least(abs(trend - %s::float8), 1000))) / ln(2::float8)
"""
"""The same in SQL, of a column `trend`; takes the score of the event twice."""
