"""
The way back: what a payment brought goes to the method that paid it, once, however often it is tried.

`request_refunds` takes the money out of the campaign and holds it in the books; `send_refund` asks the provider and
books its yes. In between lies a commit, so a crash loses nothing and repeats nothing.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from uuid import UUID

from django.db.models import Q, QuerySet

from campaigns.services.funding import return_funding
from core import events
from core.data import sql
from core.data.transactions import retrying
from core.jobs import outbox
from core.jobs.runner import each
from core.money import Money
from investments import books
from investments.models import Refund, Status
from investments.providers import gateway
from investments.providers.base import OutcomeUnknown, RefundRefused
from investments.services.locks import Locked, lock_payment, lock_refunds
from investments.services.timeline import move, record_event
from ledger.services.reservations import post_reserved

logger = logging.getLogger("vectragrow.payments")

FIRST_TRY = timedelta(seconds=30)
"""Whoever asked for the refund sends it at once; the outbox does so after this should it have died."""
FINISH_AFTER = timedelta(seconds=60)
AFTER_REFUSAL = timedelta(hours=1)


def request_refunds(
    payments: Sequence[Locked], reason: str, *, now: datetime, amount: Money | None = None
) -> list[Refund]:
    """
    Hold the way back of payments of one campaign, in the transaction that locked them.

    The database refuses more than was captured.

    :param amount: part of the only payment; without it all that is still held of each
    """
    campaign = payments[0].campaign
    with sql.together():
        refunds = [_refund(locked, reason, amount or locked.payment.held, now) for locked in payments]
        taken: Counter[UUID] = Counter()
        for locked, refund in zip(payments, refunds, strict=True):
            _take_out(locked, refund, now)
            taken[locked.investment.investor_id] += refund.amount_minor
        return_funding(campaign=campaign, amounts=taken, now=now)
        for provider, some in _by_provider(refunds):
            # Last: everybody who is paid by this provider waits from here to the commit.
            postings = books.reserve_refunds(
                campaign_id=campaign.pk,
                provider=provider,
                currency=campaign.currency,
                refunds=[(refund.pk, refund.payment.investment_id, refund.amount) for refund in some],
                now=now,
            )
            for refund, posting in zip(some, postings, strict=True):
                refund.reservation = posting
        sql.insert(*refunds)
    return refunds


def _refund(locked: Locked, reason: str, amount: Money, now: datetime) -> Refund:
    return Refund(
        payment=locked.payment,
        reason=reason,
        amount_minor=amount.minor,
        currency=amount.currency,
        created_at=now,
        updated_at=now,
    )


def _take_out(locked: Locked, refund: Refund, now: datetime) -> None:
    _, investment, payment = locked
    payment.refunded_minor += refund.amount_minor
    payment.updated_at = now
    sql.update(payment, "refunded_minor", "updated_at")
    withdrawn = refund.reason == Refund.Reason.WITHDRAWN
    if withdrawn and not payment.held_minor:
        move(investment, Status.CANCELLED, now=now)
    kind = "investment.withdrawal_requested" if withdrawn else "investment.refund_requested"
    actor = investment.investor if withdrawn else None
    events.record(kind, investment, actor=actor, now=now, amount=refund.amount, reason=refund.reason)
    sql.insert(outbox.row("investments.refund", id=refund.pk, now=now, after=FIRST_TRY, refund_id=str(refund.pk)))


def _by_provider(refunds: Iterable[Refund]) -> Iterator[tuple[str, list[Refund]]]:
    def provider(refund: Refund) -> str:
        return refund.payment.provider

    return ((name, list(some)) for name, some in groupby(sorted(refunds, key=provider), key=provider))


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
    _record_refund(refund.payment_id, refund_id, provider_id, now)
    return True


def finish_refunds(*, now: datetime, limit: int = 500) -> None:
    """Send again what has been on its way for a minute without a yes."""
    quiet = Q(created_at__lte=now - FINISH_AFTER) | Q(created_at__gt=now)
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
def _record_refund(payment_id: UUID, refund_id: UUID, provider_id: str, now: datetime) -> None:
    campaign, investment, payment = lock_payment(payment_id)
    refund, *others = lock_refunds(refund_id, payment_id)
    if refund.status == Refund.Status.REFUNDED:
        logger.info("refunded before", extra={"refundId": refund_id})
        return
    more_to_come = any(other.status == Refund.Status.PENDING for other in others)
    refund.status = Refund.Status.REFUNDED
    refund.provider_id = provider_id
    refund.failure_code = ""
    refund.updated_at = now
    with sql.together():
        sql.update(refund, "status", "provider_id", "failure_code", "updated_at")
        if investment.status == Status.COMMITTED and not payment.held_minor and not more_to_come:
            move(investment, Status.REFUNDED, now=now)
        record_event("investment.refunded", investment, campaign, now=now, amount=refund.amount, reason=refund.reason)
        outbox.done(refund.pk, now=now)
        post_reserved(refund.reservation, now=now)  # last, see docs/ledger.md on locks


@retrying
def _note_refusal(refund_id: UUID, attempt: int, reason: str, now: datetime) -> None:
    """A clear no was an answer to this key; the next try is a new question."""
    Refund.objects.filter(pk=refund_id, attempt=attempt, status=Refund.Status.PENDING).update(
        attempt=attempt + 1, failure_code=reason[:40], retry_at=now + AFTER_REFUSAL, updated_at=now
    )
