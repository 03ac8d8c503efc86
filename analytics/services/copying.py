"""Copying business events into the raw events, by their id."""

from datetime import datetime, timedelta

import msgspec

from accounts.permissions import USE_ADMIN
from analytics.business import COUNTED
from analytics.services import progress
from analytics.stores import partitions
from core.data.ids import first_id_at
from core.data.statements import load
from core.data.transactions import atomic
from core.models import Event

JOB = "analytics.copy_events"
STEP = timedelta(days=1)
_COPY = load("analytics/sql/copy_events.sql")
_KINDS = msgspec.json.encode(COUNTED).decode()


def due(now: datetime) -> list[str]:
    """What is not copied yet, in stretches of a day at most (`copy <since> <until>`), and last `progress <until>`."""
    first = Event.objects.order_by("pk").values_list("created_at", flat=True).first()
    since, found = progress.read_since(JOB, first or now), []
    while since < now:
        until = min(since + STEP, now)
        found.append(f"copy {since.isoformat()} {until.isoformat()}")
        since = until
    return [*found, f"progress {now.isoformat()}"]


def copy(item: str, *, now: datetime) -> bool:
    """
    Copy the business events of a stretch; those that were copied before stay as they are.

    :returns: False when a stretch has failed
    """
    what, *moments = item.split()
    if what == "progress":
        return progress.note(JOB, datetime.fromisoformat(moments[0]))
    since, until = map(datetime.fromisoformat, moments)
    days = {since.date() + timedelta(days=number) for number in range((until.date() - since.date()).days + 1)}
    partitions.make(days - set(partitions.existing()))
    with atomic():
        _COPY.rows(
            kinds=_KINDS, team=sorted(USE_ADMIN.roles), first=first_id_at(since), last=first_id_at(until), now=now
        )
    return True
