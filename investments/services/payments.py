"""
The charge of an investment: requested once per key, recorded once, always finished.

`charge` and `finish` talk to the provider and hold no lock; `record_charge` holds the locks and talks to nobody. The
request, the outbox and the provider's own events all end in `record_charge`, in any order and number. The finisher puts
payments back into the outbox.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from campaigns.models import Status as CampaignStatus
from campaigns.services.funding import confirm_funding, lock_campaign, release_funding
from core import events
from core.data import sql
from core.data.transactions import retrying
from core.jobs import outbox
from investments.models import Investment, Payment, Refund, Status
from investments.providers import asking
from investments.providers.base import Charge, OutcomeUnknown, State
from investments.services.locks import Locked, lock_payment
from investments.services.refunds import request_refunds
from investments.services.timeline import move, record_event
from investments.services.waiting import offer_free_places
from ledger.services.reservations import post_reserved, void_reserved

logger = logging.getLogger("vectragrow.payments")

FINISH_AFTER = timedelta(seconds=60)
"""How long a payment may be under way before the finisher looks after it."""
ASK_AGAIN = timedelta(seconds=30)
"""After a provider that did not answer."""


class UnexpectedCharge(Exception):
    """The provider says something of a payment that cannot be: another amount, or money we had given up."""


def charge(payment_id: UUID, *, now: datetime) -> bool:
    """
    Ask the provider for the money of a pending payment and record what it says.

    :returns: False if the provider did not answer; ask again
    """
    return charge_payment(Payment.objects.select_related("investment__method").get(pk=payment_id), now=now)


def charge_payment(payment: Payment, *, now: datetime) -> bool:
    """The same, of a payment that was read with its investment and method."""
    if payment.status != Payment.Status.PENDING:
        return True
    investment = payment.investment
    try:
        with asking(payment.provider) as provider:
            answer = provider.charge(
                key=payment.key,
                payer_id=investment.investor_id,
                token=investment.method.token,
                amount=payment.amount,
                now=now,
            )
    except OutcomeUnknown:
        logger.warning("the provider did not answer a charge", extra={"paymentId": payment.pk}, exc_info=True)
        return False
    recorded = record_charge(payment.pk, answer, now=now).payment
    if recorded.status == Payment.Status.PENDING and recorded.expires_at <= now:
        return finish(payment.pk, now=now)  # it was not let wait beside another one: see `_ask_for_action`
    return True


def finish(payment_id: UUID, *, now: datetime) -> bool:
    """
    Bring a payment that is under way to its end, as far as that can be known now.

    While its campaign is open and its time not up, the question is only repeated. After that, or once its investor has
    given it up, the charge is cancelled at the provider: what was captured by then counts, the rest is given up.

    :returns: False if the provider did not answer
    """
    payment = Payment.objects.select_related("investment__campaign").get(pk=payment_id)
    if not payment.is_open:
        return True
    Payment.objects.filter(pk=payment_id).update(updated_at=now)  # looked after: not again for a minute
    campaign = payment.investment.campaign
    is_open = campaign.status == CampaignStatus.LIVE and now < campaign.ends_at and now < payment.expires_at
    if is_open and payment.status == Payment.Status.PENDING:
        return charge(payment_id, now=now)
    try:
        with asking(payment.provider) as provider:
            answer = provider.find(key=payment.key) if is_open else provider.cancel(key=payment.key, now=now)
    except OutcomeUnknown:
        logger.warning("the provider did not answer about a charge", extra={"paymentId": payment_id}, exc_info=True)
        return False
    if answer is not None:
        record_charge(payment_id, answer, now=now)
    return True


def quiet_payments(now: datetime) -> QuerySet[Payment, UUID]:
    """Ids of payments under way that nobody has asked about for a minute, or whose time is up."""
    waiting = Payment.objects.filter(status__in=[Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION])
    quiet = Q(updated_at__lte=now - FINISH_AFTER) | Q(expires_at__lte=now)
    due = waiting.filter(quiet).exclude(outbox.is_waiting(now))
    return due.order_by("updated_at", "id").values_list("pk", flat=True)


@retrying
def ask_about(payment_id: UUID, *, now: datetime) -> None:
    """Put a payment back into the outbox, which calls `finish`."""
    outbox.put_back(outbox.row("investments.charge", id=payment_id, now=now, payment_id=str(payment_id)))


@retrying
def end_payment(payment_id: UUID, *, now: datetime) -> None:
    """The time of a payment under way is up: the outbox has it cancelled, unless the provider has taken the money."""
    Payment.objects.filter(pk=payment_id, expires_at__gt=now).update(expires_at=now)
    ask_about(payment_id, now=now)


@retrying
def record_charge(payment_id: UUID, answer: Charge, *, now: datetime) -> Investment:
    """
    Record the provider's answer about a charge: money, limits, status, notices, in one commit. Repeating it changes
    nothing.

    :raises UnexpectedCharge: it contradicts what is settled; nothing is changed
    """
    locked = lock_payment(payment_id)
    payment = locked.payment
    was_open = payment.is_open
    with sql.together():
        if answer.state == State.CAPTURED:
            _refuse_unexpected(locked, answer)
            if was_open:
                _commit(locked, answer, now)
        elif answer.state == State.REQUIRES_ACTION:
            if payment.status == Payment.Status.PENDING and not payment.withdrawn_at:
                _ask_for_action(locked, answer, now)
        elif payment.status == Payment.Status.CAPTURED:
            logger.info("an old answer about a captured payment", extra={"paymentId": payment_id})
        elif was_open:
            _give_up(locked, answer, now)
        if was_open and not payment.is_open:
            outbox.done(payment.pk, now=now)
    if was_open and payment.status == Payment.Status.CAPTURED and payment.withdrawn_at:
        _refund_given_up(locked, now)
    return locked.investment


def _refuse_unexpected(locked: Locked, answer: Charge) -> None:
    payment, amount = locked.payment, locked.payment.amount
    if answer.amount != amount:
        raise UnexpectedCharge(f"{payment.key}: {answer.amount} instead of {amount}")
    if payment.status == Payment.Status.FAILED:
        raise UnexpectedCharge(f"{payment.key}: captured after it was given up")


def _commit(locked: Locked, answer: Charge, now: datetime) -> None:
    campaign, investment, payment = locked
    _write(payment, Payment.Status.CAPTURED, answer, now, captured_minor=investment.amount_minor, action_url="")
    move(investment, Status.COMMITTED, now=now)
    record_event(
        "investment.committed",
        investment,
        campaign,
        now=now,
        owner_id=campaign.owner_id,
        backer_name=investment.investor.name,
    )
    # Last: everybody who invests in this campaign, or through this provider, waits from here to the commit.
    confirm_funding(campaign=campaign, backer_id=investment.investor_id, amount=investment.amount, now=now)
    post_reserved(payment.reservation, now=now)


def _refund_given_up(locked: Locked, now: datetime) -> None:
    """The provider took it all the same, after its investor had given it up."""
    campaign = lock_campaign(locked.campaign.pk)
    if campaign.status == CampaignStatus.LIVE:
        request_refunds([locked], Refund.Reason.WITHDRAWN, now=now, locked_campaign=campaign)


def _ask_for_action(locked: Locked, answer: Charge, now: datetime) -> None:
    """One at a time may wait for a person in a campaign; a second one, begun beside it, is given up."""
    campaign, investment, payment = locked
    lock_campaign(campaign.pk)
    waiting = Investment.objects.filter(
        campaign=campaign, investor_id=investment.investor_id, status=Status.REQUIRES_ACTION
    )
    if waiting.exists():
        payment.expires_at = now
        sql.update(payment, "expires_at")
        return
    _write(payment, Payment.Status.REQUIRES_ACTION, answer, now, action_url=answer.action_url)
    move(investment, Status.REQUIRES_ACTION, now=now)
    record_event("investment.requires_action", investment, campaign, now=now)


def _give_up(locked: Locked, answer: Charge, now: datetime) -> None:
    campaign, investment, payment = locked
    reason = "withdrawn" if payment.withdrawn_at else (answer.reason or answer.state)[:40]
    _write(payment, Payment.Status.FAILED, answer, now, failure_code=reason, action_url="")
    if payment.withdrawn_at:
        move(investment, Status.CANCELLED, now=now)
        events.record("investment.cancelled", investment, actor=None, now=now, amount=investment.amount, reason=reason)
    else:
        move(investment, Status.FAILED, now=now)
        record_event("investment.failed", investment, campaign, now=now, reason=reason)
    # Last: everybody who invests in this campaign waits from here to the commit.
    campaign = lock_campaign(campaign.pk)
    release_funding(campaign=campaign, amount=investment.amount)
    offer_free_places(campaign, now=now)
    void_reserved(payment.reservation, now=now)


def _write(payment: Payment, status: str, answer: Charge, now: datetime, **changes: object) -> None:
    changes = {"status": status, "provider_id": answer.provider_id, "updated_at": now, **changes}
    for name, value in changes.items():
        setattr(payment, name, value)
    sql.update(payment, *changes)
