"""What management commands that run jobs share."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from click.termui import progressbar
from django.core.management.base import CommandError

from core import clock
from core.api.errors import ZoneRequired
from core.jobs.runner import Job, run
from core.times import parse_moment


def run_with_progress(job: Job, *, now: datetime, dry_run: bool = False, only: str | None = None) -> str:
    """
    Run a job, with a progress bar where somebody watches.

    :param only: of what is due only this item
    :returns: a line that says what it did
    """

    def watch(items: Sequence[Any]) -> Iterator[Any]:
        with progressbar(items, label=job.name, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            yield from bar

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
