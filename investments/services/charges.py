"""Charges by our key, whatever they pay: an investment (`services.payments`) or a distribution (`distributions`)."""

from datetime import datetime

from core.money import Money
from investments.models import DistributionCharge, Payment
from investments.providers.base import Charge, State
from investments.services import distributions, payments

Charged = Payment | DistributionCharge


def charge_called(provider: str, key: str) -> Charged | None:
    """The charge that a provider knows under this key; None if it is not ours."""
    payment = Payment.objects.select_related("investment").filter(provider=provider, key=key).first()
    if payment is not None:
        return payment
    charges = DistributionCharge.objects.select_related("distribution")
    return charges.filter(provider=provider, key=key).first()


def amount_of(charged: Charged) -> Money:
    """What was asked for."""
    return charged.amount


def is_recorded(charged: Charged, state: State) -> bool:
    """Whether it has come to that end already."""
    if charged.status == charged.Status.FAILED:
        return state in (State.DECLINED, State.CANCELLED)
    return not charged.is_open and state == State.CAPTURED


def record(charged: Charged, answer: Charge, *, now: datetime) -> None:
    """
    Write down what the provider says of it. Repeating it changes nothing.

    :raises UnexpectedCharge: it contradicts what is settled; nothing is changed
    """
    if isinstance(charged, DistributionCharge):
        distributions.record_charge(charged.pk, answer, now=now)
    else:
        payments.record_charge(charged.pk, answer, now=now)
