"""Webhooks of providers: checked, applied once, in any order (SECURITY-GOALS 13)."""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError

from core.data.transactions import retrying
from investments.errors import UnknownProvider
from investments.models import DistributionCharge, Payment, ProviderEvent
from investments.providers import PROVIDERS, asking, gateway
from investments.providers.base import Charge, Event, OutcomeUnknown, State
from investments.services.distributions import record_charge as record_distribution_charge
from investments.services.payments import UnexpectedCharge, record_charge

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


Charged = Payment | DistributionCharge
"""What a charge pays: an investment, or a distribution."""


def _payment_of(provider: str, event: Event) -> tuple[Charged | None, str]:
    """The payment of an event, and what does not match it."""
    if event.charge is None:
        return None, ""
    ours = {"provider": provider, "key": event.key}
    payment: Charged | None = Payment.objects.select_related("investment").filter(**ours).first()
    payment = payment or DistributionCharge.objects.select_related("distribution").filter(**ours).first()
    if payment is None:
        return None, "no payment of ours"
    amount = payment.amount if isinstance(payment, DistributionCharge) else payment.investment.amount
    if event.charge.state == State.CAPTURED and event.charge.amount != amount:
        return payment, f"{event.charge.amount} instead of {amount}"
    return payment, ""


def _ask(payment: Charged, event: Event) -> tuple[Charge | None, str]:
    """
    What the provider says now. An event only triggers the question: events come late, twice and in any order, so two
    that contradict each other must end in what the provider itself says.
    """
    reported = event.charge
    if reported is None or _is_recorded(payment, reported.state):
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


def _is_recorded(payment: Charged, state: State) -> bool:
    """Whether the payment has come to that end already."""
    if payment.status == payment.Status.FAILED:
        return state in (State.DECLINED, State.CANCELLED)
    return not payment.is_open and state == State.CAPTURED


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
        record = record_distribution_charge if isinstance(payment, DistributionCharge) else record_charge
        record(payment.pk, answer, now=now)
    except UnexpectedCharge as surprise:
        return Outcome.SET_ASIDE, str(surprise)
    return (Outcome.SET_ASIDE, fault) if fault else (Outcome.APPLIED, "")
