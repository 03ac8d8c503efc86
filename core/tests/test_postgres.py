"""The pool notices dead connections without asking each time, and nothing waits for ever."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from psycopg_pool import ConnectionPool
from pytest_django.fixtures import Settings

from accounts.models import User
from core.data.postgres import PooledConnection, waiting
from core.testing import WAIT_LIMIT, Api


@pytest.fixture
def pool(db: None) -> Iterator[ConnectionPool[Any]]:
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "pool"):
        parameters.pop(name, None)
    parameters["autocommit"] = True
    options: dict[str, Any] = {
        "min_size": 1,
        "max_size": 1,
        "connection_class": PooledConnection,
        "check": ConnectionPool.check_connection,
    }
    with ConnectionPool(kwargs=parameters, timeout=WAIT_LIMIT, **options) as pool:
        yield pool


def backend(pool: ConnectionPool[Any]) -> int:
    with pool.connection() as mine:
        return mine.execute("SELECT pg_backend_pid()").fetchone()[0]


def test_a_live_connection_is_kept(pool: ConnectionPool[Any]) -> None:
    assert backend(pool) == backend(pool)


def test_a_connection_that_the_server_closed_is_replaced(pool: ConnectionPool[Any]) -> None:
    first = backend(pool)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [first])
    assert backend(pool) != first


@pytest.fixture
def crowded() -> Iterator[Any]:
    """A process with so many open files that new ones get numbers beyond 1,024, where select() ends."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    yield
    for descriptor in held:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_beyond_1024(crowded: None, pool: ConnectionPool[Any]) -> None:
    with pool.connection() as mine:
        assert mine.fileno() > 1024
    first = backend(pool)
    assert backend(pool) == first
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [first])
    assert backend(pool) != first


@pytest.fixture
def mine() -> Iterator[PooledConnection]:
    parameters = connection.get_connection_params()
    with PooledConnection.connect(**parameters, autocommit=True) as fresh:
        backend_pid = fresh.info.backend_pid
        yield fresh
    with connection.cursor() as cursor:  # a statement that was given up still runs
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [backend_pid])


def never_answered() -> Iterator[Any]:
    """A statement, as psycopg waits for it, to which the server says nothing."""
    while True:
        yield psycopg.waiting.WAIT_R


def test_a_statement_is_waited_for_within_the_budget_and_no_longer(db: None, mine: PooledConnection) -> None:
    with waiting.at_most(0.2), pytest.raises(psycopg.OperationalError, match="did not answer"):
        mine.execute("SELECT pg_sleep(600)")
    assert mine.closed


def test_the_budget_is_for_all_statements_together(db: None, mine: PooledConnection) -> None:
    with waiting.at_most(0.3), pytest.raises(psycopg.OperationalError, match="did not answer"):
        for _ in range(100):
            mine.execute("SELECT pg_sleep(0.05)")
    assert mine.closed


def test_without_a_budget_a_statement_has_the_limit_of_jobs(
    db: None, mine: PooledConnection, settings: Settings
) -> None:
    settings.DATABASE_STATEMENT_WAIT = 0.2
    with pytest.raises(psycopg.OperationalError, match="did not answer"):
        mine.execute("SELECT pg_sleep(600)")


def test_changes_of_tables_take_what_they_take(transactional_db: None, settings: Settings) -> None:
    settings.DATABASE_STATEMENT_WAIT = 0.2
    with connection.schema_editor() as editor:
        editor.execute("SELECT pg_sleep(0.5)")


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_database_stalls_is_answered_503_and_the_next_one_works(
    person: Callable[..., User], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = Api().as_user(person("somebody"))
    settings.DATABASE_WAIT = 0.3
    real = PooledConnection.wait

    def stalled(self: Any, gen: Any, interval: float = 0.1, timeout: Any = None) -> Any:
        return real(self, never_answered(), interval, timeout)

    with monkeypatch.context() as patch:
        patch.setattr(PooledConnection, "wait", stalled)
        refused = me.get("/api/auth/me")
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert "Retry-After" in refused
        assert waiting.is_unresponsive()
        connection.close()  # as at the end of a request
        assert me.get("/api/auth/me").status_code == 503
        connection.close()
    settings.DATABASE_WAIT = 60.0
    monkeypatch.setattr(waiting, "PROBE_WAIT", 60.0)
    monkeypatch.setattr(waiting, "_next_probe", 0.0)
    assert me.get("/api/auth/me").status_code == 200
    assert not waiting.is_unresponsive()


def test_while_the_server_is_unresponsive_one_request_probes_it_and_the_others_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_unresponsive_since", 2.0)
    monkeypatch.setattr(waiting, "_last_answer", 1.0)
    monkeypatch.setattr(waiting, "_next_probe", 0.0)
    monkeypatch.setattr(waiting, "PROBE_EVERY", 3600.0)
    with waiting.at_most(10):
        waiting.refuse_while_unresponsive()
        assert waiting.limit() == waiting.PROBE_WAIT
    with waiting.at_most(10), pytest.raises(psycopg.OperationalError):
        waiting.refuse_while_unresponsive()
    waiting.refuse_while_unresponsive()  # a job waits as long as it may


def test_what_does_not_ask_the_server_is_no_answer(
    db: None, mine: PooledConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django sets autocommit on each connection that it gets; psycopg only notes it."""
    monkeypatch.setattr(waiting, "_unresponsive_since", 2.0)
    monkeypatch.setattr(waiting, "_last_answer", 1.0)
    mine.autocommit = True
    assert waiting.is_unresponsive()
    mine.execute("SELECT 1")
    assert not waiting.is_unresponsive()


def test_a_slow_statement_does_not_make_the_server_unresponsive(db: None, mine: PooledConnection) -> None:
    """Another connection is answered meanwhile."""
    parameters = connection.get_connection_params()

    def ask() -> None:
        with PooledConnection.connect(**parameters, autocommit=True) as other:
            other.execute("SELECT 1")

    with ThreadPoolExecutor(1) as pool:

        def slow() -> Iterator[Any]:
            yield psycopg.waiting.WAIT_R
            pool.submit(ask).result(WAIT_LIMIT)
            yield from never_answered()

        with waiting.at_most(0.2), pytest.raises(psycopg.OperationalError):
            pool.submit(ask)
            mine.wait(slow())
    assert not waiting.is_unresponsive()


@pytest.mark.django_db(transaction=True)
def test_the_wait_for_locks_travels_with_begin_and_ends_with_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.data import transactions

    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "1234ms")

    def lock_timeout() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return cursor.fetchone()[0]

    with transactions.atomic():
        assert lock_timeout() == "1234ms"
    assert lock_timeout() == "0"
    with transaction.atomic():
        assert lock_timeout() == "0"
