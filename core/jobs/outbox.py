"""
The outbox: messages to the outside are sent after the commit, at least once, by handlers that are safe to repeat
(docs/outbox.md).

`emit` writes a row in the transaction of its cause. After the commit it is sent to Celery at once; if Redis was
unavailable or lost the message, `relay` finds the row when it is due and sends it again. `deliver` runs the topic's
handler under a lease, so that two deliveries of one event do not overlap, and parks an event that failed ten times.
`deliver_all` does so for the events of one message; those of a topic that is registered with `on_many` are claimed,
handled and marked together.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core import clock, context
from core.data import sql, statements
from core.data.ids import uuid7
from core.jobs import messenger
from core.jobs.backoff import MAX_ATTEMPTS, backoff
from core.models import OutboxEvent

logger = logging.getLogger("vectragrow.outbox")

LEASE = timedelta(seconds=270)
"""Longer than a task may run (CELERY_TASK_TIME_LIMIT), so a lease ends only when its holder is gone."""
LEASE_OF_MANY = timedelta(seconds=60)
"""That of events which are handled together: their handlers only write to our tables, and take milliseconds."""
FIRST_LEASE = timedelta(seconds=15)
"""How long the message sent right after the commit has to arrive before the relay sends another."""
PARKED_FOR = timedelta(minutes=10)
"""How long `put_back` leaves a parked event alone."""
KEPT = timedelta(days=7)
"""How long delivered events are kept (core.privacy.core_models)."""

WAIT_LIMIT = 1.0
"""Seconds for which the events of one message are delivered one after the other; what is left is sent apart."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that this process holds, for its handler."""

    id: UUID
    topic: str
    facts: dict[str, Any]
    request_id: str
    """Of the request that caused it."""
    attempt: int
    """1 for the first."""


Handler = Callable[..., None]
ManyHandler = Callable[[Sequence[Claimed]], Mapping[UUID, Exception]]
_handlers: dict[str, Handler] = {}
_many_handlers: dict[str, ManyHandler] = {}
_CLAIM = statements.load("core/jobs/sql/claim.sql")


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
        _refuse_second_handler(topic)
        _handlers[topic] = handler
        return handler

    return register


def on_many(topic: str) -> Callable[[ManyHandler], ManyHandler]:
    """
    Register the handler of a topic whose events are handled many at a time, in the order in which they were emitted:
    `def handler(events: Sequence[Claimed]) -> Mapping[UUID, Exception]`.

    It is idempotent by each event's id, returns what went wrong with which event, and calls nobody outside: a process
    that dies in it leaves all of them held until the lease ends. What failed once is tried again alone.
    """

    def register(handler: ManyHandler) -> ManyHandler:
        _refuse_second_handler(topic)
        _many_handlers[topic] = handler
        return handler

    return register


def _refuse_second_handler(topic: str) -> None:
    """:raises ValueError:"""
    if topic in _handlers or topic in _many_handlers:
        raise ValueError(f"{topic} has a handler already")


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
    if topic not in _handlers and topic not in _many_handlers:
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
    sql.insert_missing(*rows)
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
    if event_ids and not _in_bulk.get():
        transaction.on_commit(lambda: enqueue(event_ids))


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


def enqueue(event_ids: Sequence[UUID], *, apart: bool = False) -> None:
    """
    Send events to Celery. If the broker is unavailable, the relay sends them again.

    :param apart: each in a message of its own
    """
    messenger.enqueue([str(event_id) for event_id in event_ids], apart=apart)


def deliver_all(event_ids: Sequence[UUID], *, now: datetime, patience: float = WAIT_LIMIT) -> int:
    """
    Deliver the events of one message, in their order.

    Those of `on_many` topics that were never tried go first and together. The others are claimed one after the other,
    so that nobody waits for the lease of what was not begun, for `patience` seconds: when handlers are slow, the rest
    is sent apart, to be delivered by several workers at the same time.

    :returns: how many were delivered by this call
    """
    until = time.monotonic() + patience
    claimed = _claim(event_ids, now, lease=LEASE_OF_MANY, first_tries=list(_many_handlers))
    delivered = 0
    for topic in dict.fromkeys(event.topic for event in claimed):
        delivered += _handle_many([event for event in claimed if event.topic == topic], now)
    together = {event.id for event in claimed}
    apart = [event_id for event_id in event_ids if event_id not in together]
    for done, event_id in enumerate(apart):
        if done and time.monotonic() >= until:
            enqueue(apart[done:], apart=True)
            break
        delivered += deliver(event_id, now=now)
    return delivered


