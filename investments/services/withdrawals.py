"""
Taking money back out of an investment.

While the campaign is live and the cancel window open this cancels that part of the commitment; it goes to the method
that paid it. After settlement only returned money can be withdrawn; there is none before returns are paid.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import User
from campaigns.models import Status as CampaignStatus
from core import audit
from core.db import retrying
from core.idempotency import Ticket
from core.money import Money
from core.rendering import utc_text
from investments.access import access_investment, access_payment_method
from investments.errors import CancelWindowClosed, RefundToOriginalOnly, WithdrawalTooLarge
from investments.models import Refund, Status
from investments.services.locks import lock_payment
from investments.services.refunds import request_refund, send_refund


def withdraw_from_investment(
    *,
    investor: User,
    investment_id: UUID,
    amount: Decimal,
    payment_method_id: UUID,
    ticket: Ticket,
    now: datetime,
) -> Refund:
    """
    Ask for `amount` (major units of the investment's currency) back.

    :raises NotFound: missing, or somebody else's
    :raises PaymentMethodNotFound: :raises RefundToOriginalOnly:
    :raises CancelWindowClosed: :raises WithdrawalTooLarge:
    """
    refund_id = ticket.result_id or _begin(investor, investment_id, amount, payment_method_id, ticket, now)
    send_refund(refund_id, now=now)
    return Refund.objects.select_related("payment").get(pk=refund_id)


@retrying
def _begin(
    investor: User, investment_id: UUID, amount: Decimal, payment_method_id: UUID, ticket: Ticket, now: datetime
) -> UUID:
    seen = access_investment(investor, investment_id)
    money = Money.of(amount, seen.currency)
    locked = lock_payment(seen.payment.pk)
    campaign, investment, payment = locked
    if payment_method_id != investment.method_id:
        access_payment_method(investor, payment_method_id)
        raise RefundToOriginalOnly()
    available = payment.held_minor if investment.status == Status.COMMITTED else 0
    if money.minor > available:
        raise WithdrawalTooLarge(available=investment.text(available), currency=investment.currency)
    if campaign.status != CampaignStatus.LIVE or not investment.is_cancellable_at(now):
        raise CancelWindowClosed(until=utc_text(investment.cancellable_until))
    refund = request_refund(locked, money, Refund.Reason.WITHDRAWN, now=now)
    audit.record(investor, "investment.withdrawn", investment, amount=money.text, currency=money.currency)
    ticket.bind(refund.pk)
    return refund.pk
