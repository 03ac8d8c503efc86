"""Both stores for tests: fixtures of `analytics/tests/conftest.py`, and what makes events arrive."""

import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from analytics.jobs import SHIP_EVENTS
from analytics.stores import clickhouse_server
from analytics.testing.names import DATABASE, PASSWORD, USER
from core.jobs.runner import Tally, run
from core.testing.processes import Program


class ClickHouse:
    """The engine of ClickHouse behind its HTTP interface, in a process of its own (`analytics.testing.clickhouse`)."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vectragrow-test-clickhouse-")
        port = Path(self._folder.name, "port")
        self._program = Program("-m", "analytics.testing.clickhouse", self._folder.name)
        self._program.wait_for(port.exists)
        self.address = f"127.0.0.1:{port.read_text()}"
        self.url = f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{self.address}/{DATABASE}"

    def break_by(self, fault: str) -> None:
        """From now on: a fault of `analytics.testing.clickhouse.FAULTS`; empty: none."""
        request = urllib.request.Request(f"http://{self.address}/fault?kind={fault}", method="POST")
        urllib.request.urlopen(request).close()  # noqa: S310  (our own address)

    @contextmanager
    def broken_by(self, fault: str) -> Iterator[None]:
        self.break_by(fault)
        try:
            yield
        finally:
            self.break_by("")

    def empty(self) -> None:
        """Make the table if it is missing, and delete its rows."""
        with clickhouse_server._calling() as client:
            client.command("TRUNCATE TABLE raw_event")

    def end(self) -> None:
        self._program.end()
        self._folder.cleanup()


def ship(now: datetime) -> Tally:
    """Make events arrive where they are counted; nothing to do for PostgreSQL."""
    return run(SHIP_EVENTS, now=now)
