"""What management commands share that work over many items."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from click.termui import progressbar
from django.core.management.base import CommandError

from core import clock
from core.api.errors import ZoneRequired
from core.jobs.runner import Job, run
from core.times import parse_moment

T = TypeVar("T")


class Watch(Protocol):
    """Is given the items of some work and gives them back one by one, such as `progress`."""

    def __call__(self, items: Iterable[T], *, label: str) -> Iterable[T]: ...


def progress(items: Iterable[T], *, label: str, length: int | None = None) -> Iterator[T]:
    """
    The same items, with a progress bar on stderr where somebody watches: on a terminal.

    :param length: how many there are, for items that cannot say it themselves
    """
    with progressbar(items, label=label, length=length, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield from bar


def run_with_progress(job: Job, *, now: datetime, dry_run: bool = False, only: str | None = None) -> str:
    """
    Run a job, with a progress bar where somebody watches.

    :param only: of what is due only this item
    :returns: a line that says what it did
    """

    def watch(items: Sequence[Any]) -> Iterator[Any]:
        return progress(items, label=job.name)

    tally = run(job, now=now, dry_run=dry_run, only=only, watch=watch)
    if tally.is_busy:
        return f"{job.name}: another copy is at work"
    if dry_run:
        return f"{job.name}: {tally.due} due"
    return f"{job.name}: {tally.done} done, {tally.left} left for the next time, {tally.failed} failed"


def moment_of(text: str | None) -> datetime:
    """
    The moment that `--at` names; now without it.

    :raises CommandError: not an instant
    """
    if text is None:
        return clock.now()
    try:
        return parse_moment(text)
    except (ValueError, ZoneRequired):
        raise CommandError(f"{text} is not an instant with a zone, such as 2026-12-31T23:59:59Z.") from None
