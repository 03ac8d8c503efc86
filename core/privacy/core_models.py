"""The declarations of `core`'s own models."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q

from core.api.idempotency import LIFETIME
from core.jobs.outbox import KEPT
from core.models import Event, FailingItem, IdempotencyKey, OutboxEvent
from core.privacy import DeleteAfter, Kept, declare, declare_impersonal

UNDELIVERED = OutboxEvent.objects.filter(pk=OuterRef("pk"), delivered_at__isnull=True)
"""What follows from an event still waits: it is read for that."""
declare(
    Event,
    person="actor_id",
    export=("kind", "subject_type", "subject_id", "created_at", "address"),
    erase=Kept("the audit log only grows; it holds ids, and the account behind them has no name any more"),
    retention=DeleteAfter(timedelta(0), since="expires_at", where=~Q(Exists(UNDELIVERED))),
)
declare_impersonal(IdempotencyKey, about="hashes of a request and its sealed answer", retention=DeleteAfter(LIFETIME))
declare_impersonal(
    OutboxEvent,
    about="what waits to be sent: ids, and sealed facts that only the sender opens",
    retention=DeleteAfter(KEPT, since="delivered_at"),
)
declare_impersonal(
    FailingItem,
    about="items of jobs that failed: ids, and the last error",
    retention=DeleteAfter(timedelta(days=7), since="due_at", where=Q(parked_at__isnull=True)),
)
