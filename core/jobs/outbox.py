"""
The outbox: messages to the outside are sent after the commit, at least once, by handlers that are safe to repeat
(docs/outbox.md).

`emit` writes a row in the transaction of its cause. After the commit it is sent to Celery at once; if Redis was
unavailable or lost the message, `relay` finds the row when it is due and sends it again. `deliver` runs the topic's
handler under a lease, so that two deliveries of one event do not overlap, and parks an event that failed ten times.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from core import clock, context
from core.data import sql
from core.data.ids import uuid7
from core.jobs import messenger
from core.jobs.backoff import MAX_ATTEMPTS, backoff
from core.models import OutboxEvent

logger = logging.getLogger("vectragrow.outbox")

LEASE = timedelta(seconds=270)
"""Longer than a task may run (CELERY_TASK_TIME_LIMIT), so a lease ends only when its holder is gone."""
FIRST_LEASE = timedelta(seconds=15)
"""How long the message sent right after the commit has to arrive before the relay sends another."""
PARKED_FOR = timedelta(minutes=10)
"""How long `put_back` leaves a parked event alone."""
KEPT = timedelta(days=7)
"""How long delivered events are kept (core.privacy.core_models)."""

Handler = Callable[..., None]
_handlers: dict[str, Handler] = {}


class NotYet(Exception):
    """
    Raised by a handler that has to be tried again later.

    :param after: instead of the usual pause
    :param tried: False when nothing was attempted, so that it does not count as one of the ten tries
    """

    def __init__(self, reason: str, after: timedelta | None = None, *, tried: bool = True) -> None:
        self.after = after
        self.tried = tried
        super().__init__(reason)


def on(topic: str) -> Callable[[Handler], Handler]:
    """Register the handler of a topic: `def handler(event_id: UUID, **facts)`, idempotent by `event_id`."""

    def register(handler: Handler) -> Handler:
        if topic in _handlers:
            raise ValueError(f"{topic} has a handler already")
        _handlers[topic] = handler
        return handler

    return register


def emit(topic: str, *, now: datetime | None = None, after: timedelta = timedelta(0), **facts: Any) -> OutboxEvent:
    """
    Write an event in the caller's transaction and have it delivered after the commit.

    :param after: how long to hold it back
    :raises LookupError: nobody handles `topic`
    """
    event = row(topic, now=now, after=after, **facts)
    sql.insert(event)
    if not after:
        enqueue_after_commit([event.pk])
    return event


def row(
    topic: str, *, id: UUID | None = None, now: datetime | None = None, after: timedelta = timedelta(0), **facts: Any
) -> OutboxEvent:
    """
    The row that `emit` writes, for callers that write it together with other rows.

    :param id: of the row, for those who may write it twice
    :raises LookupError: nobody handles `topic`
    """
    if topic not in _handlers:
        raise LookupError(f"no handler for {topic}")
    # What is due is judged by the present clock: one that runs ahead (`close_campaigns --at`) holds nothing back.
    moment = min(now or clock.now(), clock.now())
    return OutboxEvent(
        id=id or uuid7(),
        topic=topic,
        facts=facts,
        request_id=context.request_id.get(),
        created_at=moment,
        due_at=moment + (after or FIRST_LEASE),
    )


def emit_once(rows: Sequence[OutboxEvent]) -> None:
    """Write rows whose ids may be there already, from an earlier try of the caller, and have them delivered."""
    OutboxEvent.objects.bulk_create(rows, ignore_conflicts=True)
    enqueue_after_commit([row.pk for row in rows if row.due_at <= row.created_at + FIRST_LEASE])


def put_back(row: OutboxEvent) -> bool:
    """
    Write a row, or have the one with its id delivered again. One that waits or is being delivered is left alone.

    One that was parked some time ago gets a single try, so that it is parked again, and seen, if that fails too.

    :returns: whether it had to be put back
    """
    insert, values = sql.insertion(row)
    again = [*values, MAX_ATTEMPTS - 1, row.created_at - PARKED_FOR]
    if not sql.execute((f"{insert} {_BEGIN_ANEW}", again)):
        return False
    if row.due_at <= row.created_at + FIRST_LEASE:
        enqueue_after_commit([row.pk])
    return True


_BEGIN_ANEW = """
    ON CONFLICT (id) DO UPDATE SET
        attempts = CASE WHEN core_outboxevent.parked_at IS NULL THEN 0 ELSE %s END,
        created_at = excluded.created_at, due_at = excluded.due_at, facts = excluded.facts,
        held_until = NULL, delivered_at = NULL, parked_at = NULL
    WHERE core_outboxevent.delivered_at IS NOT NULL OR core_outboxevent.parked_at <= %s
    RETURNING id
