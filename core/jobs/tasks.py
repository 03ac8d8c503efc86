"""Celery's side of the outbox."""

from uuid import UUID

from celery import shared_task

from core import clock
from core.jobs import heartbeat, messenger, outbox


@shared_task(name=messenger.DELIVER)
def deliver_events(event_ids: list[str]) -> None:
    outbox.deliver_all([UUID(event_id) for event_id in event_ids], now=clock.now())


@shared_task(name="core.relay_outbox")
def relay_outbox() -> None:
    heartbeat.beat("worker")
    outbox.relay(now=clock.now())
