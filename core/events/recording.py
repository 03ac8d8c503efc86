"""Recording a fact: one row, and one in the outbox if something follows from it, in the caller's transaction."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction

from core import context
from core.crypto.sealing import seal
from core.data import sql
from core.events import delivery
from core.events.kinds import Kind, Recorded, decode, encode, kind_of
from core.jobs import outbox
from core.models import Event, OutboxEvent


def record(kind: str, subject: models.Model | None = None, /, *, actor: Any, now: datetime, **facts: Any) -> Event:
    """
    Write down what happened, in one exchange with PostgreSQL; what the kind declares follows after the commit.

    :param kind: `noun.past_tense`, declared in the `events.py` of the app
    :param actor: the person who did it, or None for the system (jobs, commands)
    :param facts: those that the kind declares
    :raises LookupError: there is no such kind
    :raises TypeError: another subject, or facts that are missing, unknown or of another type
    """
    written = rows(kind, subject, actor=actor, now=now, **facts)
    sql.insert(*written)
    event = written[0]
    assert isinstance(event, Event)
    return event


def rows(
    kind: str, subject: models.Model | None = None, /, *, actor: Any, now: datetime, **facts: Any
) -> list[models.Model]:
    """The rows that `record` inserts, the event first, for callers who insert them beside others of the transaction."""
    declared = kind_of(kind)
    event, follow_up = _built(declared, subject, actor, now, facts)
    if follow_up is None:
        return [event]
    _follow_after_commit(declared, [(event, facts)])
    return [event, follow_up]


def as_json(
    kind: str, subject: models.Model | None = None, /, *, actor: Any, now: datetime, **facts: Any
) -> dict[str, str]:
    """
    The rows that `record` inserts, for one statement that also does what they are about: it inserts `event` with
    `jsonb_populate_record(NULL::core_event, ...)`, and `follow_up` likewise as a `core_outboxevent`. What follows is
    delivered by the relay, some seconds later than what `record` writes; so this is for frequent small things.
    """
    event, follow_up = _built(kind_of(kind), subject, actor, now, facts)
    assert follow_up is not None, f"nothing follows from {kind}"
    return {"event": _json_of(event), "follow_up": _json_of(follow_up)}


def _json_of(row: models.Model) -> str:
    return json.dumps({field.column: getattr(row, field.attname) for field in row._meta.concrete_fields}, default=str)


def record_many(
    kind: str, happened: Iterable[tuple[models.Model | None, Mapping[str, Any]]], *, actor: Any, now: datetime
) -> list[Event]:
    """
    `record` for many subjects, each with its facts, in two statements.

    :raises LookupError: :raises TypeError: as `record`
    """
    declared = kind_of(kind)
    given = list(happened)
    built = [_built(declared, subject, actor, now, facts) for subject, facts in given]
    events = Event.objects.bulk_create([event for event, _ in built])
    follow_ups = OutboxEvent.objects.bulk_create([follow_up for _, follow_up in built if follow_up is not None])
    if follow_ups:
        _follow_after_commit(declared, [(event, facts) for event, (_, facts) in zip(events, given, strict=True)])
    return events


def _built(
    kind: Kind, subject: models.Model | None, actor: Any, now: datetime, facts: Mapping[str, Any]
) -> tuple[Event, OutboxEvent | None]:
    kind.check(subject, facts)
    event = Event(
        kind=kind.name,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        actor_id=getattr(actor, "pk", None),
        actor_label=str(getattr(actor, "role", "") or ("" if actor else "system")),
        facts=encode({name: value for name, value in facts.items() if name in kind.facts}),
        request_id=context.request_id.get(),
        address=context.client_address.get(),
        created_at=now,
        expires_at=now + kind.keep if kind.keep is not None else None,
    )
    if not kind.effects and not delivery.listeners_of(kind.name):
        return event, None
    hidden = encode({name: value for name, value in facts.items() if name in kind.sealed})
    sealed = base64.b64encode(seal(hidden, purpose=delivery.PURPOSE)).decode() if hidden else ""
    return event, outbox.row(delivery.DELIVER, id=event.pk, now=now, sealed=sealed)


def _follow_after_commit(kind: Kind, written: list[tuple[Event, Mapping[str, Any]]]) -> None:
    """Trigger delivery by the outbox, and run prompt effects at once."""
    if any(effect.is_prompt for effect in kind.effects):
        for event, facts in written:
            prompt = Recorded.of(event, decode(encode(facts), {**kind.facts, **kind.sealed}))
            transaction.on_commit(lambda prompt=prompt: delivery.deliver_promptly(prompt), robust=True)  # type: ignore[misc]
    outbox.enqueue_after_commit([event.pk for event, _ in written])
