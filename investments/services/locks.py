"""The locks of this app, in the order of docs/locking.md: investment and payment, then refund."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from campaigns.models import Campaign
from core.data.locks import lock
from investments.models import Investment, Payment, Refund


class Locked(NamedTuple):
    """A payment and its investment, locked, and their campaign as it was read; lock that to decide by its status."""

    campaign: Campaign
    investment: Investment
    payment: Payment


def lock_payment(payment_id: UUID) -> Locked:
    """The payment with its investment, as they are now."""
    (locked,) = lock_payments([payment_id])
    return locked


def lock_payments(payment_ids: Iterable[UUID]) -> list[Locked]:
    """Payments with their investments, in the order of their ids."""
    payments = lock(Payment.objects.filter(pk__in=list(payment_ids)), of=("self", "investment")).order_by("pk")
    joined = payments.select_related("investment__campaign", "investment__investor", "reservation")
    without = joined.defer("investment__campaign__description", "investment__campaign__search")
    return [Locked(one.investment.campaign, one.investment, one) for one in without]


def lock_refund(refund_id: UUID) -> Refund:
    """The refund, after its payment."""
    return lock(Refund.objects).select_related("reservation").get(pk=refund_id)
