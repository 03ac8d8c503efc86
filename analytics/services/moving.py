"""Moving whole days of raw events into ClickHouse or back, with their numbers compared (`manage.py analytics_move`)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count

from analytics.models import Progress, RawEvent
from analytics.services import progress
from analytics.services.rollups import JOB as ROLL_UP
from analytics.services.shipping import blocks_of, delete_present, events_on, insert_missing
from analytics.stores.clickhouse import ClickHouseStore, only_mover
from analytics.stores.postgres import PostgresStore
from core.times import bounds_of

BATCH = 5000
"""Events that are written to PostgreSQL at once."""


@dataclass(slots=True)
class Move:
    """What became of a day that was carried over as a whole."""

    events: int = 0
    """How many were carried over."""
    differing: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By name: how many events there should be, and how many there are."""
    is_busy: bool = False
    """Somebody else moves events; nothing was done."""


def move(day: date, *, now: datetime) -> Move:
    """
    Carry a whole day over, compare its numbers of events by name, and only if they are right delete it in PostgreSQL.
    Events that come meanwhile stay for `analytics.ship_events`.

    :raises StoreUnavailable:
    """
    store, done = ClickHouseStore(), Move()
    with only_mover() as is_ours:
        if not is_ours:
            return Move(is_busy=True)
        expected = Counter(store.count_names(day))
        for block in blocks_of(day):
            done.events += len(block.events)
            expected.update(event.name for event in insert_missing(block, now=now))
        found = store.count_names(day)
        done.differing = _differing(expected, found)
        if not done.differing:
            for block in blocks_of(day):
                delete_present(block)
    return done


def move_back(day: date) -> Move:
    """
    Copy a whole day from ClickHouse, which keeps it, into PostgreSQL, and compare its numbers of events by name.

    :raises StoreUnavailable:
    """
    store, done = ClickHouseStore(), Move()
    with only_mover() as is_ours:
        if not is_ours:
            return Move(is_busy=True)
        expected = _names(day)
        if not store.count_names(day):
            return done
        first, _ = bounds_of(day, day)
        for since in (first + timedelta(hours=number) for number in range(24)):
            until = since + timedelta(hours=1)
            known = set(
                RawEvent.objects.filter(occurred_at__gte=since, occurred_at__lt=until).values_list("id", flat=True)
            )
            missing = [event for event in store.events_between(since, until) if event.id not in known]
            for number in range(0, len(missing), BATCH):
                PostgresStore().append(missing[number : number + BATCH])
            expected.update(event.name for event in missing)
            done.events += len(missing)
        done.differing = _differing(expected, _names(day))
    return done


def count_of(day: date, *, back: bool) -> int:
    """How many events of a day there are where they would be read."""
    return sum((ClickHouseStore().count_names(day) if back else _names(day)).values())


def resume_counting() -> None:
    """After moving back: counting goes on in PostgreSQL from where it has come to in ClickHouse."""
    if counted := Progress.objects.filter(pk=ClickHouseStore.counting).first():
        progress.note(ROLL_UP, counted.at)


def _names(day: date) -> Counter[str]:
    """How many events of each name of a day PostgreSQL has."""
    return Counter(dict(events_on(day).order_by().values_list("name").annotate(Count("id"))))


def _differing(expected: Mapping[str, int], found: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {
        name: (expected.get(name, 0), found.get(name, 0))
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name, 0) != found.get(name, 0)
    }
