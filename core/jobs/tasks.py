"""Celery's side of the outbox."""

from uuid import UUID

from celery import shared_task

from core import clock
from core.jobs import heartbeat, messenger, outbox


@shared_task(name=messenger.DELIVER)
def deliver_event(event_id: str) -> None:
    outbox.deliver(UUID(event_id), now=clock.now())


@shared_task(name="core.relay_outbox")
def relay_outbox() -> None:
    heartbeat.beat("worker")
    outbox.relay(now=clock.now())
