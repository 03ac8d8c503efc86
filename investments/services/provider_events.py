"""Webhooks of providers: checked, applied once, in any order (SECURITY-GOALS 13)."""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError

from core.data.transactions import retrying
from investments.errors import UnknownProvider
from investments.models import ProviderEvent
from investments.providers import PROVIDERS, asking, gateway
from investments.providers.base import Charge, Event, OutcomeUnknown, State
from investments.services.charges import Charged, amount_of, charge_called, is_recorded, record
from investments.services.payments import UnexpectedCharge

logger = logging.getLogger("vectragrow.payments")
Outcome = ProviderEvent.Outcome


def receive_event(*, provider: str, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
    """
    Take in a provider's event. A repeat has no effect; what does not fit our books is kept aside and reported.

    The provider is asked what the charge is now, outside of any transaction, unless we have come to that end already.

    :param body: exactly as it came, since the signature is over its bytes
    :raises UnknownProvider: :raises InvalidSignature: :raises UnreadableEvent:
    """
    if provider not in PROVIDERS:
        raise UnknownProvider()
    event = gateway(provider).read_event(body=body, headers=headers, now=now)
    if ProviderEvent.objects.filter(provider=provider, event_id=event.id).exists():
        logger.info("an event came again", extra={"provider": provider, "eventId": event.id})
        return
    payment, fault = _payment_of(provider, event)
    answer = None
    if payment is not None and not fault:
        answer, fault = _ask(payment, event)
    try:
        _apply(provider, event, payment, answer, fault, now)
    except IntegrityError as error:
        if "provider_event_is_applied_once" not in str(error):
            raise
        logger.info("an event came twice", extra={"provider": provider, "eventId": event.id})


def _payment_of(provider: str, event: Event) -> tuple[Charged | None, str]:
    """The payment of an event, and what does not match it."""
    if event.charge is None:
        return None, ""
    payment = charge_called(provider, event.key)
    if payment is None:
        return None, "no payment of ours"
    if event.charge.state == State.CAPTURED and event.charge.amount != amount_of(payment):
        return payment, f"{event.charge.amount} instead of {amount_of(payment)}"
    return payment, ""


def _ask(payment: Charged, event: Event) -> tuple[Charge | None, str]:
    """
    What the provider says now. An event only triggers the question: events come late, twice and in any order, so two
    that contradict each other must end in what the provider itself says.
    """
    reported = event.charge
    if reported is None or is_recorded(payment, reported.state):
        return reported, ""
    try:
        with asking(payment.provider) as provider:
            answer = provider.find(key=payment.key)
    except OutcomeUnknown:
        logger.warning("the provider did not answer about its event", extra={"eventId": event.id}, exc_info=True)
        return None, "the provider did not answer; the payment is looked after by the finisher"
    if answer is None:
        return None, "the provider does not know this charge"
    if answer.state != reported.state:
        return answer, f"the provider itself says {answer.state}, not {reported.state}"
    return answer, ""


@retrying
def _apply(
    provider: str, event: Event, payment: Charged | None, answer: Charge | None, fault: str, now: datetime
) -> None:
    if ProviderEvent.objects.filter(provider=provider, event_id=event.id).exists():
        logger.info("an event came again", extra={"provider": provider, "eventId": event.id})
        return
    outcome, why = _effect(event, payment, answer, fault, now)
    if outcome == Outcome.SET_ASIDE:
        logger.error("a provider event does not fit", extra={"provider": provider, "eventId": event.id, "why": why})
    ProviderEvent.objects.create(
        provider=provider,
        event_id=event.id,
        type=event.type,
        key=event.key,
        outcome=outcome,
        note=why[:200],
        created_at=now,
    )


def _effect(event: Event, payment: Charged | None, answer: Charge | None, fault: str, now: datetime) -> tuple[str, str]:
    if event.charge is None:
        return Outcome.IGNORED, "a type we have no use for"
    if payment is None or answer is None:
        return Outcome.SET_ASIDE, fault
    try:
        record(payment, answer, now=now)
    except UnexpectedCharge as surprise:
        return Outcome.SET_ASIDE, str(surprise)
    return (Outcome.SET_ASIDE, fault) if fault else (Outcome.APPLIED, "")
