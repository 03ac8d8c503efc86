"""A connection whose every wait is limited, and whose liveness the pool sees without a round trip."""

import sys
from typing import Any

import psycopg
from psycopg import generators, pq, waiting as psycopg_waiting
from psycopg.errors import _WaitTimeout
from psycopg.types.net import InetBinaryLoader

from core.data.postgres import waiting

PREPARE_ON_REQUEST = sys.maxsize
"""As `prepare_threshold`: psycopg prepares what is asked for (`core.data.statements`) and nothing of its own accord."""


class AddressLoader(InetBinaryLoader):
    """Addresses as text from binary results too, as Django's models have them."""

    format = pq.Format.BINARY

    def load(self, data: Any) -> Any:
        return str(super().load(data))


def _readable() -> Any:
    """For psycopg's wait functions: whether there is something to read, asked once."""
    return bool((yield psycopg_waiting.WAIT_R))


def _from(first: Any, gen: Any) -> Any:
    """A generator of psycopg's, the first value of which was taken already."""
    state = first
    while True:
        ready = yield state
        try:
            state = gen.send(ready)
        except StopIteration as done:
            return done.value


class PooledConnection(psycopg.Connection[Any]):
    """psycopg's connection, with limits from `core.data.postgres.waiting`."""

    lock_timeout = ""
    """How long a transaction that begins now waits for any lock, in PostgreSQL's words; empty: as the server has it."""

    def _start_query(self) -> Any:
        """psycopg's BEGIN before the first statement of a transaction; the wait for locks travels with it."""
        if self.autocommit or not self.lock_timeout or self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            yield from super()._start_query()
            return
        self.pgconn.send_query(
            self._get_tx_start_command() + f"; SET LOCAL lock_timeout = '{self.lock_timeout}'".encode()
        )
        for result in (yield from generators.execute(self.pgconn)):
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(result)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """
        :raises psycopg.OperationalError: no answer within the limit; the connection is closed, since nobody knows what
            the server will still do with what it was sent
        """
        if timeout is not None:  # psycopg's own, for its cancelling
            return super().wait(gen, interval, timeout)
        limit = waiting.limit()
        try:
            first = next(gen)
        except StopIteration as done:
            return done.value  # the server was not asked, so this is no answer of it
        with waiting.counted(is_answer=True):
            try:
                return super().wait(_from(first, gen), interval, limit)
            except _WaitTimeout:
                self.pgconn.finish()
                raise psycopg.OperationalError(f"the database did not answer within {limit:.1f} s") from None

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """
        The pool asks a connection that it hands out whether it is alive, by executing an empty statement. An idle one
        has nothing to read: when something is there, the server has closed it or complained, and only then is it worth
        asking.
        """
        if query == "" and not self.closed and not self._has_something_to_read():
            return self.cursor()
        return super().execute(query, *args, **kwargs)

    def _has_something_to_read(self) -> bool:
        return bool(psycopg_waiting.wait(_readable(), self.pgconn.socket, interval=0.0))
