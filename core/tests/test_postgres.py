"""The pool notices dead connections without asking each time."""

import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from core.postgres import PooledConnection


@pytest.fixture
def pool(db):
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "pool"):
        parameters.pop(name, None)
    parameters["autocommit"] = True
    options = {
        "min_size": 1,
        "max_size": 1,
        "connection_class": PooledConnection,
        "check": ConnectionPool.check_connection,
    }
    with ConnectionPool(kwargs=parameters, timeout=10, **options) as pool:
        yield pool


def backend(pool) -> int:
    with pool.connection() as mine:
        return mine.execute("SELECT pg_backend_pid()").fetchone()[0]


def test_a_live_connection_is_kept(pool):
    assert backend(pool) == backend(pool)


def test_a_connection_that_the_server_closed_is_replaced(pool):
    first = backend(pool)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [first])
    assert backend(pool) != first
