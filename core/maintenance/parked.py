"""New tries for events and items that were parked after ten, once an operator has fixed the cause."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from core import events
from core.data.locks import lock
from core.data.transactions import retrying
from core.models import FailingItem, OutboxEvent


@retrying
def unpark(*, by: Any, now: datetime, topic: str | None = None, event_ids: Iterable[UUID] | None = None) -> int:
    """
    Give parked events ten new tries, after what failed was mended. Returns how many.

    :param by: the staff member, or None for an operator at the console
    :param topic: only events of this topic
    :param event_ids: only these
    """
    parked = OutboxEvent.objects.filter(parked_at__isnull=False)
    if topic is not None:
        parked = parked.filter(topic=topic)
    if event_ids is not None:
        parked = parked.filter(pk__in=event_ids)
    found = list(lock(parked).order_by("pk"))
    for event in found:
        events.record("outbox_event.retried", event, actor=by, now=now, topic=event.topic)
    return OutboxEvent.objects.filter(pk__in=[event.pk for event in found]).update(
        parked_at=None, held_until=None, attempts=0, due_at=now
    )


@retrying
def unpark_items(*, by: Any, now: datetime, ids: Iterable[UUID]) -> int:
    """
    Give parked items of jobs ten new tries. Returns how many.

    :param by: the staff member
    :param ids: of their rows; those that are not parked are left alone
    """
    parked = FailingItem.objects.filter(pk__in=ids, parked_at__isnull=False)
    found = list(lock(parked).order_by("pk"))
    for row in found:
        events.record("failing_item.retried", row, actor=by, now=now, job=row.job, item=row.item)
    return FailingItem.objects.filter(pk__in=[row.pk for row in found]).update(parked_at=None, attempts=0, due_at=now)
