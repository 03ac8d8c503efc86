"""
The charge of an investment, from the question to the end: asked once per key, recorded once, finished in any case.

`charge` and `finish` talk to the provider and hold no lock; `record_charge` holds the locks and talks to nobody. The
request, the outbox, the finisher and the provider's own events all end in `record_charge`, in any order and number.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import Q

from campaigns.models import Status as CampaignStatus
from campaigns.services.funding import confirm_funding, release_funding
from core.data.transactions import retrying
from core.events import audit
from core.jobs.runner import each
from investments.models import Investment, InvestmentEvent, Payment, Refund, Status
from investments.providers import gateway
from investments.providers.base import Charge, OutcomeUnknown, State
from investments.services.locks import Locked, lock_payment
from investments.services.refunds import request_refund
from investments.services.timeline import move, note, tell_investor
from ledger.services.reservations import post_reserved, void_reserved
from notifications.services import notify

logger = logging.getLogger("vectragrow.payments")

QUIET = timedelta(seconds=60)
"""How long a payment may be under way before the finisher looks after it."""


class UnexpectedCharge(Exception):
    """The provider says something of a payment that cannot be: another amount, or money we had given up."""


def charge(payment_id: UUID, *, now: datetime) -> bool:
    """
    Ask the provider for the money of a pending payment and record what it says.

    :returns: False if the provider did not answer; ask again
    """
    payment = Payment.objects.select_related("investment__method").get(pk=payment_id)
    if payment.status != Payment.Status.PENDING:
        return True
    try:
        answer = gateway(payment.provider).charge(
            key=payment.key, token=payment.investment.method.token, amount=payment.investment.amount, now=now
        )
    except OutcomeUnknown:
        logger.warning("the provider did not answer a charge", extra={"paymentId": payment_id}, exc_info=True)
        return False
    record_charge(payment_id, answer, now=now)
    if Payment.objects.filter(pk=payment_id, status=Payment.Status.PENDING, expires_at__lte=now).exists():
        return finish(payment_id, now=now)  # it was not let wait beside another one: see `_ask_for_action`
    return True


def finish(payment_id: UUID, *, now: datetime) -> bool:
    """
    Bring a payment that is under way to its end, as far as that can be known now.

    While its campaign is open and its time not up, the question is only repeated. After that, or once its investor has
    given it up, the provider is told to take nothing any more: what it has taken by then counts, the rest is given up.

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
    provider = gateway(payment.provider)
    try:
        answer = provider.find(key=payment.key) if is_open else provider.cancel(key=payment.key, now=now)
    except OutcomeUnknown:
        logger.warning("the provider did not answer about a charge", extra={"paymentId": payment_id}, exc_info=True)
        return False
    if answer is not None:
        record_charge(payment_id, answer, now=now)
    return True


def finish_payments(*, now: datetime, limit: int = 500) -> int:
    """Look after every payment that has been quiet for a minute or whose time is up. Returns how many are done."""
    waiting = Payment.objects.filter(status__in=[Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION])
    # `updated_at` ahead of us was written by a clock that ran ahead (`close_campaigns --at`): it tells nothing.
    quiet = Q(updated_at__lte=now - QUIET) | Q(updated_at__gt=now)
    due = waiting.filter(quiet | Q(expires_at__lte=now)).order_by("updated_at", "id")
    return each(due.values_list("pk", flat=True)[:limit], partial(finish, now=now), what="payment").done


