"""
What is known of a person, from every app: given out when they ask, forgotten when they leave (docs/profile.md).

Each app speaks for its own models in its `privacy.py`, which its `apps.py` loads: what of a model goes into the person's
export (`tells`), why one does not (`keeps_silent`), which files are theirs (`gives_files`), what becomes of it all when
they are erased (`forgets`), and what stands in the way of that (`objects`). A test reads every model and fails for one
with a person in it that nobody speaks for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from core.api.errors import Refusal
from core.api.names import to_camel
from core.models import AuditEntry

Rows = Iterable[Mapping[str, Any]]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Told:
    """A model's part of an export: a JSON file of rows."""

    model: type[models.Model]
    rows: Callable[[UUID], Rows]

    @property
    def file_name(self) -> str:
        """`accounts/sessions.json`"""
        return f"{self.model._meta.app_label}/{str(self.model._meta.verbose_name_plural).replace(' ', '-')}.json"


_told: dict[type[models.Model], Told] = {}
_silent: dict[type[models.Model], str] = {}
_files: list[Callable[[UUID], Iterable[tuple[str, bytes]]]] = []
_forgetting: list[Callable[..., None]] = []
_objections: list[Callable[[UUID], None]] = []
_reasons: set[type[Refusal]] = set()


def tells(
    model: type[models.Model],
    *,
    by: str = "user_id",
    fields: Sequence[str] = (),
    rows: Callable[[UUID], Rows] | None = None,
) -> None:
    """
    A person's rows of a model go into their export.

    :param by: the lookup that holds the person's id
    :param fields: the columns to give; listed, so that a new secret column is not given by accident
    :param rows: makes the rows where columns are not enough
    """

    def plain(person_id: UUID) -> Rows:
        found = model._default_manager.filter(**{by: person_id}).order_by("pk").values(*fields)
        return ({to_camel(name): value for name, value in row.items()} for row in found)

    _told[model] = Told(model, rows or plain)


def keeps_silent(model: type[models.Model], *, because: str) -> None:
    """A model with a person in it whose rows are not given out, and why."""
    _silent[model] = because


def gives_files(function: F) -> F:
    """Register `function(person_id) -> iterable of (name in the archive, content)`."""
    _files.append(function)
    return function


def forgets(function: F) -> F:
    """
    Register `function(*, person_id, now)`: take out what says who somebody was, in the caller's transaction.

    Rows that others or the law need stay, and point to an account without a name. Apps above forget first.
    """
    _forgetting.append(function)
    return function


def objects(*reasons: type[Refusal]) -> Callable[[F], F]:
    """Register `function(person_id)`, which raises one of these refusals while the person cannot be let go."""

    def register(function: F) -> F:
        _objections.append(function)
        _reasons.update(reasons)
        return function

    return register


def reasons_to_object() -> list[type[Refusal]]:
    """Every refusal that an app may object with, for the API document."""
    return sorted(_reasons, key=lambda reason: reason.code)


def everything_of(person_id: UUID) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """File names and rows of every app."""
    for told in sorted(_told.values(), key=lambda told: told.file_name):
        yield told.file_name, list(told.rows(person_id))


def files_of(person_id: UUID) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files that the person gave us."""
    for function in _files:
        yield from function(person_id)


def ask_for_objections(person_id: UUID) -> None:
    """:raises core.api.errors.Refusal: the first reason why this person cannot be erased now"""
    for function in _objections:
        function(person_id)


def forget(*, person_id: UUID, now: datetime) -> None:
    """Have every app forget a person, from the top floor down, in the caller's transaction."""
    for function in reversed(_forgetting):
        function(person_id=person_id, now=now)


def is_spoken_for(model: type[models.Model]) -> bool:
    return model in _told or model in _silent


tells(AuditEntry, by="actor_id", fields=("action", "target_type", "target_id", "created_at", "address"))
