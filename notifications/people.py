"""
What this app asks about people, who belong to an app above it: who is not to hear of whom, and how people are called.
`accounts` answers (`answer_with`, called when Django starts).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Answers:
    silent_for: Callable[[UUID, Collection[UUID], datetime], set[UUID]]
    """`silent_for(actor_id, recipient_ids, now)`: those who are not notified of what this person does."""
    names_of: Callable[[Collection[UUID]], Mapping[UUID, str]]
    """Names to show; whoever was erased has none."""


_answers: Answers | None = None


def answer_with(answers: Answers) -> None:
    global _answers
    _answers = answers


def silent_for(actor_id: UUID, recipient_ids: Collection[UUID], now: datetime) -> set[UUID]:
    assert _answers is not None, "nobody has registered what is known about people"
    return _answers.silent_for(actor_id, recipient_ids, now)


@dataclass(frozen=True, slots=True)
class Actors:
    """Who did what an entry is about."""

    count: int
    newest: Sequence[tuple[UUID, str]]
    """Ids and names of the last ones, at most `SHOWN`; the very last one first."""

    @property
    def facts(self) -> dict[str, Any]:
        """For templates: `{{ actor }}{% if others %} and {{ others }} others{% endif %}`."""
        return {"actor": self.newest[0][1], "others": self.count - 1, "count": self.count}

    @property
    def data(self) -> dict[str, Any]:
        """For clients."""
        return {"count": self.count, "actors": [{"id": str(pk), "name": name} for pk, name in self.newest]}


SHOWN = 3


def actors(count: int, newest: Sequence[UUID]) -> Actors:
    """:param newest: who did it last, the very last one first; names are asked for here"""
    assert _answers is not None, "nobody has registered what is known about people"
    names = _answers.names_of(newest)
    return Actors(count, [(pk, names.get(pk, "")) for pk in newest])
