"""
How long may be waited for the database, and whether it is silent.

A request, or a frame of a socket, may wait `DATABASE_WAIT` seconds in all, over its statements and for a connection,
so that it is answered in time whatever the server does; anything else `DATABASE_STATEMENT_WAIT` seconds a statement.
When the server has answered nobody of this process while somebody waited to the end, it counts as silent: from then on
requests are refused at once, but for a few that look whether it is back.
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
"""Seconds between two requests that are let through to a silent server."""
PROBE_WAIT = 0.5
"""Seconds that such a request waits."""


@dataclass(slots=True)
class _Budget:
    left: float


_budget: ContextVar[_Budget | None] = ContextVar("database_budget", default=None)
_unlimited: ContextVar[bool] = ContextVar("database_unlimited", default=False)
_lock = threading.Lock()
_last_answer = 0.0
_silent_since: float | None = None
_next_probe = 0.0


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is done inside may wait for the database for so many seconds in all."""
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
    Around everything that waits for the server: takes the time off the budget, and notes whether the server answered.

    :param is_answer: whether coming to the end means that it did; a pool may hand out what it had
    """
    global _last_answer, _silent_since
    started = time.monotonic()
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is not None:
            _last_answer = time.monotonic()
        elif _last_answer < started:
            _silent_since = time.monotonic()
        raise
    else:
        if is_answer:
            _last_answer = time.monotonic()
    finally:
        budget = _budget.get()
        if budget is not None:
            budget.left -= time.monotonic() - started


def is_silent() -> bool:
    since = _silent_since
    return since is not None and _last_answer <= since


def refuse_while_silent() -> None:
    """
    Before a request gets a connection.

    :raises psycopg.OperationalError: the server is silent and somebody else is looking already
    """
    global _next_probe
    budget = _budget.get()
    if budget is None or not is_silent():
        return
    with _lock:
        now = time.monotonic()
        if now < _next_probe:
            raise psycopg.OperationalError("the database does not answer")
        _next_probe = now + PROBE_EVERY
    budget.left = min(budget.left, PROBE_WAIT)
