from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.jobs import DELETE_ARCHIVES, ERASE_PEOPLE
from core.jobs.commands import moment_of, run_with_progress


class Command(BaseCommand):
    help = (
        "Erase the accounts whose thirty days of grace are over, and delete archives whose week is over. "
        "The worker does it hourly; safe to run twice and side by side."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how much is due")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        for job in (DELETE_ARCHIVES, ERASE_PEOPLE):
            self.stdout.write(run_with_progress(job, now=moment_of(None), dry_run=dry_run))
