"""
Paying returned money out to a payment method of its owner: reserve and commit, ask the provider, then book or void.

What an investment has returned and nobody has paid out yet is available; its lock is held while that is looked at, so
any number of withdrawals side by side take no more. Silence of the provider means asking again with the same key; a
clear no ends the payout, and its money is available again.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from accounts.models import User
from core import events
from core.api.requests import Ticket
from core.data import locks, sql
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.jobs import outbox
from core.models import OutboxEvent
from core.money import Money
from investments import books
from investments.access import access_payment_method
from investments.errors import PaymentMethodExpired, PaymentMethodSuspended, PayoutsNotSupported, WithdrawalTooLarge
from investments.models import Investment, PaymentMethod, Payout, Return, RiskCase, SettlementPayment
from investments.providers import asking, gateway
from investments.providers.base import OutcomeUnknown, PayoutRefused
from investments.services.approvals import people_for_payout
from investments.suspensions import suspension_of
from ledger.services.reservations import post_reserved, void_reserved

logger = logging.getLogger("vectragrow.payments")

FIRST_TRY = timedelta(seconds=30)
"""The request itself asks the provider at once; the outbox asks after this should it have died."""
ASK_AGAIN = timedelta(seconds=30)
FINISH_AFTER = timedelta(minutes=1)
"""How long a payout may be under way before the finisher looks after it."""
Status = Payout.Status


def available_returns(investment: Investment) -> int:
    """What of the returns of an investment was not paid out and is not on its way, minor units."""
    returned = Return.objects.filter(investment=investment, credited_at__isnull=False)
    paid_out = Payout.objects.filter(investment=investment).exclude(status=Status.FAILED)
    return _sum(returned) - _sum(paid_out)


def _sum(rows: QuerySet[Return] | QuerySet[Payout]) -> int:
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def can_receive(method: PaymentMethod) -> bool:
    """Whether its provider pays out to methods of its type."""
    return method.type in gateway(method.provider).payout_types


def can_receive_somewhere(person: Any) -> bool:
    """Whether returned money of a person can go anywhere: to a method of theirs, or to one that they may still add."""
    methods = list(PaymentMethod.objects.of(person))
    return not methods or any(can_receive(method) for method in methods)


def begin_payout(
    investment: Investment, money: Money, *, investor: User, payment_method_id: UUID, ticket: Ticket, now: datetime
) -> Payout:
    """
    Reserve returned money of an investment, which the caller has locked; `send_payout` asks the provider.

    :raises PaymentMethodNotFound: :raises PaymentMethodExpired: :raises PaymentMethodSuspended:
    :raises PayoutsNotSupported:
    :raises WithdrawalTooLarge: more than is available
    :raises InsufficientFunds: the provider of the method holds less for us
    """
    method = access_payment_method(investor, payment_method_id)
    if method.is_expired_on(now.date()):
        raise PaymentMethodExpired()
    if not can_receive(method):
        raise PayoutsNotSupported()
    if suspension_of(method) == RiskCase.Consequence.SUSPEND_METHOD:  # a hold is about paying in
        raise PaymentMethodSuspended()
    available = available_returns(investment)
    if money.minor > available:
        raise WithdrawalTooLarge(available=investment.text(available), currency=investment.currency)
    payout_id = uuid7()
    with sql.together():
        payout = Payout(
            id=payout_id,
            investment=investment,
            method=method,
            provider=method.provider,
            amount_minor=money.minor,
            currency=money.currency,
            reservation=books.reserve_payout(
                payout_id=payout_id,
                investment_id=investment.pk,
                investor_id=investor.pk,
                provider=method.provider,
                amount=money,
                now=now,
            ),
            people_needed=people_for_payout(money),
            created_at=now,
            updated_at=now,
        )
        sql.insert(payout)
        events.record("investment.payout_requested", investment, actor=investor, now=now, amount=money)
        if payout.is_held:
            about = {"amount": money, "reason": "payout"}
            events.record("investment.awaiting_approval", investment, actor=None, now=now, **about)
        else:
            sql.insert(_own_event(payout_id, now, FIRST_TRY))
        ticket.bind(payout_id)
    return payout


def _own_event(payout_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    return outbox.row("investments.pay_out", id=payout_id, now=now, after=after, payout_id=str(payout_id))


def put_in_outbox(payout_id: UUID, *, now: datetime) -> None:
    """Have a payout sent after the commit: the outbox calls `send_payout`."""
    outbox.put_back(_own_event(payout_id, now))


def send_payout(payout_id: UUID, *, now: datetime) -> timedelta | None:
    """
    Ask the provider for a payout, and record its answer.

    :returns: None when nothing is left to do, otherwise after how long to ask again
    """
    pending = Payout.objects.filter(Payout.NOT_HELD, pk=payout_id, status=Status.PENDING)
    payout = pending.select_related("method").first()
    if payout is None:
        return None
    answer = ask_for_payout(payout, payout.method.token, now=now)
    if answer is None:
        return ASK_AGAIN
    record_payout(payout_id, *answer, now)
    return None


def ask_for_payout(row: Payout | SettlementPayment, token: str, *, now: datetime) -> tuple[str, str] | None:
    """
    Ask the provider of a payout for it, by its key.

    :param token: of the payment method that receives it
    :returns: the provider's id and the reason of its refusal, one of them empty; None if it did not answer
    """
    try:
        with asking(row.provider) as provider:
            return provider.payout(key=row.key, token=token, amount=row.amount, now=now), ""
    except OutcomeUnknown:
        logger.warning("the provider did not answer a payout", extra={"key": row.key}, exc_info=True)
        return None
    except PayoutRefused as refusal:
        logger.error("the provider refused a payout", extra={"key": row.key, "reason": refusal.reason})
        return "", refusal.reason


@retrying
def record_payout(payout_id: UUID, provider_id: str, refused: str, now: datetime) -> None:
    """:param refused: the provider's code; empty: it has paid"""
    found = Payout.objects.select_related("investment__campaign", "reservation").filter(pk=payout_id)
    payout = locks.lock(found).get()
    if payout.status != Status.PENDING:
        logger.info("paid out before", extra={"payoutId": payout_id})
        return
    investment = payout.investment
    payout.status = Status.FAILED if refused else Status.PAID
    payout.provider_id, payout.failure_code, payout.updated_at = provider_id, refused[:40], now
    about = {
        "amount": payout.amount,
        "campaign_id": investment.campaign_id,
        "campaign_title": investment.campaign.title,
        "investor_id": investment.investor_id,
    }
    with sql.together():
        sql.update(payout, "status", "provider_id", "failure_code", "updated_at")
        if refused:
            events.record("investment.payout_failed", investment, actor=None, now=now, reason=refused[:40], **about)
        else:
            events.record("investment.paid_out", investment, actor=None, now=now, **about)
        outbox.done(payout_id, now=now)
        settle = void_reserved if refused else post_reserved
        settle(payout.reservation, now=now)  # last, see docs/ledger.md on locks


def quiet_payouts(now: datetime) -> QuerySet[Payout, UUID]:
    """Ids of payouts that have been on their way for a minute, and of which the outbox knows nothing any more."""
    pending = Payout.objects.filter(Payout.NOT_HELD, status=Status.PENDING, created_at__lte=now - FINISH_AFTER)
    return pending.exclude(outbox.is_waiting(now)).order_by("created_at", "id").values_list("pk", flat=True)


@retrying
def send_payout_again(payout_id: UUID, *, now: datetime) -> None:
    """`put_in_outbox` in a transaction of its own."""
    put_in_outbox(payout_id, now=now)
