"""
Kinds of events: what may be recorded, with which facts, and what follows from it.

The app that records a kind declares it in its `events.py`, which is loaded when Django starts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, get_args, get_origin
from uuid import UUID

from django.db import models

from core import context
from core.models import Event
from core.money import Money

FactType = Any
"""`str`, `int`, `bool`, `UUID`, `datetime`, `date`, `Money`, `list[str]` and so on; one with `| None` may be absent."""


class Effect:
    """
    What follows from an event after its commit, such as a notice or a closed socket. It may be delivered twice for one
    event, and must come to the same.
    """

    column: ClassVar[str]
    """The heading of docs/events.md that lists it."""
    is_prompt: ClassVar[bool] = False
    """Whether it is also tried by the recording process itself, right after the commit."""

    def check(self, kind: "Kind") -> None:
        """:raises TypeError: the kind does not have the facts that this needs"""

    def describe(self) -> str:
        """Its line in docs/events.md."""
        raise NotImplementedError

    def deliver(self, event: "Recorded") -> None:
        """Called in a transaction of the delivery; what leaves the process does so after its commit."""
        raise NotImplementedError

    @classmethod
    def deliver_many(cls, happened: Sequence[tuple[Self, "Recorded"]]) -> None:
        """
        `deliver` of several effects of this class, each with its event, in the order of the events and in one
        transaction. When it raises, each is delivered in a transaction of its own instead.
        """
        for effect, event in happened:
            with context.under_request(event.request_id):
                effect.deliver(event)


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    """`noun.past_tense`"""
    about: type[models.Model] | None = None
    """The model of its subject, whose id is a fact too: `campaign_id` of a `Campaign`."""
    facts: Mapping[str, FactType] = field(default_factory=dict)
    """What the row keeps: nothing secret, and no words of people that must go when they leave."""
    sealed: Mapping[str, FactType] = field(default_factory=dict)
    """Facts for the effects only: they wait encrypted in the outbox and are not kept."""
    audit: bool = True
    """Whether it is a line of the audit log."""
    timeline: bool = False
    """Whether it is an entry in its subject's timeline."""
    keep: timedelta | None = None
    """
    How long its rows are kept; None: for ever. For what happens all the time and is told by other rows, such as likes;
    never for events about money, identity, access and moderation, nor for what the audit log or a timeline shows.
    """
    effects: Sequence[Effect] = ()

    @property
    def subject_key(self) -> str:
        """Under which name effects find the subject's id."""
        return f"{self.about._meta.model_name}_id" if self.about is not None else ""

    @property
    def known(self) -> set[str]:
        """Names of everything that effects can use."""
        return {*self.facts, *self.sealed, *filter(None, [self.subject_key])}

    def require(self, names: Iterable[str], what: str) -> None:
        """:raises TypeError: `what` needs a fact that events of this kind do not have"""
        if missing := sorted(set(names) - self.known):
            raise TypeError(f"{what} of {self.name} needs {', '.join(missing)}")

    def check(self, subject: models.Model | None, given: Mapping[str, Any]) -> None:
        """:raises TypeError: another subject, or facts that are missing, unknown or of another type"""
        if (self.about is None and subject is not None) or (
            self.about is not None and not isinstance(subject, self.about)
        ):
            raise TypeError(f"{self.name} is not about {type(subject).__name__}")
        declared = {**self.facts, **self.sealed}
        for name, type_ in declared.items():
            if not _fits(given.get(name), type_):
                problem = f"is no {_type_name(type_)}" if name in given else "is missing"
                raise TypeError(f"{self.name}: {name} {problem}")
        if surplus := given.keys() - declared.keys():
            raise TypeError(f"{self.name} has no {', '.join(sorted(surplus))}")

    def describe_facts(self) -> str:
        rows = [f"`{name}: {_type_name(type_)}`" for name, type_ in self.facts.items()]
        rows += [f"`{name}: {_type_name(type_)}` (sealed)" for name, type_ in self.sealed.items()]
        return ", ".join(rows)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as effects and listeners get it, with its facts in their types."""

    id: UUID
    kind: Kind
    subject_id: UUID | None
    actor_id: UUID | None
    created_at: datetime
    request_id: str
    facts: dict[str, Any]
    """Those that were given, the sealed ones too, and the subject's id. Listeners get no sealed ones."""

    @classmethod
    def of(cls, event: Event, facts: dict[str, Any]) -> "Recorded":
        kind = kind_of(event.kind)
        if kind.subject_key:
            facts = {kind.subject_key: event.subject_id, **facts}
        request_id = event.request_id or str(event.pk)
        return cls(event.pk, kind, event.subject_id, event.actor_id, event.created_at, request_id, facts)


_kinds: dict[str, Kind] = {}


def declare(*kinds: Kind) -> None:
    """
    Make kinds known.

    :raises ValueError: a name is taken, a fact is declared twice, or what a log shows has a kept time
    :raises TypeError: an effect needs a fact that is not there
    """
    for kind in kinds:
        if kind.name in _kinds:
            raise ValueError(f"{kind.name} is declared already")
        if twice := kind.facts.keys() & kind.sealed.keys():
            raise ValueError(f"{kind.name} declares {', '.join(twice)} twice")
        if kind.keep is not None and (kind.audit or kind.timeline):
            raise ValueError(f"{kind.name} is shown in a log that only grows, and is kept for ever")
        for effect in kind.effects:
            effect.check(kind)
        _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """:raises LookupError: nobody declares it"""
    try:
        return _kinds[name]
    except KeyError:
        raise LookupError(f"no event is called {name}") from None


def all_kinds() -> Iterator[Kind]:
    """By name."""
    return iter(sorted(_kinds.values(), key=lambda kind: kind.name))


def encode(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON; those that are None are left out."""
    return {name: _encoded(value) for name, value in facts.items() if value is not None}


def decode(stored: Mapping[str, Any], declared: Mapping[str, FactType]) -> dict[str, Any]:
    """Facts as they were given. What is not declared any more is left out."""
    return {name: _decoded(stored[name], type_) for name, type_ in declared.items() if name in stored}


def _is_list(type_: FactType) -> bool:
    origin: Any = get_origin(type_)
    return origin is list


def _fits(value: Any, type_: FactType) -> bool:
    if isinstance(type_, UnionType):
        return any(_fits(value, each) for each in get_args(type_))
    if _is_list(type_):
        (item,) = get_args(type_)
        return isinstance(value, list) and all(_fits(each, item) for each in value)
    if (isinstance(value, bool) and type_ is int) or (isinstance(value, datetime) and type_ is date):
        return False
    return isinstance(value, type_)


def _encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, UUID | str):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _decoded(value: Any, type_: FactType) -> Any:
    if isinstance(type_, UnionType):
        (type_,) = (each for each in get_args(type_) if each is not NoneType)
    if _is_list(type_):
        (item,) = get_args(type_)
        return [_decoded(each, item) for each in value]
    if type_ is Money:
        return Money(value["minor"], value["currency"])
    if type_ is UUID:
        return UUID(value)
    return type_.fromisoformat(value) if type_ in (datetime, date) else value


def _type_name(type_: FactType) -> str:
    return str(type_) if isinstance(type_, UnionType) or get_origin(type_) else str(type_.__name__)
