"""
One declaration per model: its part of a person's export, what erasing the person does to it, how long rows are kept.

Each app declares its models in its `privacy.py`; vectragrow/tests/test_privacy.py fails for a model without one. Within
an app a model comes before the models that point to it: erasure goes through the declarations backwards, so that the
rows that point to something are erased first, and apps above before apps below.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.module_loading import autodiscover_modules

from core.api.errors import Refusal
from core.data.ids import first_id_at

Rows = Iterable[Mapping[str, Any]]
Files = Iterable[tuple[str, Iterable[bytes]]]
F = TypeVar("F", bound=Callable[[UUID], None])


@dataclass(frozen=True, slots=True)
class Withheld:
    """Not in the export, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Erasing a person deletes their rows."""


@dataclass(frozen=True, slots=True)
class Cascade:
    """A row goes together with the row that this foreign key points to; the database sees to it."""

    field: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows stay, and why: when a person is erased, or for as long as the platform runs."""

    why: str


@dataclass(frozen=True, slots=True)
class DeleteAfter:
    """
    Rows are deleted `period` after the moment in the column `since`.

    :param since: a column of moments; `pk` reads the moment in a UUIDv7 key, for which its index serves
    :param where: only rows that fulfil this
    """

    period: timedelta
    since: str = "created_at"
    where: Q = field(default_factory=Q)

    def due(self, model: type[models.Model], now: datetime) -> QuerySet[Any]:
        cutoff = now - self.period
        return model._default_manager.filter(
            self.where, **{f"{self.since}__lt": first_id_at(cutoff) if self.since == "pk" else cutoff}
        )


Export = Sequence[str] | Callable[[UUID], Rows] | Withheld
Erase = Delete | Cascade | Kept | Callable[..., None]
Retention = DeleteAfter | Cascade | Kept | Callable[..., int]


@dataclass(frozen=True, slots=True)
class Declaration:
    model: type[models.Model]
    person: str | None
    export: Export
    erase: Erase
    retention: tuple[Retention, ...]
    files: Callable[[UUID], Files] | None
    about: str = ""
    """For a model without personal data: what it holds."""

    @property
    def name(self) -> str:
        """`accounts/sessions`: the name of its file in an export, and of its line in the report of `retention_run`."""
        return f"{self.model._meta.app_label}/{str(self.model._meta.verbose_name_plural).replace(' ', '-')}"


_declarations: dict[type[models.Model], Declaration] = {}
_blockers: list[Callable[[UUID], None]] = []
_blocking_refusals: set[type[Refusal]] = set()


def declare(
    model: type[models.Model],
    *,
    person: str | None = None,
    export: Export,
    erase: Erase,
    retention: Retention | Sequence[Retention],
    files: Callable[[UUID], Files] | None = None,
) -> None:
    """
    Declare a model with personal data.

    :param person: the lookup that holds the person's id, for columns to export and for `Delete`
    :param export: columns, listed so that a new secret column is not exported by accident; a function from the person's
        id to rows with camelCase names; or `Withheld`
    :param erase: what becomes of it when the person is erased; a function takes `person_id` and `now`, and runs in the
        transaction of the erasure
    :param retention: how long a row is kept whatever the person does; a function takes `now`, returns how many rows it
        took out, and is safe to repeat and to run side by side
    :param files: from the person's id to names and contents of files for the export
    :raises ValueError: the declaration cannot be carried out
    """
    rules = tuple(retention) if isinstance(retention, Sequence) else (retention,)
    columns = not isinstance(export, Withheld) and not callable(export)
    if person is None and (columns or isinstance(erase, Delete)):
        raise ValueError(f"{model.__name__}: columns and Delete need the lookup of the person")
    _check(model, erase, *rules)
    _add(Declaration(model, person, export, erase, rules, files))


def declare_impersonal(model: type[models.Model], *, about: str, retention: Retention | Sequence[Retention]) -> None:
    """Declare a model without personal data. `about` says what it holds."""
    rules = tuple(retention) if isinstance(retention, Sequence) else (retention,)
    _check(model, *rules)
    _add(Declaration(model, None, Withheld(about), Kept(about), rules, None, about))


def blocks_erasure(*refusals: type[Refusal]) -> Callable[[F], F]:
    """Register `function(person_id)`, which raises one of these refusals while the person must not be erased."""

    def register(function: F) -> F:
        _blockers.append(function)
        _blocking_refusals.update(refusals)
        return function

    return register


def every_declaration() -> list[Declaration]:
    """Each declaration, lower apps first whatever was imported first; in an app in the order of its `privacy.py`."""
    _load()
    order = {config.label: place for place, config in enumerate(apps.get_app_configs())}
    return sorted(_declarations.values(), key=lambda declaration: order[declaration.model._meta.app_label])


def blockers() -> list[Callable[[UUID], None]]:
    _load()
    return _blockers


def blocking_refusals() -> list[type[Refusal]]:
    """Every refusal that `DELETE /api/profile` may answer because an app blocks it, for the API document."""
    _load()
    return sorted(_blocking_refusals, key=lambda refusal: refusal.code)


def _load() -> None:
    """Import every app's declarations, lower apps first."""
    import_module("core.privacy.core_models")
    autodiscover_modules("privacy")


def _add(declaration: Declaration) -> None:
    if declaration.model in _declarations:
        raise ValueError(f"{declaration.model.__name__} is declared twice")
    _declarations[declaration.model] = declaration


def _check(model: type[models.Model], *rules: Any) -> None:
    """:raises ValueError: a rule names a column that is not there, or that does something else"""
    for rule in rules:
        if isinstance(rule, DeleteAfter):
            column = model._meta.get_field("id" if rule.since == "pk" else rule.since)
            if not isinstance(column, models.DateTimeField | models.UUIDField):
                raise ValueError(f"{model.__name__}.{rule.since} holds no moment")
        elif isinstance(rule, Cascade):
            key: Any = model._meta.get_field(rule.field)
            if key.remote_field is None or key.remote_field.on_delete is not models.CASCADE:
                raise ValueError(f"{model.__name__}.{rule.field} does not delete with the row that it points to")
