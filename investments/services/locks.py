"""The locks of this app, taken in the order of docs/locking.md: user, campaign, investment, then the books'."""

from typing import NamedTuple
from uuid import UUID

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.funding import lock_campaign
from investments.models import Investment, Payment


class Locked(NamedTuple):
    campaign: Campaign
    investment: Investment
    payment: Payment


def lock_person(user_id: UUID) -> User:
    """Their standing and their payment methods stay as they are until the caller's transaction ends."""
    return User.objects.select_for_update(no_key=True).get(pk=user_id)


def lock_payment(payment_id: UUID) -> Locked:
    """The payment with all it touches, as they are now."""
    campaign_id = Payment.objects.values_list("investment__campaign_id", flat=True).get(pk=payment_id)
    campaign = lock_campaign(campaign_id)
    payment = (
        Payment.objects.select_for_update(no_key=True, of=("self", "investment"))
        .select_related("investment", "reservation")
        .get(pk=payment_id)
    )
    return Locked(campaign, payment.investment, payment)
