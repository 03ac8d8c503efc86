"""Statements in files: their variants, really prepared, and as much part of Django's connection as any query."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import NotSupportedError, OperationalError, ProgrammingError, connection
from django.db.transaction import TransactionManagementError, atomic
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from core.data import statements
from core.data.postgres import PooledConnection, waiting
from core.data.statements import Statement
from core.tests.test_postgres import never_answered

NUMBERS = Statement("""
-- Numbers, biggest first.
SELECT n, now() AS at
  FROM generate_series(1, :most::int) n
 WHERE n % 2 = 0  -- if even
   AND n < :below::bigint  -- if even, below
 ORDER BY n DESC
 LIMIT :limit
""")


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def fresh(db: None) -> None:
    """Nothing is prepared yet."""
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")


def numbers(**values: Any) -> list[int]:
    return [row.n for row in NUMBERS.rows(most=6, limit=2, **values)]


def test_a_line_counts_when_everything_it_asks_for_is_given(fresh: None) -> None:
    assert numbers() == [6, 5]
    assert numbers(even=True) == [6, 4]
    assert numbers(even=True, below=6) == [4, 2]
    assert numbers(even=None, below=6) == numbers(even=False, below=6) == [6, 5]


def test_each_variant_is_prepared_once_whatever_the_size_of_its_numbers(fresh: None) -> None:
    for below in (3, 70_000, 2**40):
        numbers(even=True, below=below)
        numbers(even=True, below=below)
    assert len(prepared()) == 1
    NUMBERS.rows(most=6, limit=3)
    assert sorted(text.split()[-1] for text in prepared()) == ["2", "3"]


def test_no_plan_is_kept_for_uneven_values(fresh: None) -> None:
    statement = Statement("""
-- plan each time with: below
SELECT n FROM generate_series(1, 3) n
WHERE n < :below::bigint  -- if below
""")
    assert [row.n for row in statement.rows(below=2)] == [1]
    assert prepared() == []
    statement.rows()
    assert len(prepared()) == 1


def test_django_s_own_statements_are_not_prepared(fresh: None) -> None:
    for _ in range(10):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::int", [1])
            cursor.execute("SELECT 1")
    assert prepared() == []


def test_nothing_is_prepared_behind_an_old_pooler(fresh: None, settings: Settings) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = False
    assert numbers() == [6, 5]
    assert prepared() == []


def test_moments_are_utc(db: None) -> None:
    at = NUMBERS.rows(most=1, limit=1)[0].at
    assert at.utcoffset() == datetime.now(UTC).utcoffset()


def test_names_that_the_file_does_not_have(db: None) -> None:
    with pytest.raises(TypeError, match="odd"):
        numbers(odd=True)
    with pytest.raises(TypeError, match="most"):
        NUMBERS.rows(limit=1)


def test_it_counts_as_a_query(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1) as captured:
        numbers()
    assert "generate_series" in captured[0]["sql"]


def test_errors_are_django_s(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgrammingError), atomic():
        Statement("SELECT * FROM no_such_table").rows()
    real = PooledConnection.wait
    with monkeypatch.context() as patch, waiting.at_most(0.2):
        patch.setattr(PooledConnection, "wait", lambda self, _, *more: real(self, never_answered(), *more))
        with pytest.raises(OperationalError, match="did not answer"):
            Statement("SELECT 1").rows()


def test_it_sees_what_its_transaction_wrote_and_survives_a_rollback(fresh: None) -> None:
    name = Statement("SELECT name FROM campaigns_category WHERE slug = :slug::text")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_category (id, created_at, slug, name, position) "
            "VALUES (gen_random_uuid(), now(), 'mine', 'Mine', 0)"
        )
    with pytest.raises(ProgrammingError), atomic():
        assert [row.name for row in name.rows(slug="mine")] == ["Mine"]
        Statement("SELECT * FROM no_such_table").rows()
    assert [row.name for row in name.rows(slug="mine")] == ["Mine"]


def test_a_broken_transaction_refuses_it(db: None) -> None:
    with atomic():
        connection.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            numbers()


@pytest.fixture
def table(transactional_db: None) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (n int); INSERT INTO changing VALUES (1)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE changing")


def change_elsewhere() -> None:
    """A migration of another process changes a column's type."""
    parameters = connection.get_connection_params()
    with psycopg.connect(**{**parameters, "autocommit": True}) as other:
        other.execute("ALTER TABLE changing ALTER n TYPE text")


def test_a_column_that_another_process_changes(table: None) -> None:
    read = Statement("SELECT n FROM changing")
    assert read.rows() == [(1,)]
    change_elsewhere()
    assert read.rows() == [("1",)]


def test_a_column_that_another_process_changes_under_a_transaction(table: None) -> None:
    read = Statement("SELECT n FROM changing")
    assert read.rows() == [(1,)]
    change_elsewhere()
    with pytest.raises(NotSupportedError), atomic():
        read.rows()
    with atomic():
        assert read.rows() == [("1",)]


FILES = sorted(statements.ROOT.glob("*/sql/*.sql"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file(path: Path) -> None:
    assert path.read_text().startswith("-- "), "a file begins with what it answers"
    if not path.name.endswith(".part.sql"):
        statement = statements.load(str(path.relative_to(statements.ROOT)))
        text, names = statement.variant(statement.conditions, 100)
        assert len(set(re.findall(r"\$\d+", text))) == len(names)
