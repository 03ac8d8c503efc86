"""Celery's side of the outbox, and the floor's housekeeping."""

import logging
import time
from uuid import UUID

from celery import shared_task
from django.utils import timezone

logger = logging.getLogger("vectragrow.tasks")

PAUSE_AFTER_FAILURE = 5.0
_away_until = 0.0


def enqueue(event_id: str) -> None:
    """Send one delivery. A broker that failed is left alone for five seconds: requests must not queue up on it."""
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        deliver_event.apply_async(kwargs={"event_id": event_id}, retry=False)
    except Exception as error:
        _away_until = time.monotonic() + PAUSE_AFTER_FAILURE
        logger.warning("the broker is away; the relay will catch up", extra={"reason": str(error)})


@shared_task(name="core.deliver_event")
def deliver_event(event_id: str) -> None:
    from core import outbox

    outbox.deliver(UUID(event_id), now=timezone.now())


@shared_task(name="core.relay_outbox")
def relay_outbox() -> None:
    from core import outbox, pulse

    pulse.beat("worker")
    outbox.relay(now=timezone.now())


@shared_task(name="core.prune")
def prune() -> None:
    from core import outbox
    from core.idempotency import LIFETIME
    from core.jobs import each
    from core.models import IdempotencyKey

    now = timezone.now()

    def forget_keys() -> None:
        IdempotencyKey.objects.filter(created_at__lt=now - LIFETIME).delete()

    each((lambda: outbox.prune(now=now), forget_keys), lambda step: step(), what="step")