"""


def is_waiting(now: datetime) -> Exists:
    """A condition for rows that have an event under their own id: it waits, or was parked a short while ago."""
    mine = OutboxEvent.objects.filter(pk=OuterRef("pk"), delivered_at__isnull=True)
    return Exists(mine.filter(Q(parked_at__isnull=True) | Q(parked_at__gt=now - PARKED_FOR)))


def done(event_id: UUID, *, now: datetime) -> None:
    """What an event asks for was done otherwise, in the caller's transaction: it need not be delivered any more."""
    sql.change("UPDATE core_outboxevent SET delivered_at = %s WHERE id = %s AND delivered_at IS NULL", [now, event_id])


def enqueue_after_commit(event_ids: Sequence[UUID]) -> None:
    def notify() -> None:
        for event_id in event_ids:
            enqueue(event_id)

    if event_ids and not _in_bulk.get():
        transaction.on_commit(notify)


_in_bulk: ContextVar[bool] = ContextVar("in_bulk", default=False)


@contextmanager
def in_bulk(is_bulk: bool = True) -> Iterator[None]:
    """
    Leave what is emitted inside to the relay, which sends it a little later and little by little: ten thousand notices
    at once would hold up everybody's messages, and the work that they are about.
    """
    token = _in_bulk.set(is_bulk)
    try:
        yield
    finally:
        _in_bulk.reset(token)


def enqueue(event_id: UUID) -> None:
    """Send an event to Celery. If the broker is unavailable, the relay sends it again."""
    messenger.enqueue(str(event_id))


def deliver(event_id: UUID, *, now: datetime) -> bool:
    """
    Run an event's handler if it is undelivered and not leased by another process.

    :returns: whether it was delivered by this call
    """
    waiting = OutboxEvent.objects.filter(pk=event_id, delivered_at__isnull=True, parked_at__isnull=True)
    event = waiting.first()
    if event is None:
        return False
    free = Q(held_until__isnull=True) | Q(held_until__lte=now)
    claimed = waiting.filter(free, attempts=event.attempts).update(
        attempts=F("attempts") + 1, held_until=now + LEASE, due_at=now + LEASE
    )
    if not claimed:
        return False
    attempt = event.attempts + 1
    token = context.request_id.set(event.request_id or str(event.pk))
    try:
        _handlers[event.topic](event_id=event.pk, **event.facts)
    except Exception as error:  # noqa: BLE001  (whatever a handler raises is a failed try)
        _failed(event, attempt, error, now)
        return False
    finally:
        context.request_id.reset(token)
    OutboxEvent.objects.filter(pk=event.pk).update(delivered_at=clock.now(), last_error="")
    return True


def _failed(event: OutboxEvent, attempt: int, error: Exception, now: datetime) -> None:
    reason = f"{type(error).__name__}: {error}"[:500]
    mine = OutboxEvent.objects.filter(pk=event.pk, delivered_at__isnull=True)
    if isinstance(error, NotYet) and not error.tried:
        attempt -= 1
    if attempt >= MAX_ATTEMPTS:
        mine.update(parked_at=now, last_error=reason)
        logger.error("outbox event parked", extra={"eventId": event.pk, "topic": event.topic, "reason": reason})
        return
    pause = error.after if isinstance(error, NotYet) and error.after else backoff(attempt)
    mine.update(attempts=attempt, due_at=now + pause, held_until=None, last_error=reason)
    logger.warning(
        "outbox event failed", extra={"eventId": event.pk, "topic": event.topic, "attempt": attempt, "reason": reason}
    )


def due(now: datetime, limit: int = 500) -> list[UUID]:
    """Ids of events that are due and not leased, oldest first."""
    waiting = OutboxEvent.objects.filter(due_at__lte=now, delivered_at__isnull=True, parked_at__isnull=True)
    return list(waiting.order_by("due_at", "id").values_list("pk", flat=True)[:limit])


def relay(*, now: datetime) -> int:
    """Send everything due to Celery, and hold each back while the message travels. Returns how many."""
    ids = due(now)
    OutboxEvent.objects.filter(pk__in=ids, due_at__lte=now).update(due_at=now + FIRST_LEASE)
    for event_id in ids:
        enqueue(event_id)
    return len(ids)
