"""
What follows from an event after its commit: its effects, and the listeners of apps above the one that recorded it.

The outbox holds one row for each event that something follows from, under the event's own id. Delivering it writes, in
a transaction of its own for each effect, inbox entries, and outbox rows for everything that talks to a provider or runs
code of another app; those are tried again by themselves. An effect that fails keeps no other from happening, and brings
the whole delivery back, which is safe to repeat.
"""

import base64
import logging
from collections.abc import Callable, Iterable
from uuid import UUID

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


@outbox.on(DELIVER)
def deliver(event_id: UUID, sealed: str = "") -> None:
    """
    Everything that follows from an event.

    :raises Exception: what the first effect that failed has raised; the others are done
    """
    row = Event.objects.get(pk=event_id)
    if listening := listeners_of(row.kind):
        _emit_listeners(event_id, listening)
    try:
        event = _opened(row, sealed)
    except CannotOpen:
        logger.error("an event's sealed facts cannot be opened; its effects are dropped", extra={"eventId": event_id})
        return
    failures = []
    for effect in event.kind.effects:
        try:
            _deliver_one(effect, event)
        except Exception as failure:
            logger.warning("an effect failed", extra={"eventId": event.id, "effect": effect.column}, exc_info=True)
            failures.append(failure)
    if failures:
        raise failures[0]


@retrying
def _emit_listeners(event_id: UUID, listening: Iterable[str]) -> None:
    outbox.emit_once(
        [
            outbox.row(LISTEN, id=derived_id(event_id, name), caused_by=str(event_id), listener=name)
            for name in listening
        ]
    )


@retrying
def _deliver_one(effect: Effect, event: Recorded) -> None:
    effect.deliver(event)


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
