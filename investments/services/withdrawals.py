"""
Taking money back out of an investment.

A payment that waits for 3-D Secure is given up. While the campaign is live and the cancel window open, a withdrawal
cancels that part of the commitment; it goes to the method that paid it. After settlement only returned money can be
withdrawn, to any method of one's own (`services.payouts`). Nobody is asked for KYC: money goes back to its owner in any
case.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import User
from campaigns.models import Status as CampaignStatus
from campaigns.services.early_close import lock_by_clock
from campaigns.services.funding import lock_backing
from campaigns.verdicts import Verdict
from core import events
from core.api.rendering import utc_text
from core.api.requests import Ticket
from core.data.transactions import retrying
from core.money import Money
from investments.access import access_investment, access_payment_method, is_disputed
from investments.errors import (
    CancelWindowClosed,
    PaymentDisputed,
    PayoutDeclined,
    RefundToOriginalOnly,
    RemainderBelowMinimum,
    WholePaymentOnly,
    WithdrawalTooLarge,
)
from investments.models import Payment, Payout, Refund, Status, cancellable_until
from investments.services.charging import finish
from investments.services.locks import Locked, lock_payment
from investments.services.outcomes import go_on
from investments.services.payouts import begin_payout, send_payout
from investments.services.refunds import request_refunds, send_refund


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """
    What an investor asked back: a refund, a payout, or a payment given up before it was made (`cancelled`, as is a
    refund whose money a dispute has taken).
    """

    id: UUID
    investment_id: UUID
    amount: Money
    status: str
    created_at: datetime
    failure_code: str = ""
    """Of a payout that the provider has refused."""
    fee_minor: int = 0
    """What of the fee goes back on top of the amount."""

    CANCELLED = "cancelled"

    @classmethod
    def of_refund(cls, refund: Refund) -> "Withdrawal":
        is_void = refund.status == Refund.Status.VOIDED
        status = cls.CANCELLED if is_void else refund.status
        return cls(
            *(refund.pk, refund.payment.investment_id, refund.amount, status, refund.created_at),
            fee_minor=refund.fee_minor,
        )

    @classmethod
    def of_payout(cls, payout: Payout) -> "Withdrawal":
        return cls(
            payout.pk, payout.investment_id, payout.amount, payout.status, payout.created_at, payout.failure_code
        )

    @classmethod
    def of_payment(cls, payment: Payment) -> "Withdrawal":
        """The provider may have taken the money meanwhile; then it is on its way back."""
        refund = payment.refunds.filter(reason=Refund.Reason.WITHDRAWN).order_by("id").first()
        status = str(Refund.Status.PENDING)
        if refund is not None:
            status = cls.of_refund(refund).status
        elif payment.status == Payment.Status.FAILED:
            status = cls.CANCELLED
        at = payment.withdrawn_at or payment.updated_at
        fee_minor = refund.fee_minor if refund is not None else 0
        return cls(payment.pk, payment.investment_id, payment.investment.amount, status, at, fee_minor=fee_minor)


def withdraw_from_investment(
    *,
    investor: User,
    investment_id: UUID,
    amount: Decimal,
    payment_method_id: UUID,
    ticket: Ticket,
    now: datetime,
) -> Withdrawal:
    """
    Ask for `amount` (major units of the investment's currency) back.

    Comes back `pending` when the outcome is not known yet, whatever hindered us after the first commit. A repeat goes
    on with what `ticket.result_id` names.

    :raises NotFound: missing, or somebody else's
    :raises PaymentMethodNotFound: :raises RefundToOriginalOnly:
    :raises PayoutDeclined: :raises PayoutsNotSupported: :raises PaymentMethodExpired: of returned money
    :raises PaymentDisputed: its payment is disputed at the bank
    :raises CancelWindowClosed: :raises WithdrawalTooLarge: :raises RemainderBelowMinimum: :raises WholePaymentOnly:
    :raises OutcomeUnknown: a repeat that could not even look
    """
    begun = None
    if ticket.result_id is None:
        begun = _begin(investor, investment_id, amount, payment_method_id, ticket, now)
    begun_id: UUID = begun.id if begun is not None else ticket.result_id  # type: ignore[assignment]
    withdrawal = go_on(begun_id, act=lambda: _send(begun_id, now), look=lambda: _present(begun_id), begun=begun)
    if withdrawal.status == Refund.Status.PENDING:
        ticket.leave_open()
    if withdrawal.status == Payout.Status.FAILED:
        raise PayoutDeclined(reason=withdrawal.failure_code, payout_id=withdrawal.id)
    return withdrawal


def _send(begun_id: UUID, now: datetime) -> None:
    """Of a payout, of a refund, or of a payment that was given up."""
    if Payout.objects.filter(pk=begun_id).exists():
        send_payout(begun_id, now=now)
        return
    if not Payment.objects.filter(pk=begun_id).exists():
        send_refund(begun_id, now=now)
        return
    finish(Payment, begun_id, now=now)
    for refund_id in Refund.objects.filter(payment_id=begun_id).values_list("pk", flat=True):
        send_refund(refund_id, now=now)


def _present(begun_id: UUID) -> Withdrawal:
    payment = Payment.objects.select_related("investment").filter(pk=begun_id).first()
    if payment is not None:
        return Withdrawal.of_payment(payment)
    payout = Payout.objects.filter(pk=begun_id).first()
    if payout is not None:
        return Withdrawal.of_payout(payout)
    return Withdrawal.of_refund(Refund.objects.select_related("payment").get(pk=begun_id))


@retrying
def _begin(
    investor: User, investment_id: UUID, amount: Decimal, payment_method_id: UUID, ticket: Ticket, now: datetime
) -> Withdrawal:
    seen = access_investment(investor, investment_id)
    money = Money.of(amount, seen.currency)
    locked = lock_payment(seen.payment.pk)
    _, investment, payment = locked
    if is_disputed(payment):
        raise PaymentDisputed()
    if investment.status == Status.INVESTED:
        payout = begin_payout(
            investment, money, investor=investor, payment_method_id=payment_method_id, ticket=ticket, now=now
        )
        return Withdrawal.of_payout(payout)
    if payment_method_id != investment.method_id:
        access_payment_method(investor, payment_method_id)
        raise RefundToOriginalOnly()
    if payment.status == Payment.Status.REQUIRES_ACTION:
        return _give_up(locked, money, investor, ticket, now)
    available = payment.held_minor if investment.status == Status.COMMITTED else 0
    if money.minor > available:
        raise WithdrawalTooLarge(available=investment.text(available), currency=investment.currency)
    lock_backing(investment.campaign_id, investor.pk, now)  # before the campaign, as whoever commits beside us does
    campaign = lock_by_clock(investment.campaign_id, now=now)
    window_verdict(investment.reflection_ends_at, campaign, now).require()
    minimum = campaign.min_investment_minor or 0
    if 0 < available - money.minor < minimum:
        raise RemainderBelowMinimum(
            largest_part=investment.text(max(0, available - minimum)),
            whole=investment.text(available),
            minimum=investment.text(minimum),
            currency=investment.currency,
        )
    (refund,) = request_refunds([locked], Refund.Reason.WITHDRAWN, now=now, amount=money, locked_campaign=campaign)
    ticket.bind(refund.pk)
    return Withdrawal.of_refund(refund)


def window_verdict(reflection_ends_at: datetime | None, campaign: Any, now: datetime) -> Verdict:
    """
    Whether a commitment may be taken back now.

    :param campaign: a `Campaign`, or a row with its columns
    """
    rule = "cancel_before_deadline" if reflection_ends_at is None else "reflection"
    until = cancellable_until(reflection_ends_at, campaign, now)
    if campaign.status != CampaignStatus.LIVE or now >= until:
        return Verdict(CancelWindowClosed(until=utc_text(until)), rule)
    return Verdict(rule=rule, changes_at=until)


def _give_up(locked: Locked, money: Money, investor: User, ticket: Ticket, now: datetime) -> Withdrawal:
    """Of a payment that waits for its investor: `services.charging.finish` cancels it at the provider."""
    _, investment, payment = locked
    whole = investment.amount.text
    if money.minor > investment.amount_minor:
        raise WithdrawalTooLarge(available=whole, currency=investment.currency)
    if money.minor < investment.amount_minor:
        raise WholePaymentOnly(amount=whole, currency=investment.currency)
    if payment.withdrawn_at is None:
        payment.withdrawn_at = payment.updated_at = now
        payment.expires_at = min(payment.expires_at, now)
        payment.save(update_fields=["withdrawn_at", "expires_at", "updated_at"])
        events.record("investment.withdrawal_requested", investment, actor=investor, now=now, amount=money)
    ticket.bind(payment.pk)
    return Withdrawal.of_payment(payment)
