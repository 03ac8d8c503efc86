"""
SQL written out, for the few paths that every client takes all the time.

The ORM spends several times as long on putting a small statement together as PostgreSQL on running it. Columns are
taken from the models, so that a new one is never forgotten here.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

Statement = tuple[str, Iterable[Any]]
"""SQL and its values."""


@cache
def columns(model: type[models.Model], alias: str) -> str:
    """All columns of a model, as `first` wants to have them selected."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


@cache
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def first(statement: str, values: Iterable[Any], *chosen: type[models.Model]) -> list[Any] | None:
    """
    The first row of a statement that selects the `columns` of each of `chosen`, in this order, and perhaps more.

    :returns: an instance of each, then the other values; None without a row. Not for models with JSON columns
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        row = cursor.fetchone()
    if row is None:
        return None
    found: list[Any] = []
    at = 0
    for model in chosen:
        names = _names(model)
        found.append(model.from_db(connection.alias, names, row[at : at + len(names)]))
        at += len(names)
    return [*found, *row[at:]]


def insert(*rows: models.Model, after: Sequence[Statement] = ()) -> tuple[Any, ...] | None:
    """
    Insert rows with keys of their own, in this order, in one exchange with the server.

    Without the signals of `save`; nobody may listen to those of a model that comes here.

    :param after: what runs before them
    :returns: as `execute`
    """
    answer = execute(*after, *(insertion(row) for row in rows))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return answer


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
    database = connections[DEFAULT_DB_ALIAS]  # itself: fields ask it a lot, and its proxy is slow
    fields = row._meta.concrete_fields
    return _insert_into(type(row)), [field.get_db_prep_save(field.pre_save(row, True), database) for field in fields]


@cache
def _insert_into(model: type[models.Model]) -> str:
    names = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    places = ", ".join(["%s"] * len(model._meta.concrete_fields))
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places})'
