"""
What moved of a person's money in a year (UTC), and what there was before and after it, read from the books.

Four sums for each currency: `committed` is held by campaigns that are not settled, `invested` was released to their
owners, `returned` came back and is not paid out, `fees` was paid on top and did not come back. Each movement changes
them as `EFFECTS` says, so a statement adds up.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.data.statements import load
from core.times import bounds_of
from investments.errors import StatementTooLong, YearNotBegun
from ledger.selectors import snapshot

MOST: dict[str, int] = {"json": 10_000, "csv": 10_000, "pdf": 1_000}
"""Movements of one statement, so that its memory and time are bounded."""
_MOVEMENTS = load("investments/sql/statement.sql")
_SUMS = load("investments/sql/statement_sums.sql")


class MovementKind(StrEnum):
    COMMITMENT = "commitment"
    REFUND = "refund"
    SETTLEMENT = "settlement"
    RETURN = "return"
    PAYOUT = "payout"
    DISPUTE = "dispute"
    """A bank took a commitment back."""
    SETTLED_DISPUTE = "settled_dispute"
    """The same, after it was released to the owner of the campaign."""
    FEE = "fee"
    FEE_REFUND = "fee_refund"


SUMS = ("committed", "invested", "returned", "fees")
EFFECTS: Mapping[MovementKind, Mapping[str, int]] = {
    MovementKind.COMMITMENT: {"committed": 1},
    MovementKind.REFUND: {"committed": -1},
    MovementKind.SETTLEMENT: {"committed": -1, "invested": 1},
    MovementKind.RETURN: {"returned": 1},
    MovementKind.PAYOUT: {"returned": -1},
    MovementKind.DISPUTE: {"committed": -1},
    MovementKind.SETTLED_DISPUTE: {"invested": -1},
    MovementKind.FEE: {"fees": 1},
    MovementKind.FEE_REFUND: {"fees": -1},
}


@dataclass(frozen=True, slots=True)
class Movement:
    at: datetime
    investment_id: UUID
    campaign_id: UUID
    campaign_title: str
    reference: str
    kind: MovementKind
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one currency, in minor units: `opening` and `closing` by the names of `EFFECTS`, `moved` by kind."""

    currency: str
    opening: Mapping[str, int]
    moved: Mapping[MovementKind, int]
    closing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Statement:
    year: int
    movements: list[Movement]
    sums: list[Sums]


def statement_of(person: Any, year: int, *, most: int, now: datetime) -> Statement:
    """
    :param most: the most movements that it may have
    :raises YearNotBegun: a year to come
    :raises StatementTooLong:
    """
    if year > now.year:
        raise YearNotBegun(field="year")
    since, until = bounds_of(date(year, 1, 1), date(year, 12, 31))
    asked = {"investor": person.pk, "since": since, "until": until}
    with snapshot():
        rows = _MOVEMENTS.rows(**asked, limit=most + 1)
        totals = _SUMS.rows(**asked)
    if len(rows) > most:
        raise StatementTooLong(most=most)
    movements = [
        Movement(
            row.at,
            row.investment_id,
            row.campaign_id,
            row.campaign_title,
            row.reference,
            MovementKind(row.kind),
            row.currency,
            int(row.minor),
        )
        for row in rows
    ]
    return Statement(year, movements, _sums(totals))


def _sums(rows: list[Any]) -> list[Sums]:
    opening: defaultdict[str, Counter[str]] = defaultdict(Counter)
    closing: defaultdict[str, Counter[str]] = defaultdict(Counter)
    moved: defaultdict[str, Counter[MovementKind]] = defaultdict(Counter)
    for row in rows:
        kind = MovementKind(row.kind)
        moved[row.currency][kind] += row.within
        for name, sign in EFFECTS[kind].items():
            opening[row.currency][name] += sign * row.before
            closing[row.currency][name] += sign * (row.before + row.within)
    return [
        Sums(currency, opening[currency], moved[currency], closing[currency])  # Counters: zero for what is missing
        for currency in sorted(closing)
    ]
