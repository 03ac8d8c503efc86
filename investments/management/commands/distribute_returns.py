from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import clock
from core.jobs.commands import run_with_progress
from investments.jobs import DISTRIBUTE_RETURNS


class Command(BaseCommand):
    help = (
        "Credit the holders of campaigns with the distributions that are approved. Safe to run twice, side by "
        "side, and after dying half-way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many are due")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        self.stdout.write(run_with_progress(DISTRIBUTE_RETURNS, now=clock.now(), dry_run=dry_run))
