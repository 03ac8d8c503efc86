"""
Hand-written SQL for the few hot paths.

The ORM spends several times as long on putting a small statement together as PostgreSQL on running it. Columns are
taken from the models, so that a new one is never forgotten here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from core.data.statements import fetch

Statement = tuple[str, Iterable[Any]]
"""SQL and its values."""


Chosen = type[models.Model] | tuple[type[models.Model], tuple[str, ...]]
"""A model whose columns are selected, perhaps with the names of those that are left out (deferred)."""


class Read(NamedTuple):
    """A SELECT of the `columns` of each of some models, in this order, and perhaps more."""

    statement: str
    values: Iterable[Any]
    chosen: tuple[Chosen, ...] = ()


class Change(NamedTuple):
    """An UPDATE, and a function that checks how many rows it has changed."""

    statement: str
    values: Iterable[Any]
    check: Callable[[int], None] | None = None


class _Waiting:
    """What a block of `together` is going to send."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.rows: list[models.Model] = []


_waiting: ContextVar[_Waiting | None] = ContextVar("waiting_writes", default=None)


# --- Reading --------------------------------------------------------------------------------------------------------


@cache
def columns(model: type[models.Model], alias: str, without: tuple[str, ...] = ()) -> str:
    """The columns of a model, as `first` and `read` want to have them selected."""
    return ", ".join(f'{alias}."{field.column}"' for field in _fields(model, without))


@cache
def _fields(model: type[models.Model], without: tuple[str, ...] = ()) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name not in without]


def first(statement: str, values: Iterable[Any], *chosen: Chosen) -> list[Any] | None:
    """
    The first row of a statement, run prepared, that selects the `columns` of each of `chosen`, in this order, and
    perhaps more.

    :returns: an instance of each, then the other values; None without a row. Not for models with JSON columns
    """
    rows = every(statement, values, *chosen)
    return rows[0] if rows else None


def every(statement: str, values: Iterable[Any], *chosen: Chosen) -> list[list[Any]]:
    """All rows of such a statement, each as `first` gives it."""
    return [_instances(row, chosen) for row in fetch(statement, list(values))]


def read(*reads: Read) -> list[list[list[Any]]]:
    """
    Several SELECTs in one exchange with the server, in this order; each sees what is committed when its turn comes, so
    those behind one that locks see what the lock was waited for.

    :returns: the rows of each, every row as `first` gives it
    """
    with connection.cursor() as cursor:
        cursor.execute("; ".join(one.statement for one in reads), [value for one in reads for value in one.values])
        found = []
        for one in reads:
            found.append([_instances(row, one.chosen) for row in cursor.fetchall()])
            cursor.nextset()
    return found


def _instances(row: Sequence[Any], chosen: Iterable[Chosen]) -> list[Any]:
    found: list[Any] = []
    at = 0
    for one in chosen:
        model, without = one if isinstance(one, tuple) else (one, ())
        names = [field.attname for field in _fields(model, without)]
        found.append(model.from_db(connection.alias, names, row[at : at + len(names)]))
        at += len(names)
    return [*found, *row[at:]]


# --- Writing --------------------------------------------------------------------------------------------------------


@contextmanager
def together() -> Iterator[None]:
    """
    Keep what `insert`, `update` and `change` are given inside, and send it in one exchange at the end: first the rows,
    those of a model in one statement, then the changes in their order.

    So rows that everybody wants are locked for one exchange and the commit. Nothing inside may read what it wrote, and
    what PostgreSQL refuses is raised at the end. A block inside another one is part of it.
    """
    if _waiting.get() is not None:
        yield
        return
    waiting = _Waiting()
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    _send(waiting.changes, [_insertion(rows) for rows in _by_model(waiting.rows)])


def insert(*rows: models.Model, after: Sequence[Statement] = ()) -> tuple[Any, ...] | None:
    """
    Insert rows with keys of their own in one exchange with the server, or with the others of a `together`.

    Without the signals of `save`; nobody may listen to those of a model that comes here.

    :param after: what runs before them, at once
    :returns: as `execute`
    """
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    waiting = _waiting.get()
    if waiting is not None and not after:
        waiting.rows += rows
        return None
    return execute(*after, *(_insertion(some) for some in _in_turn(rows)))


