"""
How long a caller may wait for the database, and whether the database is unresponsive.

A request, or a frame of a socket, may wait `DATABASE_WAIT` seconds in all, over its statements and for a connection,
so that it is answered in time whatever the server does; anything else `DATABASE_STATEMENT_WAIT` seconds a statement.
When somebody waited to the end and the server answered nobody else of this process meanwhile, it counts as
unresponsive: from then on requests are refused at once, except for a few probes.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import psycopg
from django.conf import settings

PROBE_EVERY = 0.25
"""Seconds between two requests that may probe an unresponsive server."""
PROBE_WAIT = 0.5
"""Seconds that such a request waits."""


@dataclass(slots=True)
class _Budget:
    left: float


_budget: ContextVar[_Budget | None] = ContextVar("database_budget", default=None)
_unlimited: ContextVar[bool] = ContextVar("database_unlimited", default=False)
_lock = threading.Lock()
_last_answer = 0.0
_unresponsive_since: float | None = None
_next_probe = 0.0


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Limit the time that the block may wait for the database, in seconds over all its statements."""
    token = _budget.set(_Budget(seconds))
    try:
        yield
    finally:
        _budget.reset(token)


@contextmanager
def without_limit() -> Iterator[None]:
    """For statements that change tables, which may take hours (`migrate`)."""
    token = _unlimited.set(True)
    try:
        yield
    finally:
        _unlimited.reset(token)


def limit() -> float | None:
    """Seconds that may be waited now; None for as long as it takes."""
    if _unlimited.get():
        return None
    budget = _budget.get()
    return float(settings.DATABASE_STATEMENT_WAIT) if budget is None else max(0.0, budget.left)


def limit_for_connecting() -> float | None:
    """Seconds that may be waited for a connection; None for the pool's own limit."""
    budget = _budget.get()
    return None if budget is None else max(0.0, budget.left)


@contextmanager
def counted(*, is_answer: bool) -> Iterator[None]:
    """
    Wraps everything that waits for the server: takes the time off the budget, and notes whether the server answered.

    :param is_answer: whether success means that the server answered; a pool may return a connection it already had
    """
    global _last_answer, _unresponsive_since
    started = time.monotonic()
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is not None:
            _last_answer = time.monotonic()
        elif _last_answer < started:
            _unresponsive_since = time.monotonic()
        raise
    else:
        if is_answer:
            _last_answer = time.monotonic()
    finally:
        budget = _budget.get()
        if budget is not None:
            budget.left -= time.monotonic() - started


def is_unresponsive() -> bool:
    since = _unresponsive_since
    return since is not None and _last_answer <= since


def refuse_while_unresponsive() -> None:
    """
    Before a request gets a connection.

    :raises psycopg.OperationalError: the server is unresponsive and another request probes it already
    """
    global _next_probe
    budget = _budget.get()
    if budget is None or not is_unresponsive():
        return
    with _lock:
        now = time.monotonic()
        if now < _next_probe:
            raise psycopg.OperationalError("the database does not answer")
        _next_probe = now + PROBE_EVERY
    budget.left = min(budget.left, PROBE_WAIT)
