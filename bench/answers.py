"""
What it costs to turn the ten rows of a campaign page into bytes: dictionaries and frozen dataclasses through orjson,
msgspec structs through msgspec. In one process, without a database or a server; processor time, the candidates in turn.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import orjson

from bench.server import keep

ROUNDS = 30
PAGES = 1000
MOMENT = datetime(2026, 11, 25, 12, 30, 15, 123456, UTC)
ROWS: list[tuple[Any, ...]] = [
    (
        *(uuid4(), f"Campaign {number}", f"campaign-{number}", "What it is about, in a sentence or two. " * 4),
        *("energy", "live", None, "1000.50", "2000.00", None, "EUR", "123.45", "150.00", 12, 12.3),
        *(MOMENT, MOMENT, "https://files.example.com/media/0123456789abcdef.webp", MOMENT),
        *(uuid4(), "Ada", "Lovelace", None, ["identity", "founder"]),
    )
    for number in range(10)
]


class UserStruct(msgspec.Struct, rename="camel", frozen=True, gc=False):
    id: UUID
    first_name: str
    last_name: str
    profile_photo: str | None
    badges: list[str]


class CardStruct(msgspec.Struct, rename="camel", frozen=True, kw_only=True, gc=False):
    id: UUID
    title: str
    slug: str
    summary: str
    category: str
    status: str
    outcome: str | None
    owner: UserStruct
    goal_amount: str
    max_amount: str | None
    min_investment: str | None
    currency: str
    raised_amount: str
    committed_amount: str
    investor_count: int
    progress_percent: float
    starts_at: datetime | None
    ends_at: datetime
    cover_image: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserData:
    """orjson does not rename: the best case has the names of JSON in Python."""

    id: UUID
    firstName: str
    lastName: str
    profilePhoto: str | None
    badges: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardData:
    id: UUID
    title: str
    slug: str
    summary: str
    category: str
    status: str
    outcome: str | None
    owner: UserData
    goalAmount: str
    maxAmount: str | None
    minInvestment: str | None
    currency: str
    raisedAmount: str
    committedAmount: str
    investorCount: int
    progressPercent: float
    startsAt: datetime | None
    endsAt: datetime
    coverImage: str | None
    createdAt: datetime


def as_dictionaries() -> bytes:
    def card(row: tuple[Any, ...]) -> dict[str, Any]:
        return {
            "id": row[0],
            "title": row[1],
            "slug": row[2],
            "summary": row[3],
            "category": row[4],
            "status": row[5],
            "outcome": row[6],
            "owner": {
                "id": row[19],
                "firstName": row[20],
                "lastName": row[21],
                "profilePhoto": row[22],
                "badges": row[23],
            },
            "goalAmount": row[7],
            "maxAmount": row[8],
            "minInvestment": row[9],
            "currency": row[10],
            "raisedAmount": row[11],
            "committedAmount": row[12],
            "investorCount": row[13],
            "progressPercent": row[14],
            "startsAt": row[15],
            "endsAt": row[16],
            "coverImage": row[17],
            "createdAt": row[18],
        }

    return orjson.dumps([card(row) for row in ROWS], option=orjson.OPT_UTC_Z)


def as_dataclasses() -> bytes:
    def card(row: tuple[Any, ...]) -> CardData:
        return CardData(
            id=row[0],
            title=row[1],
            slug=row[2],
            summary=row[3],
            category=row[4],
            status=row[5],
            outcome=row[6],
            owner=UserData(row[19], row[20], row[21], row[22], row[23]),
            goalAmount=row[7],
            maxAmount=row[8],
            minInvestment=row[9],
            currency=row[10],
            raisedAmount=row[11],
            committedAmount=row[12],
            investorCount=row[13],
            progressPercent=row[14],
            startsAt=row[15],
            endsAt=row[16],
            coverImage=row[17],
            createdAt=row[18],
        )

    return orjson.dumps([card(row) for row in ROWS], option=orjson.OPT_UTC_Z)


_encode = msgspec.json.Encoder().encode


def as_structs() -> bytes:
    def card(row: tuple[Any, ...]) -> CardStruct:
        return CardStruct(
            id=row[0],
            title=row[1],
            slug=row[2],
            summary=row[3],
            category=row[4],
            status=row[5],
            outcome=row[6],
            owner=UserStruct(row[19], row[20], row[21], row[22], row[23]),
            goal_amount=row[7],
            max_amount=row[8],
            min_investment=row[9],
            currency=row[10],
            raised_amount=row[11],
            committed_amount=row[12],
            investor_count=row[13],
            progress_percent=row[14],
            starts_at=row[15],
            ends_at=row[16],
            cover_image=row[17],
            created_at=row[18],
        )

    return _encode([card(row) for row in ROWS])


def microseconds(render: Callable[[], bytes]) -> float:
    """Of the processor, for one page."""
    before = time.process_time()
    for _ in range(PAGES):
        render()
    return (time.process_time() - before) / PAGES * 1e6


def main() -> None:
    candidates = {"dictionaries": as_dictionaries, "dataclasses": as_dataclasses, "structs": as_structs}
    if len({bytes(render()) for render in candidates.values()}) != 1:
        raise SystemExit("the candidates do not answer the same")
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, render in candidates.items():
            taken[name].append(microseconds(render))
    keep("answers", {f"{name}_us_per_page": statistics.median(times) for name, times in taken.items()})


if __name__ == "__main__":
    sys.exit(main())