@retrying
def record_charge(payment_id: UUID, answer: Charge, *, now: datetime) -> Investment:
    """
    Write down what the provider says of a charge: money, room, status, notices, in one commit. Saying it twice changes
    nothing.

    :raises UnexpectedCharge: it contradicts what is settled; nothing is changed
    """
    locked = lock_payment(payment_id)
    payment = locked.payment
    is_final = not payment.is_open
    if answer.state == State.CAPTURED:
        if answer.amount != locked.investment.amount:
            raise UnexpectedCharge(f"{payment.key}: {answer.amount} instead of {locked.investment.amount}")
        if payment.status == Payment.Status.FAILED:
            raise UnexpectedCharge(f"{payment.key}: captured after it was given up")
        if not is_final:
            _commit(locked, answer, now)
    elif answer.state == State.REQUIRES_ACTION:
        if payment.status == Payment.Status.PENDING and not payment.withdrawn_at:
            _ask_for_action(locked, answer, now)
    elif payment.status == Payment.Status.CAPTURED:
        logger.info("an old answer about a captured payment", extra={"paymentId": payment_id})
    elif not is_final:
        _give_up(locked, answer, now)
    return locked.investment


def _commit(locked: Locked, answer: Charge, now: datetime) -> None:
    campaign, investment, payment = locked
    confirm_funding(campaign_id=campaign.pk, backer_id=investment.investor_id, amount=investment.amount, now=now)
    _write(payment, Payment.Status.CAPTURED, answer, now, captured_minor=investment.amount_minor, action_url="")
    move(investment, Status.COMMITTED, now=now)
    note(investment, InvestmentEvent.Kind.COMMITTED, now=now)
    tell_investor(investment, campaign, "investment_committed", now=now)
    notify(
        user_id=campaign.owner_id,
        kind="new_backer",
        now=now,
        campaign_id=campaign.pk,
        campaign_title=campaign.title,
        backer_name=investment.investor.name,
        amount=investment.amount,
    )
    audit.record(None, "investment.committed", investment, amount=investment.amount.text, currency=investment.currency)
    post_reserved(payment.reservation, now=now)  # last, see docs/ledger.md on locks
    if payment.withdrawn_at and campaign.status == CampaignStatus.LIVE:
        request_refund(locked, investment.amount, Refund.Reason.WITHDRAWN, now=now)


def _ask_for_action(locked: Locked, answer: Charge, now: datetime) -> None:
    """One at a time may wait for a person in a campaign; a second one, begun beside it, is given up."""
    campaign, investment, payment = locked
    waiting = Investment.objects.filter(
        campaign=campaign, investor_id=investment.investor_id, status=Status.REQUIRES_ACTION
    )
    if waiting.exists():
        payment.expires_at = now
        payment.save(update_fields=["expires_at"])
        return
    _write(payment, Payment.Status.REQUIRES_ACTION, answer, now, action_url=answer.action_url)
    move(investment, Status.REQUIRES_ACTION, now=now)
    note(investment, InvestmentEvent.Kind.REQUIRES_ACTION, now=now)
    tell_investor(investment, campaign, "investment_requires_action", now=now)


def _give_up(locked: Locked, answer: Charge, now: datetime) -> None:
    campaign, investment, payment = locked
    release_funding(campaign_id=campaign.pk, amount=investment.amount)
    reason = "withdrawn" if payment.withdrawn_at else (answer.reason or answer.state)[:40]
    _write(payment, Payment.Status.FAILED, answer, now, failure_code=reason, action_url="")
    if payment.withdrawn_at:
        move(investment, Status.CANCELLED, now=now)
        note(investment, InvestmentEvent.Kind.CANCELLED, now=now, note=reason)
        audit.record(None, "investment.cancelled", investment, reason=reason)
    else:
        move(investment, Status.FAILED, now=now)
        note(investment, InvestmentEvent.Kind.FAILED, now=now, note=reason)
        tell_investor(investment, campaign, "investment_failed", now=now)
        audit.record(None, "investment.failed", investment, reason=reason)
    void_reserved(payment.reservation, now=now)


def _write(payment: Payment, status: str, answer: Charge, now: datetime, **changes: object) -> None:
    changes = {"status": status, "provider_id": answer.provider_id, "updated_at": now, **changes}
    for name, value in changes.items():
        setattr(payment, name, value)
    payment.save(update_fields=list(changes))
