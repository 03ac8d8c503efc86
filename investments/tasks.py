"""Outbox handlers and scheduled tasks: load by id, call one service. Each is safe to run twice and side by side."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task

from core import clock
from core.jobs import outbox
from core.jobs.runner import each
from investments.services import closing, payments, refunds

RETRY_AFTER = timedelta(seconds=30)


@outbox.on("investments.charge")
def charge(event_id: UUID, payment_id: str) -> None:
    if not payments.charge(UUID(payment_id), now=clock.now()):
        raise outbox.NotYet("the provider did not answer")


@outbox.on("investments.refund")
def refund(event_id: UUID, refund_id: str) -> None:
    if not refunds.send_refund(UUID(refund_id), now=clock.now()):
        raise outbox.NotYet("the provider did not answer")


@outbox.on("investments.close_campaign")
def close_campaign(event_id: UUID, campaign_id: str) -> None:
    if not closing.close_campaign(UUID(campaign_id), now=clock.now()):
        raise outbox.NotYet("some money is still on its way", after=RETRY_AFTER)


@shared_task(name="investments.close_campaigns")
def close_campaigns() -> None:
    closing.close_campaigns(now=clock.now())


@shared_task(name="investments.finish_payments")
def finish_payments() -> None:
    now = clock.now()
    each((payments.finish_payments, refunds.finish_refunds), lambda step: step(now=now), what="step")
