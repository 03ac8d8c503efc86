"""
The one way in which work over many items runs (docs/jobs.md, SECURITY-GOALS 59).

A job is declared in the `jobs.py` of its app. Its items are worked one after the other, each in transactions of its
own. An item that raises is logged, counted and tried again after a growing pause, and parked after ten tries; the rest
go on. Of one job only one copy runs at a time, on all machines.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from celery import shared_task
from django.db import DatabaseError, connection, connections
from django.db.models import QuerySet

from core import clock
from core.jobs.backoff import MAX_ATTEMPTS, backoff
from core.models import FailingItem

logger = logging.getLogger("vectragrow.jobs")
T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How many items are `done`, how many are `left` for the next time, how many `failed` and how many were `due`."""

    done: int = 0
    left: int = 0
    failed: int = 0
    due: int = 0
    is_busy: bool = False
    """Another copy of the job is at work, so this one did nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    """`<app>.<imperative>`; also the name of its Celery task."""
    help: str
    """What it does, in a sentence, for operators."""
    due: Callable[[datetime], Iterable[Any]]
    """The items that have to be worked at a moment, the most urgent first: ids, or names."""
    work: Callable[..., object]
    """`work(item, now=now)`; safe to run twice. Returns False when the item is not finished yet."""
    batch: int = 500
    """The most items of one run."""


_jobs: dict[str, Job] = {}


def register(job: Job) -> Job:
    """Make a job known to `manage.py run_job` and to Celery, as a task of its name without arguments."""
    if job.name in _jobs:
        raise ValueError(f"{job.name} is a job already")
    _jobs[job.name] = job

    def task() -> None:
        run(job, now=clock.now())

    shared_task(name=job.name)(task)
    return job


def all_jobs() -> dict[str, Job]:
    return dict(sorted(_jobs.items()))


def run(
    job: Job,
    *,
    now: datetime,
    dry_run: bool = False,
    only: str | None = None,
    watch: Callable[[Sequence[Any]], Iterable[Any]] | None = None,
) -> Tally:
    """
    Work what is due, at most a batch of it.

    :param now: the moment that decides what is due (UTC)
    :param dry_run: only count what is due
    :param only: of what is due only this item, as text
    :param watch: is given the items and gives them back one by one, such as a progress bar
    """
    with exclusive(job.name) as is_ours:
        if not is_ours:
            logger.info("another copy of the job is at work", extra={"job": job.name})
            return Tally(is_busy=True)
        failing = {row.item: row for row in FailingItem.objects.filter(job=job.name)}
        found = job.due(now)
        if only is not None:
            found = (item for item in found if str(item) == only)
        most = job.batch + len(failing)
        found = list(found[:most] if isinstance(found, QuerySet | list) else islice(found, most))
        items = [item for item in found if _is_free(failing.get(str(item)))][: job.batch]
        tally = Tally(due=len(items))
        if not dry_run:
            for item in watch(items) if watch else items:
                _work(job, item, now, failing.get(str(item)), tally)
        return tally


def _is_free(failure: FailingItem | None) -> bool:
    """Judged by the present clock, since pauses were set by it: `now` may run ahead."""
    return failure is None or (failure.parked_at is None and failure.due_at <= clock.now())


def _work(job: Job, item: Any, now: datetime, failure: FailingItem | None, tally: Tally) -> None:
    try:
        is_finished = job.work(item, now=now)
    except Exception as error:  # noqa: BLE001  (logged with the item and tried again)
        tally.failed += 1
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        _note_failure(job, item, error)
        return
    if failure is not None:
        FailingItem.objects.filter(pk=failure.pk).delete()
    if is_finished is False:
        tally.left += 1
    else:
        tally.done += 1


def _note_failure(job: Job, item: Any, error: Exception) -> None:
    """:raises DatabaseError: the database is unavailable, so the run cannot continue"""
    moment = clock.now()
    failure, _ = FailingItem.objects.get_or_create(job=job.name, item=str(item), defaults={"due_at": moment})
    failure.attempts += 1
    failure.last_error = f"{type(error).__name__}: {error}"[:500]
    failure.due_at = moment + backoff(failure.attempts)
    failure.parked_at = moment if failure.attempts >= MAX_ATTEMPTS else None
    failure.save(update_fields=["attempts", "last_error", "due_at", "parked_at"])
    about = {"job": job.name, "item": str(item), "attempt": failure.attempts}
    if failure.parked_at:
        logger.error("an item is parked; the others go on", extra=about, exc_info=error)
    else:
        logger.exception("an item failed; the others go on", extra=about, exc_info=error)


@contextmanager
def exclusive(name: str) -> Iterator[bool]:
    """
    Whether this is the only one of its name, on any machine, until the block ends. PostgreSQL forgets the lock when the
    process dies.

    The lock is held by a transaction of a connection of its own: it holds beside PgBouncer, and while the job's own
    connection is replaced.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    holder = connections.create_connection(connection.alias)
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
            is_ours = bool(cursor.fetchone()[0])
        yield is_ours
    finally:
        with suppress(DatabaseError):  # the connection was lost, and the lock with it
            holder.rollback()  # a pool logs a warning for each connection that comes back in a transaction
        holder.close()


def each(items: Iterable[T], work: Callable[[T], object], *, what: str) -> Tally:
    """
    Do `work` for every item within a run, each in transactions of its own. What an item raises is logged and counted,
    and the rest go on; whoever calls brings the item back.

    :param items: ids, read to the end before the work begins
    :param work: returns False when the item is not finished yet
    :param what: what an item is, for the log
    """
    tally = Tally()
    for item in list(items):
        try:
            finished = work(item)
        except Exception:
            logger.exception("an item failed; the others go on", extra={"what": what, "item": str(item)})
            tally.failed += 1
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        else:
            if finished is False:
                tally.left += 1
            else:
                tally.done += 1
    return tally
