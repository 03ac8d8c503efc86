import sys
from datetime import UTC, datetime, time
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock
from core.jobs.commands import progress
from core.times import parse_day
from investments.providers import PROVIDERS
from investments.providers.base import OutcomeUnknown
from investments.reconciliation import Finding, Result, reconcile

COLUMNS = ("check", "about", "reference", "ours", "theirs", "currency", "detail")


class Command(BaseCommand):
    help = (
        "Compare business rows, ledger and the payment provider's statement; name what is missing, extra, differing, "
        "doubled, late, in the wrong currency or not booked. Exit 0 only when nothing is. Safe twice and side by side."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON object instead of a table")
        parser.add_argument("--provider", choices=sorted(PROVIDERS), help="default: the one that takes new payments")
        parser.add_argument("--dry-run", action="store_true", help="keep no result for the admin and /readyz")
        parser.add_argument("--since", metavar="DAY", help="from this day (UTC, YYYY-MM-DD) on; default: 60 days")

    def handle(self, *, json: bool, provider: str | None, since: str | None, dry_run: bool, **options: Any) -> None:
        try:
            begin = datetime.combine(parse_day(since), time(), UTC) if since else None
        except ValueError:
            raise CommandError(f"{since} is not a day such as 2026-12-31.") from None
        try:
            result = reconcile(
                provider or settings.PAYMENTS_PROVIDER,
                now=clock.now(),
                since=begin,
                is_kept=not dry_run,
                watch=progress,
            )
        except OutcomeUnknown as silence:
            raise CommandError(f"The provider did not answer: {silence}") from None
        if json:
            self.stdout.write(orjson.dumps(result.as_json(), option=orjson.OPT_UTC_Z).decode())
        else:
            self._table(result)
        if not result.is_clean:
            sys.exit(1)

    def _table(self, result: Result) -> None:
        if result.findings:
            rows = [COLUMNS, *map(_row, result.findings)]
            widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
            for row in rows:
                self.stdout.write(
                    "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
                )
        compared = f"{result.line_count} lines of {result.provider} since {result.since:%Y-%m-%d}"
        found = "clean" if result.is_clean else f"{len(result.findings)} findings"
        self.stdout.write(f"Reconciled {compared}: {found}.")


def _row(finding: Finding) -> tuple[str, ...]:
    return tuple(str(getattr(finding, name)) for name in COLUMNS)