def deliver(event_id: UUID, *, now: datetime) -> bool:
    """
    Run an event's handler if it is undelivered and not leased by another process.

    :returns: whether it was delivered by this call
    """
    claimed = _claim([event_id], now)
    if not claimed:
        return False
    [event] = claimed
    if event.topic in _many_handlers:
        return _handle_many([event], now) == 1
    try:
        with context.under_request(event.request_id or str(event.id)):
            _handlers[event.topic](event_id=event.id, **event.facts)
    except Exception as error:  # noqa: BLE001  (whatever a handler raises is a failed try)
        _failed(event, error, now)
        return False
    _mark_delivered([event])
    return True


def _claim(
    event_ids: Sequence[UUID], now: datetime, *, lease: timedelta = LEASE, first_tries: Sequence[str] | None = None
) -> list[Claimed]:
    """
    Hold those that wait and are not held by another process.

    :param first_tries: only those of these topics that were never tried
    """
    rows = _CLAIM.rows(ids=list(event_ids), now=now, until=now + lease, first_tries=first_tries)
    rows.sort(key=lambda row: row.id)
    return [Claimed(row.id, row.topic, orjson.loads(row.facts), row.request_id, row.attempts) for row in rows]


def _handle_many(events: Sequence[Claimed], now: datetime) -> int:
    """Run the handler of one topic for claimed events. Returns how many were delivered."""
    try:
        failures = _many_handlers[events[0].topic](events)
    except Exception as error:  # noqa: BLE001  (whatever a handler raises is a failed try)
        failures = dict.fromkeys([event.id for event in events], error)
    for event in events:
        if event.id in failures:
            _failed(event, failures[event.id], now)
    delivered = [event for event in events if event.id not in failures]
    _mark_delivered(delivered)
    return len(delivered)


def _mark_delivered(events: Sequence[Claimed]) -> None:
    if events:
        mark = "UPDATE core_outboxevent SET delivered_at = %s, last_error = '' WHERE id = ANY(%s)"
        sql.change(mark, [clock.now(), [event.id for event in events]])


def _failed(event: Claimed, error: Exception, now: datetime) -> None:
    reason = f"{type(error).__name__}: {error}"[:500]
    about = {"eventId": event.id, "topic": event.topic, "reason": reason}
    mine = OutboxEvent.objects.filter(pk=event.id, delivered_at__isnull=True)
    attempt = event.attempt
    if isinstance(error, NotYet) and not error.tried:
        attempt -= 1
    with context.under_request(event.request_id or str(event.id)):
        if attempt >= MAX_ATTEMPTS:
            mine.update(parked_at=now, last_error=reason)
            logger.error("outbox event parked", extra=about)
            return
        pause = error.after if isinstance(error, NotYet) and error.after else backoff(attempt)
        mine.update(attempts=attempt, due_at=now + pause, held_until=None, last_error=reason)
        logger.warning("outbox event failed", extra={**about, "attempt": attempt})


def due(now: datetime, limit: int = 500) -> list[UUID]:
    """Ids of events that are due and not leased, oldest first."""
    waiting = OutboxEvent.objects.filter(due_at__lte=now, delivered_at__isnull=True, parked_at__isnull=True)
    return list(waiting.order_by("due_at", "id").values_list("pk", flat=True)[:limit])


def relay(*, now: datetime) -> int:
    """Send everything due to Celery, and hold each back while the message travels. Returns how many."""
    ids = due(now)
    OutboxEvent.objects.filter(pk__in=ids, due_at__lte=now).update(due_at=now + FIRST_LEASE)
    enqueue(ids)
    return len(ids)
