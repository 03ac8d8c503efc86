from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.jobs.commands import moment_of, run_with_progress
from investments.jobs import CLOSE_CAMPAIGNS


class Command(BaseCommand):
    help = (
        "Close every campaign whose deadline has passed: a funded one pays its owner, any other refunds everyone. "
        "What needs the provider is done by the worker. Safe to run twice, side by side, and after dying half-way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at", metavar="INSTANT", help="as if it were this moment (RFC 3339, such as 2026-12-31T23:59:59Z)"
        )

        parser.add_argument("--dry-run", action="store_true", help="only say how many are due")

    def handle(self, *, at: str | None, dry_run: bool, **options: Any) -> None:
        self.stdout.write(run_with_progress(CLOSE_CAMPAIGNS, now=moment_of(at), dry_run=dry_run))
