"""Adding and removing what can be charged."""

from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.access import lock_person
from accounts.models import User
from core import events
from core.api.card_numbers import RawCardDataRefused
from core.data.transactions import retrying
from investments.access import access_payment_method
from investments.card_data import plain_number
from investments.errors import (
    CardExpired,
    PaymentMethodDeclined,
    PaymentMethodInUse,
    PaymentMethodSuspended,
    ProviderUnavailable,
    SetupNotNeeded,
)
from investments.models import UNDER_WAY, PaymentMethod, Payout
from investments.providers import asking, gateway
from investments.providers.base import Gateway, Instrument, MethodDeclined, OutcomeUnknown, Setup
from investments.suspensions import suspended_cards

RETRY_AFTER = timedelta(seconds=30)


def set_up_payment_method(*, owner: User, type: str, now: datetime) -> Setup:
    """
    What a person needs to enter a card in the provider's field in the browser, or a bank account on its page.

    :raises SetupNotNeeded: :raises ProviderUnavailable:
    """
    with _answering() as provider:
        setup = provider.setup(owner_id=owner.pk, type=type, now=now)
    if setup is None:
        raise SetupNotNeeded()
    return setup


def read_instrument(*, owner: User, type: str, details: dict[str, Any], now: datetime) -> Instrument:
    """
    What the provider says of a payment method. Asks the provider, so it runs outside of any transaction.

    :param details: `token`, or with the sandbox `number`, `expiry_month`, `expiry_year`, `cvv`; dropped on return
    :raises RawCardDataRefused: a number that is none of the sandbox's test cards
    :raises UnknownPaymentToken: :raises PaymentMethodDeclined: :raises CardExpired: :raises ProviderUnavailable:
    """
    instrument = _instrument(owner, type, details, now)
    if instrument.expiry_year and instrument.expiry_month:
        _refuse_expired(instrument.expiry_year, instrument.expiry_month, now.date())
    return instrument


@retrying
def add_payment_method(*, owner: User, instrument: Instrument, now: datetime) -> PaymentMethod:
    """
    Keep a payment method by its provider's token. The first one becomes the default.

    :raises PaymentMethodSuspended: a card that the person may not use again
    """
    lock_person(owner.pk)
    if instrument.fingerprint and suspended_cards(owner.pk, [instrument.fingerprint]):
        raise PaymentMethodSuspended()
    method = PaymentMethod.objects.create(
        owner=owner,
        type=instrument.type,
        provider=gateway().name,
        token=instrument.token,
        brand=instrument.brand,
        last4=instrument.last4,
        fingerprint=instrument.fingerprint,
        expiry_month=instrument.expiry_month,
        expiry_year=instrument.expiry_year,
        is_default=not PaymentMethod.objects.of(owner).filter(is_default=True).exists(),
        created_at=now,
    )
    events.record("payment_method.added", method, actor=owner, now=now, type=method.type, brand=method.brand)
    return method


@retrying
def remove_payment_method(*, owner: User, method_id: UUID, now: datetime) -> None:
    """
    Remove a payment method; what it paid stays refundable to it.

    :raises PaymentMethodNotFound:
    :raises PaymentMethodInUse: a payment with it is under way, or it is the payout target
    """
    lock_person(owner.pk)
    method = access_payment_method(owner, method_id)
    if (
        method.investments.filter(status__in=UNDER_WAY).exists()
        or method.payouts.filter(status=Payout.Status.PENDING).exists()
        or method.payout_targets.filter(Q(removed_at=None) | Q(payments__status="pending")).exists()
        or method.distribution_charges.filter(status__in=["pending", "requires_action", "refunding"]).exists()
    ):
        raise PaymentMethodInUse()
    was_default, method.is_default, method.removed_at = method.is_default, False, now
    method.save(update_fields=["is_default", "removed_at"])
    heir = PaymentMethod.objects.of(owner).order_by("-created_at", "-id").first() if was_default else None
    if heir is not None:
        heir.is_default = True
        heir.save(update_fields=["is_default"])
    events.record("payment_method.removed", method, actor=owner, now=now)


@contextmanager
def _answering() -> Iterator[Gateway]:
    """:raises ProviderUnavailable:"""
    try:
        with asking(gateway().name) as provider:
            yield provider
    except OutcomeUnknown as silence:
        raise ProviderUnavailable(retry_after=RETRY_AFTER) from silence


def _instrument(owner: User, type: str, details: dict[str, Any], now: datetime) -> Instrument:
    token = details["token"] if "number" not in details else _token_of(details["number"])
    try:
        with _answering() as provider:
            card = provider.instrument(owner_id=owner.pk, type=type, token=token, now=now)
    except MethodDeclined as refusal:
        raise PaymentMethodDeclined(field="details.token", reason=refusal.reason) from refusal
    if "number" not in details:
        return card
    return replace(card, expiry_month=details["expiry_month"], expiry_year=details["expiry_year"])


def _token_of(number: str) -> str:
    """:raises RawCardDataRefused: it is none of the provider's test cards"""
    token = gateway().test_cards.get(plain_number(number))
    if token is None:
        raise RawCardDataRefused()
    return token


def _refuse_expired(year: int, month: int, today: date) -> None:
    if today > date(year, month, monthrange(year, month)[1]):
        raise CardExpired(field="details.expiryYear")
