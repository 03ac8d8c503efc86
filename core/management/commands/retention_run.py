from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import clock
from core.jobs.commands import run_with_progress
from core.maintenance.jobs import RETENTION
from core.privacy.retention import count_due


class Command(BaseCommand):
    help = "Delete what is past its retention, in every app. Safe to run twice and side by side."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="delete nothing; count the rows that are due")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        if dry_run:
            for name, count in sorted(count_due(now=now).items()):
                self.stdout.write(f"{name}: {count}")
        self.stdout.write(run_with_progress(RETENTION, now=now, dry_run=dry_run))
