"""Registered names of events, and those that come without being registered."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.event_types import DECLARED, EventType
from analytics.models import EventName
from core import clock, events
from core.data.transactions import atomic, retrying

MAX_LISTED = 1000
"""How many unknown names are listed; beyond them events are kept, but their names are not listed."""

_NOTE = """
    INSERT INTO analytics_eventname (name, count, first_seen_at, last_seen_at)
    SELECT name, count, %(now)s, %(now)s
    FROM unnest(%(names)s::text[], %(counts)s::bigint[]) AS seen(name, count)
    WHERE (SELECT count(*) FROM analytics_eventname) < %(most)s
       OR EXISTS (SELECT FROM analytics_eventname known WHERE known.name = seen.name)
    ORDER BY name
    ON CONFLICT (name) DO UPDATE
    SET count = analytics_eventname.count + EXCLUDED.count, last_seen_at = EXCLUDED.last_seen_at
"""


def registered(name: str) -> EventType | None:
    """The type of this name: declared in code, or registered by an operator."""
    return DECLARED.get(name) or _by_operators().get(name)


def note_unknown(names: Iterable[str], *, now: datetime) -> None:
    """Count names that nobody has registered, for the list in the admin."""
    counts = Counter(names)
    if counts:
        _note(sorted(counts.items()), now)


@retrying
def _note(counts: list[tuple[str, int]], now: datetime) -> None:
    names, numbers = zip(*counts, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"names": list(names), "counts": list(numbers), "most": MAX_LISTED, "now": now})


_known: dict[str, Any] = {"until": None, "types": {}}
_KEPT_SECONDS = 30


def _by_operators() -> dict[str, EventType]:
    """Those that operators have registered; a process learns of a new one within half a minute."""
    moment = clock.now().timestamp()
    if _known["until"] is None or moment > _known["until"] or moment < _known["until"] - _KEPT_SECONDS:
        rows = EventName.objects.filter(registered_at__isnull=False).values_list("name", flat=True)
        _known["types"] = {name: EventType(name, "registered by an operator") for name in rows}
        _known["until"] = moment + _KEPT_SECONDS
    types: dict[str, EventType] = _known["types"]
    return types


def register(names: Iterable[str], *, actor: Any, now: datetime) -> int:
    """
    Have events of these names counted from now on.

    :returns: how many were not registered before
    """
    with atomic():
        waiting = EventName.objects.filter(name__in=list(names), registered_at__isnull=True)
        found = list(waiting.select_for_update(no_key=True).order_by("name").values_list("name", flat=True))
        EventName.objects.filter(name__in=found).update(registered_at=now)
        events.record_many(
            "analytics.name_registered", [(None, {"name": name}) for name in found], actor=actor, now=now
        )
    _known["until"] = None
    return len(found)
