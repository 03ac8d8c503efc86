"""Transactions: retried after deadlocks, with a short limit on waiting for locks (docs/locking.md)."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet

from core.api.errors import Busy, OutcomeUnknown, Refusal
from core.data import locks

P = ParamSpec("P")
R = TypeVar("R")

LOCK_TIMEOUT = "3s"
ATTEMPTS = 5
_AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_LOCK_NOT_AVAILABLE = "55P03"


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE behind a Django database error, if the server gave one."""
    return getattr(error.__cause__, "sqlstate", None)


def is_lost(error: BaseException) -> bool:
    """
    Whether an error means that the server did not answer, or not to the end.

    No SQLSTATE: the connection broke. Classes 08, 57P and 53: connections lost, shutdowns, no resources.
    """
    state = sqlstate(error)
    return state is None or state.startswith(("08", "57P", "53"))


@contextmanager
def _lock_timeout(outermost: bool) -> Iterator[None]:
    """The transaction that begins inside waits so long for a lock; saying so costs no exchange of its own."""
    if not outermost:
        yield
        return
    connection.ensure_connection()
    opened = connection.connection
    opened.lock_timeout = LOCK_TIMEOUT
    try:
        yield
    finally:
        opened.lock_timeout = ""


@contextmanager
def atomic() -> Iterator[None]:
    """
    `transaction.atomic` that waits at most 3 s for any lock. A refusal that `keeps_effects` commits and is raised then.

    :raises Busy: a lock could not be taken in time
    :raises OutcomeUnknown: the connection was lost between COMMIT and its confirmation
    """
    outermost = not connection.in_atomic_block
    committing = False
    kept: Refusal | None = None
    try:
        with _lock_timeout(outermost), locks.of_one_transaction(), transaction.atomic():
            try:
                yield
            except Refusal as refusal:
                if not refusal.keeps_effects:
                    raise
                kept = refusal
            committing = True
    except (OperationalError, InterfaceError) as error:
        if sqlstate(error) == _LOCK_NOT_AVAILABLE:
            raise Busy() from error
        if outermost and committing and is_lost(error):
            raise OutcomeUnknown() from error
        raise
    if kept is not None:
        raise kept


@contextmanager
def alone() -> Iterator[None]:
    """
    For a single statement that may fail. By itself it is a transaction, which costs one exchange in place of three;
    inside somebody else's it gets a savepoint.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
    else:
        yield


@contextmanager
def reads_within(seconds: float) -> Iterator[None]:
    """
    A transaction in which PostgreSQL itself ends each statement after `seconds`. So a slow one fails alone: it does not
    count as a database that does not answer (`core.data.postgres.waiting`), which would refuse other requests.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{int(seconds * 1000)}ms"])
        yield


def refuse_in_transaction() -> None:
    """
    Guards calls to other systems: no transaction may stay open during one. The transaction around a test does not
    count.

    :raises RuntimeError: inside a transaction
    """
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError("Commit first: no call to another system inside a transaction.")


def delete_in_batches(rows: QuerySet[Any], *, batch: int = 200) -> int:
    """Delete rows in short statements, for jobs that run beside everything. Returns how many."""
    total = 0
    while ids := list(rows.values_list("pk", flat=True)[:batch]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        total += len(ids)
    return total


def retrying(function: Callable[P, R]) -> Callable[P, R]:
    """
    Run `function` in `atomic()`, again after a deadlock or serialization failure, up to five times with jitter.

    Inside somebody else's transaction it is a savepoint: the outermost one has to be repeated as a whole.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with atomic():
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if sqlstate(error) not in _AGAIN:
                    raise
                if attempt == ATTEMPTS:
                    raise Busy() from error
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    return run
