"""
The way back: what a payment brought goes to the method that paid it, once, however often it is tried.

`request_refund` takes the money out of the campaign and holds it in the books; `send_refund` asks the provider and
books its yes. In between lies a commit, so a crash loses nothing and repeats nothing.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import Q, QuerySet

from campaigns.services.funding import return_funding
from core.data.locks import lock
from core.data.transactions import retrying
from core.events import audit
from core.jobs import outbox
from core.jobs.runner import each
from core.money import Money
from investments import books
from investments.models import InvestmentEvent, Payment, Refund, Status
from investments.providers import gateway
from investments.providers.base import OutcomeUnknown, RefundRefused
from investments.services.locks import Locked, lock_payment
from investments.services.timeline import move, note, tell_investor
from ledger.services.reservations import post_reserved

logger = logging.getLogger("vectragrow.payments")

FIRST_TRY = timedelta(seconds=30)
"""Whoever asked for the refund sends it at once; the outbox does so after this should it have died."""
QUIET = timedelta(seconds=60)
AFTER_REFUSAL = timedelta(hours=1)


def request_refund(locked: Locked, amount: Money, reason: str, *, now: datetime) -> Refund:
    """
    Hold `amount` for the way back, in the transaction that locked the payment.

    The database refuses more than was captured.
    """
    campaign, investment, payment = locked
    refund = Refund(
        payment=payment,
        reason=reason,
        amount_minor=amount.minor,
        currency=amount.currency,
        created_at=now,
        updated_at=now,
    )
    refund.reservation = books.reserve_refund(
        refund_id=refund.pk,
        investment_id=investment.pk,
        campaign_id=campaign.pk,
        provider=payment.provider,
        amount=amount,
        now=now,
    )
    refund.save(force_insert=True)
    payment.refunded_minor += amount.minor
    payment.updated_at = now
    payment.save(update_fields=["refunded_minor", "updated_at"])
    return_funding(campaign_id=campaign.pk, backer_id=investment.investor_id, amount=amount, now=now)
    withdrawn = reason == Refund.Reason.WITHDRAWN
    kind = InvestmentEvent.Kind.WITHDRAWAL_REQUESTED if withdrawn else InvestmentEvent.Kind.REFUND_REQUESTED
    note(investment, kind, now=now, amount=amount, note=reason)
    if withdrawn and not payment.held_minor:
        move(investment, Status.CANCELLED, now=now)
    outbox.emit("investments.refund", now=now, after=FIRST_TRY, refund_id=str(refund.pk))
    return refund


def send_refund(refund_id: UUID, *, now: datetime) -> bool:
    """
    Ask the provider for a refund that is due, and book its yes.

    A clear no is noted and asked again after an hour.

    :returns: False if the provider did not answer; ask again
    """
    refund = due_refunds(now).select_related("payment").filter(pk=refund_id).first()
    if refund is None:
        return True
    try:
        provider_id = gateway(refund.payment.provider).refund(
            key=refund.key,
            charge_key=refund.payment.key,
            charge_id=refund.payment.provider_id,
            amount=refund.amount,
            now=now,
        )
    except OutcomeUnknown:
        logger.warning("the provider did not answer a refund", extra={"refundId": refund_id}, exc_info=True)
        return False
    except RefundRefused as refusal:
        logger.error("the provider refused a refund", extra={"refundId": refund_id, "reason": refusal.reason})
        _note_refusal(refund_id, refund.attempt, refusal.reason, now)
        return True
    _record_refund(refund_id, provider_id, now)
    return True


def finish_refunds(*, now: datetime, limit: int = 500) -> None:
    """Send again what has been on its way for a minute without a yes."""
    quiet = Q(created_at__lte=now - QUIET) | Q(created_at__gt=now)
    waiting = due_refunds(now).filter(quiet).order_by("updated_at", "id")
    each(waiting.values_list("pk", flat=True)[:limit], partial(send_refund, now=now), what="refund")


def due_refunds(now: datetime) -> QuerySet[Refund]:
    """
    What is on its way and may be asked for now, by the present clock: a moment further ahead than we ever set one was
    set by a clock that ran ahead (`close_campaigns --at`), and does not hold anything up.
    """
    due = Q(retry_at=None) | Q(retry_at__lte=now) | Q(retry_at__gt=now + AFTER_REFUSAL)
    return Refund.objects.filter(due, status=Refund.Status.PENDING)


@retrying
def _record_refund(refund_id: UUID, provider_id: str, now: datetime) -> None:
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    locked = lock_payment(payment_id)
    refund = lock(Refund.objects).select_related("reservation").get(pk=refund_id)
    if refund.status == Refund.Status.REFUNDED:
        logger.info("refunded before", extra={"refundId": refund_id})
        return
    refund.status = Refund.Status.REFUNDED
    refund.provider_id = provider_id
    refund.failure_code = ""
    refund.updated_at = now
    refund.save(update_fields=["status", "provider_id", "failure_code", "updated_at"])
    campaign, investment, payment = locked
    note(investment, InvestmentEvent.Kind.REFUNDED, now=now, amount=refund.amount, note=refund.reason)
    if investment.status == Status.COMMITTED and not payment.held_minor and not _more_to_come(payment):
        move(investment, Status.REFUNDED, now=now)
    tell_investor(investment, campaign, "investment_refunded", now=now, amount=refund.amount)
    audit.record(
        None, "investment.refunded", investment, amount=refund.amount.text, currency=refund.currency, why=refund.reason
    )
    post_reserved(refund.reservation, now=now)


@retrying
def _note_refusal(refund_id: UUID, attempt: int, reason: str, now: datetime) -> None:
    """A clear no was an answer to this key; the next try is a new question."""
    Refund.objects.filter(pk=refund_id, attempt=attempt, status=Refund.Status.PENDING).update(
        attempt=attempt + 1, failure_code=reason[:40], retry_at=now + AFTER_REFUSAL, updated_at=now
    )


def _more_to_come(payment: Payment) -> bool:
    return payment.refunds.filter(status=Refund.Status.PENDING).exists()
