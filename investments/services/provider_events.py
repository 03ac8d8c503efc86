"""
Webhooks of providers: checked and stored by the request, applied once by the outbox, in any order (SECURITY-GOALS 13).

`receive_event` asks nobody, so it answers at once. An event that may change a payment goes through the outbox to
`apply_event`, which asks the provider what the charge or dispute is now: events come late, twice and in any order, so
two that contradict each other must end in what the provider itself says.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from core.data import sql
from core.data.transactions import retrying
from core.jobs import outbox
from core.models import OutboxEvent
from investments.errors import UnknownProvider
from investments.models import ProviderEvent
from investments.providers import PROVIDERS, asking, gateway
from investments.providers.base import Charge, Dispute as Told, Event, State
from investments.services.charging import UnexpectedCharge, charge_called, is_recorded, record_charge
from investments.services.disputes import UnexpectedDispute, ask_about_dispute, record_dispute
from investments.services.outcomes import Charged

logger = logging.getLogger("vectragrow.payments")
FINISH_AFTER = timedelta(minutes=1)
"""How long an event may wait before the finisher looks after it."""
Outcome = ProviderEvent.Outcome


@retrying
def receive_event(*, provider: str, body: bytes, headers: Mapping[str, str], now: datetime) -> UUID | None:
    """
    Take in a provider's event. A repeat has no effect; what does not fit our books is kept aside and reported.

    :param body: exactly as it came, since the signature is over its bytes
    :returns: the id of the `ProviderEvent` that the outbox applies; None if there is nothing to apply
    :raises UnknownProvider: :raises InvalidSignature: :raises UnreadableEvent:
    """
    if provider not in PROVIDERS:
        raise UnknownProvider()
    event = gateway(provider).read_event(body=body, headers=headers, now=now)
    outcome, note = _first_look(provider, event)
    kept = ProviderEvent(
        provider=provider,
        event_id=event.id,
        type=event.type,
        key=event.key,
        dispute_id=event.dispute_id,
        reported=event.charge.state if event.charge else "",
        outcome=outcome,
        note=note[:200],
        created_at=now,
    )
    if not sql.insert_missing(kept):
        logger.info("an event came again", extra={"provider": provider, "eventId": event.id})
        return None
    if outcome == Outcome.RECEIVED:
        outbox.emit_once([_own_event(kept.pk, now)])
        return kept.pk
    if outcome == Outcome.SET_ASIDE:
        _report(kept)
    return None


def _own_event(received_id: UUID, now: datetime) -> OutboxEvent:
    return outbox.row("investments.provider_event", id=received_id, now=now, received_id=str(received_id))


def _first_look(provider: str, event: Event) -> tuple[Outcome, str]:
    """What can be said of an event without asking anybody."""
    if event.concern:
        return Outcome.SET_ASIDE, event.concern
    if event.dispute_id:
        return Outcome.RECEIVED, ""
    if event.charge is None:
        return Outcome.IGNORED, "a type we have no use for"
    charged = charge_called(provider, event.key)
    if charged is None:
        return Outcome.SET_ASIDE, "no payment of ours"
    if event.charge.state == State.CAPTURED and event.charge.amount != charged.amount:
        return Outcome.SET_ASIDE, f"{event.charge.amount} instead of {charged.amount}"
    if is_recorded(charged, event.charge.state):
        return Outcome.APPLIED, ""
    return Outcome.RECEIVED, ""


def apply_event(received_id: UUID, *, now: datetime) -> None:
    """
    Ask the provider about the charge or dispute of a received event, and record what it says. The second time nothing
    happens.

    :raises OutcomeUnknown: the provider did not answer; ask again
    """
    kept = ProviderEvent.objects.filter(pk=received_id, outcome=Outcome.RECEIVED).first()
    if kept is None:
        return
    if kept.dispute_id:
        _apply_dispute(kept, now)
        return
    with asking(kept.provider) as provider:
        answer = provider.find(key=kept.key)
    _apply(kept, answer, now)


def quiet_events(now: datetime) -> QuerySet[ProviderEvent, UUID]:
    """Ids of received events that are not applied after a minute, and of which the outbox knows nothing any more."""
    received = ProviderEvent.objects.filter(outcome=Outcome.RECEIVED, created_at__lte=now - FINISH_AFTER)
    return received.exclude(outbox.is_waiting(now)).order_by("created_at", "id").values_list("pk", flat=True)


@retrying
def apply_again(received_id: UUID, *, now: datetime) -> None:
    """Put a received event back into the outbox, which calls `apply_event`."""
    outbox.put_back(_own_event(received_id, now))


@retrying
def _apply(kept: ProviderEvent, answer: Charge | None, now: datetime) -> None:
    charged = charge_called(kept.provider, kept.key)
    try:
        if answer is not None and charged is not None:
            record_charge(charged, answer, now=now)
        note = _difference(kept, answer)
    except UnexpectedCharge as surprise:
        note = str(surprise)
    _end(kept, note)


def _apply_dispute(kept: ProviderEvent, now: datetime) -> None:
    """:raises OutcomeUnknown: the provider did not answer; ask again"""
    found, note = None, ""
    try:
        found = ask_about_dispute(kept.provider, kept.dispute_id, now=now)
    except (UnexpectedCharge, UnexpectedDispute) as surprise:
        note = str(surprise)
    _record_dispute(kept, found, note, now)


@retrying
def _record_dispute(kept: ProviderEvent, found: tuple[Charged, Told] | None, note: str, now: datetime) -> None:
    """:param found: None if there is nothing to record"""
    try:
        if found is not None:
            record_dispute(*found, now=now)
    except UnexpectedDispute as surprise:
        note = str(surprise)
    _end(kept, note)


def _end(kept: ProviderEvent, note: str) -> None:
    """In the commit that applies it. `note`: why it is set aside."""
    outcome = Outcome.SET_ASIDE if note else Outcome.APPLIED
    waiting = ProviderEvent.objects.filter(pk=kept.pk, outcome=Outcome.RECEIVED)
    if waiting.update(outcome=outcome, note=note[:200]) and note:
        kept.note = note
        _report(kept)


def _difference(kept: ProviderEvent, answer: Charge | None) -> str:
    if answer is None:
        return "the provider does not know this charge"
    if answer.state != kept.reported:
        return f"the provider itself says {answer.state}, not {kept.reported}"
    return ""


def _report(kept: ProviderEvent) -> None:
    about = {"provider": kept.provider, "eventId": kept.event_id, "why": kept.note}
    logger.error("a provider event does not fit", extra=about)
