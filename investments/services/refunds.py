"""
The way back: what a payment brought goes to the method that paid it, once, however often it is tried.

`request_refunds` takes the money out of the campaign and holds it in the books; `send_refund` asks the provider and
books its yes. In between lies a commit, so a crash loses nothing and repeats nothing.

What goes back while the campaign is live has an event of its own in the outbox. Refunds of a campaign that ended have
one for all, which sends several at the same time; those that are not confirmed at once get one of their own too.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.models import Campaign, Status as CampaignStatus
from campaigns.services.funding import return_funding
from core import events
from core.data import sql
from core.data.ids import derived_id
from core.data.transactions import retrying
from core.jobs import outbox
from core.jobs.parallel import in_parallel
from core.models import OutboxEvent
from core.money import Money
from investments import books
from investments.access import is_disputed, open_dispute
from investments.models import HOLDING, Refund, Status
from investments.providers import asking
from investments.providers.base import LeftAlone, OutcomeUnknown, RefundRefused
from investments.services import fees
from investments.services.approvals import people_for_refund
from investments.services.locks import Locked, lock_refunds
from investments.services.outcomes import Charged
from investments.services.timeline import move, record_event
from investments.services.waiting import offer_free_places
from ledger.services.reservations import post_reserved

logger = logging.getLogger("vectragrow.payments")

FIRST_TRY = timedelta(seconds=30)
"""Whoever withdraws sends the refund at once; the outbox does so after this should it have died."""
ASK_AGAIN = timedelta(seconds=30)
"""After a call that failed or was not answered."""
AFTER_REFUSAL = timedelta(hours=1)
FINISH_AFTER = timedelta(minutes=5)
"""How long a refund may be under way before the finisher looks after it."""
PAGE = 100
PROMPT = 100
"""Of how many refunds in one go the investors are told at once; of the others a little later."""
SENDING_SECONDS = 60.0
"""How long one delivery sends the refunds of a campaign."""
GO_ON_AFTER = timedelta(seconds=1)


def request_refunds(
    payments: Sequence[Locked],
    reason: str,
    *,
    now: datetime,
    amount: Money | None = None,
    locked_campaign: Campaign | None = None,
    is_approved: bool = False,
    is_counted: bool = True,
) -> list[Refund]:
    """
    Hold the way back of payments of one campaign, in the transaction that locked them.

    The database refuses more than was captured.

    :param amount: part of the only payment; without it all that is still held of each
    :param locked_campaign: while it is live: what becomes free is offered to those who wait for it
    :param is_approved: enough people have approved it already; otherwise a large one waits for them
    :param is_counted: False: a dispute has taken it out of the campaign's sums before
    """
    campaign = locked_campaign or payments[0].campaign
    refunds = [new_refund(locked, reason, amount or locked.payment.held, now) for locked in payments]
    are_earned = campaign.status == CampaignStatus.SETTLED
    lines = {} if are_earned else fees.paid_with(locked.payment for locked in payments)
    with sql.together():
        taken: Counter[UUID] = Counter()
        for locked, refund in zip(payments, refunds, strict=True):
            fees.give_back(refund, campaign, lines)
            refund.people_needed = 0 if is_approved else people_for_refund(refund.total)
            _take_out(locked, refund, now)
            taken[locked.investment.investor_id] += refund.amount_minor
        if is_counted:
            return_funding(campaign=campaign, amounts=taken, now=now)
        if locked_campaign is not None:
            offer_free_places(locked_campaign, now=now)
        for provider, some in _by_provider(refunds):
            # Last: everybody who is paid by this provider waits from here to the commit.
            postings = books.reserve_refunds(
                campaign_id=campaign.pk,
                provider=provider,
                currency=campaign.currency,
                refunds=[
                    books.Returned(refund.pk, refund.payment.investment_id, refund.amount, refund.fee)
                    for refund in some
                ],
                now=now,
            )
            for refund, posting in zip(some, postings, strict=True):
                refund.reservation = posting
        sql.insert(*refunds)
    return refunds


_SENT_ALONE = (Refund.Reason.WITHDRAWN, Refund.Reason.NOT_RECONFIRMED, Refund.Reason.BY_STAFF)


def new_refund(locked: Locked, reason: str, amount: Money, now: datetime) -> Refund:
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
    if refund.people_needed:
        events.record(
            "investment.awaiting_approval", investment, actor=None, now=now, amount=refund.amount, reason=refund.reason
        )
        logger.warning("a refund waits for people", extra={"refundId": refund.pk, "people": refund.people_needed})
    elif refund.reason in _SENT_ALONE:
        sql.insert(_own_event(refund.pk, now, FIRST_TRY if withdrawn else timedelta(0)))


def _own_event(refund_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    return outbox.row("investments.refund", id=refund_id, now=now, after=after, refund_id=str(refund_id))


def put_in_outbox(refund_id: UUID, *, now: datetime, after: timedelta = timedelta(0)) -> None:
    """Have a refund sent after the commit: the outbox calls `send_refund`."""
    outbox.put_back(_own_event(refund_id, now, after))


def _by_provider(refunds: Iterable[Refund]) -> Iterator[tuple[str, list[Refund]]]:
    def provider(refund: Refund) -> str:
        return refund.payment.provider

    return ((name, list(some)) for name, some in groupby(sorted(refunds, key=provider), key=provider))


def send_refund(refund_id: UUID, *, now: datetime) -> timedelta | None:
    """
    Ask the provider for a refund, and book its yes. A clear no is noted, and asked again under a new key.

    :returns: None when nothing is left to do, otherwise after how long to ask again
    """
    pending = Refund.objects.filter(Refund.NOT_HELD, pk=refund_id, status=Refund.Status.PENDING)
    refund = pending.select_related("payment").first()
    if refund is None or is_disputed(refund.payment):
        return None  # the end of a dispute puts it back into the outbox
    if refund.retry_at is not None and refund.retry_at > now:
        return refund.retry_at - now
    try:
        return _send(refund, now)
    except LeftAlone:
        return ASK_AGAIN


def _send(refund: Refund, now: datetime) -> timedelta | None:
    """:raises LeftAlone: nothing was asked"""
    return ask_for_refund(
        refund.payment,
        key=refund.key,
        amount=refund.total,
        done=lambda provider_id: _record_refund(refund.payment_id, refund.pk, provider_id, now),
        refused=lambda reason: _note_refusal(refund.pk, refund.attempt, reason, now),
        now=now,
    )


def ask_for_refund(
    charged: Charged,
    *,
    key: str,
    amount: Money,
    done: Callable[[str], object],
    refused: Callable[[str], object],
    now: datetime,
) -> timedelta | None:
    """
    Ask the provider to send money of a charge back, and record its answer.

    :param key: ours, the same until the provider has clearly refused it
    :param done: records its yes, and its id of the refund
    :param refused: records its clear no and the reason, so that the next question has another key
    :returns: None when nothing is left to do, otherwise after how long to ask again
    :raises LeftAlone: nothing was asked
    """
    try:
        with asking(charged.provider) as provider:
            provider_id = provider.refund(
                key=key, charge_key=charged.key, charge_id=charged.provider_id, amount=amount, now=now
            )
    except LeftAlone:
        raise
    except OutcomeUnknown:
        logger.warning("the provider did not answer a refund", extra={"refundKey": key}, exc_info=True)
        return ASK_AGAIN
    except RefundRefused as refusal:
        logger.error("the provider refused a refund", extra={"refundKey": key, "reason": refusal.reason})
        refused(refusal.reason)
        return AFTER_REFUSAL
    done(provider_id)
    return None


@retrying
def ask_for_sending(campaign_id: UUID, *, now: datetime) -> None:
    """Have the refunds of a campaign sent, if they are not being sent already."""
    event_id = derived_id(campaign_id, "refunds")
    outbox.put_back(outbox.row("investments.send_refunds", id=event_id, now=now, campaign_id=str(campaign_id)))


def send_refunds(campaign_id: UUID, *, now: datetime) -> bool:
    """
    Send the refunds of a campaign that have no event of their own, several at the same time, for about a minute. One
    that fails or is not confirmed gets such an event.

    :returns: False if some are left, or the provider is left alone for a while
    """
    began, stop = time.monotonic(), threading.Event()

    def waiting() -> Iterator[tuple[int, Refund]]:
        for number, refund in enumerate(_refunds_to_send(campaign_id, now)):
            if time.monotonic() - began > SENDING_SECONDS:
                stop.set()
            if stop.is_set():
                return
            yield number, refund

    def send(numbered: tuple[int, Refund]) -> None:
        number, refund = numbered
        moment = now + timedelta(seconds=time.monotonic() - began)
        try:
            with outbox.in_bulk(number >= PROMPT):
                pause = _send(refund, moment)
        except LeftAlone:
            stop.set()
            return
        except Exception:
            logger.exception("a refund failed; the others go on", extra={"refundId": refund.pk})
            pause = ASK_AGAIN
        if pause is not None:
            send_again(refund.pk, now=moment, after=pause)

    in_parallel(waiting(), send)
    return not stop.is_set()


def _refunds_to_send(campaign_id: UUID, now: datetime) -> Iterator[Refund]:
    """In the order of their ids, page by page."""
    due = refunds_of_ended(campaign_id, now).select_related("payment").order_by("id")
    page = list(due[:PAGE])
    while page:
        yield from page
        page = list(due.filter(pk__gt=page[-1].pk)[:PAGE])


def refunds_of_ended(campaign_id: UUID, now: datetime) -> QuerySet[Refund]:
    """What is due of a campaign and has no event of its own."""
    mine = OutboxEvent.objects.filter(pk=OuterRef("pk"))
    return due_refunds(now).filter(~Exists(mine), payment__investment__campaign_id=campaign_id)


def quiet_refunds(now: datetime) -> QuerySet[Refund, UUID]:
    """Ids of refunds that have been on their way for five minutes, and of which the outbox knows nothing any more."""
    # `created_at` ahead of us was written by a clock that ran ahead (`close_campaigns --at`): it means nothing.
    quiet = Q(created_at__lte=now - FINISH_AFTER) | Q(created_at__gt=now)
    due = due_refunds(now).filter(quiet).exclude(outbox.is_waiting(now))
    return due.order_by("updated_at", "id").values_list("pk", flat=True)


def ask_or_raise(refund: Refund, *, now: datetime) -> None:
    """
    Ask about a refund of a payment that is disputed: it was done before, or is refused.

    :param refund: with its payment
    :raises OutcomeUnknown: the provider did not answer
    """
    if _send(refund, now) == ASK_AGAIN:
        raise OutcomeUnknown(f"no answer about {refund.key}")


def resume_refunds(refunds: Iterable[Refund], *, now: datetime) -> None:
    """Send locked refunds at once that have waited for the end of a dispute."""
    for refund in refunds:
        if refund.is_held:
            continue
        refund.retry_at, refund.updated_at = None, now
        sql.update(refund, "retry_at", "updated_at")
        put_in_outbox(refund.pk, now=now)


@retrying
def send_again(refund_id: UUID, *, now: datetime, after: timedelta = timedelta(0)) -> None:
    """`put_in_outbox` in a transaction of its own."""
    put_in_outbox(refund_id, now=now, after=after)


def due_refunds(now: datetime) -> QuerySet[Refund]:
    """What is on its way, waits for nobody, and may be asked for now: not while its payment is disputed."""
    is_due = Q(retry_at=None) | Q(retry_at__lte=now)
    pending = Refund.objects.filter(Refund.NOT_HELD, is_due, status=Refund.Status.PENDING)
    return pending.exclude(open_dispute("payment"))


@retrying
def _record_refund(payment_id: UUID, refund_id: UUID, provider_id: str, now: datetime) -> None:
    campaign, investment, payment, refunds = lock_refunds(payment_id)
    (refund,) = (one for one in refunds if one.pk == refund_id)
    if refund.status == Refund.Status.REFUNDED:
        logger.info("refunded before", extra={"refundId": refund_id})
        return
    if refund.status == Refund.Status.VOIDED:
        logger.error("a refund was done after a dispute had taken its money", extra={"refundId": refund_id})
        return
    more_to_come = any(one.status == Refund.Status.PENDING for one in refunds if one is not refund)
    is_over = investment.status in HOLDING and not payment.held_minor and not more_to_come
    is_over = is_over and not is_disputed(payment)
    refund.status = Refund.Status.REFUNDED
    refund.provider_id = provider_id
    refund.failure_code = ""
    refund.updated_at = now
    with sql.together():
        sql.update(refund, "status", "provider_id", "failure_code", "updated_at")
        if is_over:
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
