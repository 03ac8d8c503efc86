"""What providers tell us by themselves: checked, applied once, in any order (SECURITY-GOALS 13)."""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError

from core.db import retrying
from investments.errors import UnknownProvider
from investments.models import Payment, ProviderEvent
from investments.providers import PROVIDERS, gateway
from investments.providers.base import Event
from investments.services.payments import UnexpectedCharge, record_charge

logger = logging.getLogger("vectragrow.payments")
Outcome = ProviderEvent.Outcome


def receive_event(*, provider: str, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
    """
    Take in a provider's event. A repeat has no effect; what does not fit our books is kept aside and reported.

    :param body: exactly as it came, since the signature is over its bytes
    :raises UnknownProvider: :raises InvalidSignature: :raises UnreadableEvent:
    """
    if provider not in PROVIDERS:
        raise UnknownProvider()
    event = gateway(provider).read_event(body=body, headers=headers, now=now)
    try:
        _apply(provider, event, now)
    except IntegrityError as error:
        if "provider_event_is_applied_once" not in str(error):
            raise
        logger.info("an event came twice", extra={"provider": provider, "eventId": event.id})


@retrying
def _apply(provider: str, event: Event, now: datetime) -> None:
    if ProviderEvent.objects.filter(provider=provider, event_id=event.id).exists():
        logger.info("an event came again", extra={"provider": provider, "eventId": event.id})
        return
    outcome, why = _effect(provider, event, now)
    if outcome == Outcome.SET_ASIDE:
        logger.error("a provider event does not fit", extra={"provider": provider, "eventId": event.id, "why": why})
    ProviderEvent.objects.create(
        provider=provider,
        event_id=event.id[:100],
        type=event.type[:60],
        key=event.key[:60],
        outcome=outcome,
        note=why[:200],
        created_at=now,
    )


def _effect(provider: str, event: Event, now: datetime) -> tuple[str, str]:
    if event.charge is None:
        return Outcome.IGNORED, "a type we have no use for"
    payment = Payment.objects.filter(provider=provider, key=event.key).first()
    if payment is None:
        return Outcome.SET_ASIDE, "no payment of ours"
    try:
        record_charge(payment.pk, event.charge, now=now)
    except UnexpectedCharge as surprise:
        return Outcome.SET_ASIDE, str(surprise)
    return Outcome.APPLIED, ""
