"""
SQL in files, run prepared: the reads that every client makes all day (docs/reading.md).

A file holds one statement. `:name` is a parameter, written with its type (`:viewer::uuid`). A line that ends with
`-- if a, b` counts only when both are given: each combination is a statement of its own, which PostgreSQL plans for
what it really does, where one with `(:a IS NULL OR ...)` gets a plan for the worst case. `:limit` becomes a number in
the text, since the plan depends on it. `-- plan each time with: a, b` names conditions whose values differ so much
that no plan is kept. `-- include app/sql/x.part.sql` stands for the text of another file: a rule that several
statements have in common is written once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connection, connections
from psycopg.rows import RowFactory, namedtuple_row, tuple_row
from psycopg.types.numeric import Int8

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = 512
"""How many texts of one file are kept."""

_CONDITION = re.compile(r"--\s*if\s+([a-z_]+(?:\s*,\s*[a-z_]+)*)\s*$")
_INCLUDE = re.compile(r"^\s*-- include (\S+\.part\.sql)$", re.MULTILINE)
_UNEVEN = re.compile(r"^-- plan each time with: (.+)$", re.MULTILINE)
_COMMENT = re.compile(r"\s*--.*$")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)\b")


class _Prepared:
    """
    Sends values beside the statement and not inside it, as Django's cursor does, so that the server can keep the plan.
    Results come in PostgreSQL's binary form, for which psycopg has the faster loaders.
    """

    keeps_plan = True

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        prepare = self.keeps_plan and settings.DATABASE_PREPARED_STATEMENTS
        return super().execute(query, params, prepare=prepare, binary=True)  # type: ignore[misc]


class PreparedCursor(_Prepared, psycopg.Cursor[Any]):
    """For `%s` and `%(name)s`."""


class NumberedCursor(_Prepared, psycopg.RawCursor[Any]):
    """For `$1`, PostgreSQL's own form, which nobody has to parse: psycopg keeps no long text that it has parsed."""


def fetch(
    statement: str,
    values: Mapping[str, Any] | Sequence[Any],
    *,
    cursor: type[PreparedCursor] | type[NumberedCursor] = PreparedCursor,
    row_factory: RowFactory[Any] = tuple_row,
    keeps_plan: bool = True,
) -> list[Any]:
    """
    The rows of a SELECT, run prepared (if it `keeps_plan`) on Django's connection: its transaction, its time limits,
    its errors (`django.db.OperationalError` and so on), its query log.

    :param values: for the placeholders that the `cursor` takes
    """
    try:
        return _fetch(statement, values, cursor, row_factory, keeps_plan)
    except NotSupportedError:
        # "cached plan must not change result type": a migration altered a column since this connection prepared it.
        if connection.in_atomic_block:
            raise  # the rollback makes psycopg forget what is prepared, so that the next try is right
        with connection.cursor() as plain:
            plain.execute("DEALLOCATE ALL")  # psycopg sees it, and forgets as well
        return _fetch(statement, values, cursor, row_factory, keeps_plan)


def _fetch(statement: str, values: Any, cursor: Any, row_factory: RowFactory[Any], keeps_plan: bool) -> list[Any]:
    wrapper = connections[DEFAULT_DB_ALIAS]
    wrapper.ensure_connection()
    prepared = cursor(wrapper.connection, row_factory=row_factory)
    prepared.keeps_plan = keeps_plan
    rows: list[Any]
    if wrapper.execute_wrappers or wrapper.queries_logged:
        with wrapper._prepare_cursor(prepared) as wrapped:  # type: ignore[attr-defined]
            wrapped.execute(statement, values)
            rows = wrapped.fetchall()
        return rows
    # What Django's cursor does, without its layers: they are a fifth of what a short read costs.
    wrapper.validate_no_broken_transaction()
    with wrapper.wrap_database_errors:
        prepared.execute(statement, values)
        rows = prepared.fetchall()
    return rows


class Statement:
    """The statement of a file, with the variants that its conditions make."""

    def __init__(self, text: str) -> None:
        self.lines = list(_lines(text))
        self.conditions = frozenset[str]().union(*(condition for _, condition in self.lines))
        self.names = self.conditions.union(_PARAMETER.findall("\n".join(line for line, _ in self.lines)))
        uneven = _UNEVEN.search(text)
        self.uneven = frozenset(re.findall(r"[a-z_]+", uneven[1])) if uneven else frozenset[str]()
        self._variant = lru_cache(VARIANTS)(self.variant)
        self._row_makers: dict[tuple[str, int], Any] = {}

    def rows(self, **values: Any) -> list[Any]:
        """
        The rows, each a named tuple of its columns.

        :param values: of parameters and conditions; None and False count as not given
        :raises TypeError: a name that the file does not have, or a parameter without a value
        """
        if unknown := values.keys() - self.names:
            raise TypeError(f"the statement has no {', '.join(sorted(unknown))}")
        given = frozenset(name for name in self.conditions if values.get(name) not in (None, False))
        text, names = self._variant(given, values.get("limit"))
        if missing := names.keys() - values.keys():
            raise TypeError(f"the statement needs {', '.join(sorted(missing))}")
        return fetch(
            text,
            [Int8(values[name]) if type(values[name]) is int else values[name] for name in names],
            cursor=NumberedCursor,
            row_factory=partial(self._row_maker, text),
            keeps_plan=given.isdisjoint(self.uneven),
        )

    def _row_maker(self, text: str, cursor: Any) -> Any:
        """psycopg's maker of named tuples, made once for a text: it always has the same columns."""
        if cursor.pgresult is None or not cursor.pgresult.nfields:
            return namedtuple_row(cursor)
        key = text, cursor.pgresult.nfields  # those of a plan, when somebody has it explained, are others
        if key not in self._row_makers:
            self._row_makers[key] = namedtuple_row(cursor)
        return self._row_makers[key]

    def variant(self, given: frozenset[str], limit: int | None = None) -> tuple[str, dict[str, None]]:
        """The text when these conditions are given, and the names that stand for `$1`, `$2` and so on in it."""
        text = "\n".join(line for line, condition in self.lines if condition <= given)
        if limit is not None:
            text = re.sub(r":limit\b", str(int(limit)), text)
        names = dict.fromkeys(_PARAMETER.findall(text))
        places = {name: f"${number}" for number, name in enumerate(names, 1)}
        return _PARAMETER.sub(lambda found: places[found[1]], text), names


def _lines(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Each line without its comment, and the names that have to be given for it."""
    for line in text.splitlines():
        condition = _CONDITION.search(line)
        names = frozenset(re.split(r"\s*,\s*", condition[1])) if condition else frozenset[str]()
        if bare := _COMMENT.sub("", line).strip():
            yield bare, names


def load(path: str, *, beside: Sequence[str] = ()) -> Statement:
    """
    The statement of a file, by its path from the project's root: `load("campaigns/sql/campaign_list.sql")`.

    :param beside: files that each select one more part of each row of it, which they call `page`; all in one exchange
    """
    text = _read(path)
    for number, part in enumerate(beside):
        text = f"SELECT * FROM (\n{text}\n) page CROSS JOIN LATERAL (\n{_read(part)}\n) part_{number}"
    return Statement(text)


def _read(path: str) -> str:
    """The text of a file, with the text of those that it includes."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda include: _read(include[1]), text)
