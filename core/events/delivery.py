"""
What follows from an event after its commit: its effects, and the listeners of apps above the one that recorded it.

The outbox holds one row for each event that something follows from, under the event's own id. Delivering it writes
inbox entries, and outbox rows for everything that talks to a provider or runs code of another app; those are tried
again by themselves. Events that are delivered together share a transaction for each class of effects; when it fails,
each effect has a transaction of its own. An effect that fails keeps no other from happening, and brings the whole
delivery of its event back, which is safe to repeat.
"""

import base64
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from core import context
from core.crypto.sealing import CannotOpen, unseal
from core.data.ids import derived_id
from core.data.transactions import retrying
from core.events.kinds import Effect, Recorded, decode, kind_of
from core.jobs import outbox
from core.models import Event

logger = logging.getLogger("vectragrow.events")

DELIVER = "events.deliver"
LISTEN = "events.listen"
PURPOSE = "event facts"


T = TypeVar("T")
Listener = Callable[[Recorded], None]
_listeners: dict[str, dict[str, Listener]] = {}


def on(*kinds: str) -> Callable[[Listener], Listener]:
    """
    Register a listener, in the `listeners.py` of the app that listens. It is called after the commit with the event,
    again until it returns, and must come to the same when it is called twice for one `event.id`.

    :raises LookupError: there is no such kind
    """
    for kind in kinds:
        kind_of(kind)

    def register(listener: Listener) -> Listener:
        for kind in kinds:
            known = _listeners.setdefault(kind, {})
            name = name_of(listener)
            if name in known:
                raise ValueError(f"{name} listens to {kind} already")
            known[name] = listener
        return listener

    return register


def name_of(listener: Listener) -> str:
    """`investments.begin_refunds`"""
    return f"{listener.__module__.partition('.')[0]}.{listener.__name__}"


def listeners_of(kind: str) -> dict[str, Listener]:
    return _listeners.get(kind, {})


def load(event_id: UUID, sealed: str = "") -> Recorded:
    """
    An event for its effects.

    :param sealed: as the outbox carries it
    :raises Event.DoesNotExist: :raises CannotOpen: its sealed facts were sealed under a secret that is gone
    """
    return _opened(Event.objects.get(pk=event_id), sealed)


def _opened(event: Event, sealed: str) -> Recorded:
    kind = kind_of(event.kind)
    facts = decode(event.facts, kind.facts)
    if sealed:
        facts |= decode(unseal(base64.b64decode(sealed), purpose=PURPOSE), kind.sealed)
    return Recorded.of(event, facts)


@outbox.on_many(DELIVER)
def deliver(claimed: Sequence[outbox.Claimed]) -> dict[UUID, Exception]:
    """
    Everything that follows from some events, in their order.

    :returns: what the first effect that failed has raised, by event; its other effects are done
    """
    failures: dict[UUID, Exception] = {}
    rows = Event.objects.in_bulk([one.id for one in claimed])
    listening: list[tuple[Event, str]] = []
    happened: dict[type[Effect], list[tuple[Effect, Recorded]]] = {}
    for one in claimed:
        try:
            row = rows[one.id]
            listening += [(row, name) for name in listeners_of(row.kind)]
            event = _opened(row, one.facts.get("sealed", ""))
        except CannotOpen:
            logger.error("an event's sealed facts cannot be opened; its effects are dropped", extra={"eventId": one.id})
        except Exception as error:  # noqa: BLE001  (it is the failure of this event and of no other)
            failures[one.id] = error
        else:
            for effect in event.kind.effects:
                happened.setdefault(type(effect), []).append((effect, event))
    for (row, _), failure in _all_or_each(listening, _emit_listeners):
        failures.setdefault(row.pk, failure)
    for effects, pairs in happened.items():
        for (effect, event), failure in _all_or_each(pairs, effects.deliver_many):
            with context.under_request(event.request_id):
                about = {"eventId": event.id, "effect": effect.column}
                logger.warning("an effect failed", extra=about, exc_info=failure)
            failures.setdefault(event.id, failure)
    return failures


def _all_or_each(items: Sequence[T], act: Callable[[Sequence[T]], None]) -> list[tuple[T, Exception]]:
    """Do `act` for all in one transaction; if that fails, for each in one of its own. Returns those that failed."""
    if not items:
        return []
    try:
        retrying(act)(items)
    except Exception as error:  # noqa: BLE001  (of one of them)
        if len(items) == 1:
            return [(items[0], error)]
        return [failed for item in items for failed in _all_or_each([item], act)]
    return []


def _emit_listeners(listening: Sequence[tuple[Event, str]]) -> None:
    rows = []
    for event, name in listening:
        with context.under_request(event.request_id or str(event.pk)):
            row_id = derived_id(event.pk, name)
            rows.append(outbox.row(LISTEN, id=row_id, caused_by=str(event.pk), listener=name))
    outbox.emit_once(rows)


@outbox.on(LISTEN)
def listen(event_id: UUID, caused_by: str, listener: str) -> None:
    event = load(UUID(caused_by))
    function = listeners_of(event.kind.name).get(listener)
    if function is None:
        logger.warning("nobody listens any more", extra={"eventId": event.id, "listener": listener})
        return
    function(event)


def deliver_promptly(event: Recorded) -> None:
    """Right after the commit, in the process that recorded it. What fails here is done by the outbox."""
    for effect in event.kind.effects:
        if effect.is_prompt:
            try:
                effect.deliver(event)
            except Exception:
                logger.warning("left to the outbox", extra={"eventId": event.id}, exc_info=True)
