from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import clock
from core.privacy.retention import count_due, run_retention


class Command(BaseCommand):
    help = "Delete what is past its retention, in every app. Safe to run twice and side by side."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="delete nothing; count the rows that are due")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        counts = count_due(now=now) if dry_run else run_retention(now=now)
        for name, count in sorted(counts.items()):
            self.stdout.write(f"{name}: {count}")
