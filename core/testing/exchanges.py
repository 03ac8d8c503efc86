"""How often code waits for PostgreSQL: a query with its answer is one exchange, BEGIN and COMMIT included."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


class Exchanges:
    count = 0


@contextmanager
def counted_exchanges() -> Iterator[Exchanges]:
    """Those of this thread's connection, as libpq traces them; `count` is there at the end."""
    connection.ensure_connection()
    raw = connection.connection.pgconn
    counted = Exchanges()
    with tempfile.TemporaryFile() as trace:
        raw.trace(trace.fileno())
        try:
            yield counted
        finally:
            raw.untrace()
        trace.seek(0)
        counted.count = trace.read().count(b"ReadyForQuery")
