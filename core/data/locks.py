"""
Row locks: always FOR NO KEY UPDATE, always in one order (docs/locking.md).

A model whose rows are locked together with others says where it stands in the order: `lock_level`, smaller ones first.
Rows of one level are locked in the order of their ids. Tests switch the guard on (`core.testing.lock_guard`); then
`taken` raises where a transaction breaks the order.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def lock(
    rows: models.QuerySet[M] | models.Manager[M], *, of: tuple[str, ...] = ("self",), skip_locked: bool = False
) -> models.QuerySet[M]:
    """
    The rows, locked until the caller's transaction ends. Lock late, then look again at what was read before.

    FOR NO KEY UPDATE keeps out everyone who changes a row and lets pass those who only point to it by a foreign key.

    :param of: whose rows are locked, of the ones joined: `self` and names of relations
    :param skip_locked: leave out what somebody else holds, instead of waiting for it
    """
    return rows.select_for_update(no_key=True, of=of, skip_locked=skip_locked)


def lock_names(*names: str) -> None:
    """
    Lock things that have no row of their own, by name, until the caller's transaction ends. They are taken in one
    order, so that two callers who want several do not wait for each other.

    The guard does not see them: docs/locking.md says where they stand in the order.
    """
    keys = sorted(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) key", [keys])


def clause(*aliases: str) -> str:
    """The same for a written SELECT: its end, which locks the rows of these tables. Pass the rows to `taken`."""
    return f"FOR NO KEY UPDATE OF {', '.join(aliases)}"


class LockOrderBroken(AssertionError):
    """A lock was taken out of order, which can deadlock with a transaction that keeps the order."""


class _Held(threading.local):
    """What this thread's transaction has locked: (level, id) of every guarded row."""

    def __init__(self) -> None:
        self.depth = 0
        self.rows: set[tuple[int, Any]] = set()


is_guarded = False
_held = _Held()


@contextmanager
def of_one_transaction() -> Iterator[None]:
    """Around a transaction or savepoint: what the guard remembers ends with the outermost."""
    _held.depth += 1
    try:
        yield
    finally:
        _held.depth -= 1
        if not _held.depth:
            _held.rows.clear()


def taken(*rows: models.Model) -> None:
    """
    Report to the guard the rows that one statement has locked. Does nothing outside of tests.

    :raises LockOrderBroken: the transaction holds a row that should have been locked after one of these
    """
    if not is_guarded or not _held.depth:
        return
    new = {(level, row.pk) for row in rows if (level := getattr(row, "lock_level", None)) is not None} - _held.rows
    if new and _held.rows and min(new) < max(_held.rows):
        raise LockOrderBroken(f"{min(new)} after {max(_held.rows)} (level, id): {[row._meta.label for row in rows]}")
    _held.rows |= new
