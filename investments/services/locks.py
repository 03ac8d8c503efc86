"""The locks of this app, taken in the order of docs/locking.md: user, campaign, investment, then the books'."""

from typing import NamedTuple
from uuid import UUID

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.funding import lock_campaign
from core.data.locks import lock
from investments.models import Investment, Payment


class Locked(NamedTuple):
    campaign: Campaign
    investment: Investment
    payment: Payment


def lock_person(user_id: UUID) -> User:
    """Their standing and their payment methods stay as they are until the caller's transaction ends."""
    return lock(User.objects).get(pk=user_id)


def lock_payment(payment_id: UUID) -> Locked:
    """The payment with all it touches, as they are now."""
    campaign_id = Payment.objects.values_list("investment__campaign_id", flat=True).get(pk=payment_id)
    (locked,) = lock_payments(campaign_id, [payment_id])
    return locked


def lock_payments(campaign_id: UUID, payment_ids: list[UUID]) -> list[Locked]:
    """Payments of one campaign, in the order of their ids."""
    campaign = lock_campaign(campaign_id)
    payments = lock(Payment.objects.filter(pk__in=payment_ids), of=("self", "investment")).order_by("pk")
    return [Locked(campaign, one.investment, one) for one in payments.select_related("investment", "reservation")]
