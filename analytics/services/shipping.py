"""
Carrying raw events from PostgreSQL, which takes them, over into ClickHouse, which counts them.

The rows of some pages of a day's table are a block. A block is inserted at once, then ClickHouse is asked which of its
events it has, and those are deleted in PostgreSQL. Killed in between, or without an answer, the next run asks first and
inserts what is missing; an event that comes twice all the same is one row in ClickHouse.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from analytics.models import RawEvent
from analytics.services import progress
from analytics.services.rollups import BEGINNING, JOB as ROLL_UP
from analytics.stores import partitions
from analytics.stores.base import StoreUnavailable
from analytics.stores.clickhouse import ClickHouseStore, only_mover
from core.data.statements import load
from core.data.transactions import atomic
from core.times import bounds_of

logger = logging.getLogger(__name__)
JOB = "analytics.ship_events"
PAGES = 256
"""Pages of 8 KB in a block: about ten thousand events."""
SECONDS = 20
"""After so long a run leaves the rest of a day for the next one."""
DAYS = 5
"""
The most days of a run. With the seconds of each a run is shorter than `progress.OVERLAP`, by which counting looks back:
so no event is missed that arrives later than its `shipped_at` says, the moment at which the run began.
"""
_READ = load("analytics/sql/read_block.sql")
_DELETE = load("analytics/sql/delete_block.sql")


class NotShipped(Exception):
    """ClickHouse answered, and yet does not have every event of a block."""


def due(now: datetime) -> list[date]:
    """The days of which PostgreSQL has events, the newest first, since its counts are looked at most."""
    if not settings.ANALYTICS_CLICKHOUSE:
        return []
    return [day for day in reversed(partitions.existing()) if partitions.pages(day) and events_on(day).exists()]


def ship(day: date, *, now: datetime) -> bool:
    """
    Carry the events of a day over. While ClickHouse is unavailable they stay where they are.

    :returns: False when some are left for the next run
    :raises NotShipped:
    """
    ends = time.monotonic() + SECONDS
    with only_mover() as is_ours:
        if not is_ours:
            return False
        try:
            for block in blocks_of(day):
                insert_missing(block, now=now)
                if missing := delete_present(block):
                    raise NotShipped(f"{missing} of {len(block.events)} events are not in ClickHouse")
                if time.monotonic() > ends:
                    return False
        except StoreUnavailable as error:
            logger.error("raw events stay in PostgreSQL until ClickHouse answers", extra={"reason": str(error)})
            return False
    return True


@dataclass(frozen=True, slots=True)
class Block:
    """Events of a day in some pages of its table; never empty."""

    place: dict[str, Any]
    events: Sequence[Any]

    @property
    def token(self) -> str:
        """The same for the same events."""
        ids = sorted(event.id.bytes for event in self.events)
        return hashlib.blake2b(b"".join(ids), digest_size=16).hexdigest()


def blocks_of(day: date) -> Iterator[Block]:
    """The events of a day that PostgreSQL has, read one block after the other."""
    since, until = bounds_of(day, day)
    for page in range(0, partitions.pages(day), PAGES):
        place = {"since": since, "until": until, "first": f"({page},0)", "last": f"({page + PAGES},0)"}
        if events := {event.id: event for event in _READ.rows(**place)}:
            yield Block(place, list(events.values()))


def insert_missing(block: Block, *, now: datetime) -> list[Any]:
    """
    Insert the events of a block that ClickHouse does not have.

    Events that were counted from PostgreSQL, before the platform began to use ClickHouse, arrive as of then: they are
    not counted again, since counts stay when people and their events are gone.

    :returns: those that were missing
    :raises StoreUnavailable:
    """
    store, counted = ClickHouseStore(), progress.read_since(ROLL_UP, BEGINNING)
    present = store.present(block.events)
    missing = [event for event in block.events if event.id not in present]
    if missing:
        rows = [[*event, event.received_at if event.received_at < counted else now] for event in missing]
        # Five minutes later it is another insert, should somebody have emptied the table meanwhile.
        store.insert(rows, token=f"{Block(block.place, missing).token}-{int(now.timestamp()) // 300}")
    return missing


def delete_present(block: Block) -> int:
    """
    Delete in PostgreSQL the events of a block that ClickHouse has.

    :returns: how many it does not have
    :raises StoreUnavailable:
    """
    present: set[UUID] = ClickHouseStore().present(block.events)
    with atomic():
        _DELETE.rows(ids=list(present), **block.place)
    return len(block.events) - len(present)


def events_on(day: date) -> Any:
    """The events of a day in PostgreSQL."""
    since, until = bounds_of(day, day)
    return RawEvent.objects.filter(occurred_at__gte=since, occurred_at__lt=until)