def insert_missing(*rows: models.Model) -> set[Any]:
    """
    Insert rows of one model, in one exchange, except for those that a unique constraint refuses, from an earlier try of
    the caller. Without the signals of `save`, as `insert`.

    :returns: the keys of those that were inserted
    """
    if not rows:
        return set()
    statement, values = _insertion(rows)
    key = f'"{rows[0]._meta.pk.column}"'
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} ON CONFLICT DO NOTHING RETURNING {key}", list(values))
        inserted = {key for (key,) in cursor.fetchall()}
    for row in rows:
        if row.pk in inserted:
            row._state.adding, row._state.db = False, connection.alias
    return inserted


def update(row: models.Model, *names: str) -> None:
    """Write these columns of a row, in an exchange of its own or with the others of a `together`."""
    database = connections[DEFAULT_DB_ALIAS]
    fields: list[Any] = [row._meta.get_field(name) for name in names]
    values = [field.get_db_prep_save(getattr(row, field.attname), database) for field in fields]
    change(_update_of(type(row), tuple(names)), [*values, row.pk])


def change(statement: str, values: Iterable[Any], check: Callable[[int], None] | None = None) -> None:
    """
    Run an UPDATE, in an exchange of its own or with the others of a `together`.

    :param check: called with the number of changed rows; may raise
    """
    made = Change(statement, values, check)
    waiting = _waiting.get()
    if waiting is not None:
        waiting.changes.append(made)
    else:
        _send([made], [])


def execute(*statements: Statement) -> tuple[Any, ...] | None:
    """
    Run statements, each with its values, one after the other in one exchange with the server.

    :returns: the first row of the first statement, if it selects anything
    """
    values = [value for _, given in statements for value in given]
    with connection.cursor() as cursor:
        cursor.execute("; ".join(statement for statement, _ in statements), values)
        return cursor.fetchone() if cursor.description else None


def insertion(row: models.Model) -> Statement:
    """The statement that inserts a row, for `execute`."""
    return _insertion([row])


def _send(changes: Sequence[Change], insertions: Sequence[Statement]) -> None:
    statements = [*insertions, *((one.statement, one.values) for one in changes)]
    if not statements:
        return
    with connection.cursor() as cursor:
        values = [value for _, given in statements for value in given]
        cursor.execute("; ".join(statement for statement, _ in statements), values)
        for _ in insertions:
            cursor.nextset()
        for one in changes:
            if one.check is not None:
                one.check(cursor.rowcount)
            cursor.nextset()


def _in_turn(rows: Iterable[models.Model]) -> Iterator[list[models.Model]]:
    """Rows in their order, neighbours of one model together."""
    return (list(some) for _, some in groupby(rows, key=type))


def _by_model(rows: Iterable[models.Model]) -> Iterable[list[models.Model]]:
    """All rows of a model together, models in the order of their first rows."""
    found: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        found.setdefault(type(row), []).append(row)
    return found.values()


def _insertion(rows: Sequence[models.Model]) -> Statement:
    """The statement that inserts rows of one model."""
    database = connections[DEFAULT_DB_ALIAS]  # itself: fields ask it a lot, and its proxy is slow
    fields = rows[0]._meta.concrete_fields
    into, places = _insert_into(type(rows[0]))
    values = [field.get_db_prep_save(field.pre_save(row, True), database) for row in rows for field in fields]
    return into + ", ".join([places] * len(rows)), values


@cache
def _insert_into(model: type[models.Model]) -> tuple[str, str]:
    names = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    places = ", ".join(["%s"] * len(model._meta.concrete_fields))
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ', f"({places})"


@cache
def _update_of(model: type[models.Model], names: tuple[str, ...]) -> str:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    places = ", ".join(f'"{field.column}" = %s' for field in fields)
    return f'UPDATE "{model._meta.db_table}" SET {places} WHERE id = %s'
