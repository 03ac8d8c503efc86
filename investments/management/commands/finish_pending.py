from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import clock
from core.jobs.commands import run_with_progress
from investments.jobs import FINISHERS


class Command(BaseCommand):
    help = (
        "Have the payment provider asked about everything that is under way and that nobody looks after any more: "
        "payments, refunds, distributions, payouts, received events. The worker asks. Safe to run twice, side by side, "
        "and after dying half-way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many are due")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        for job in FINISHERS:
            self.stdout.write(run_with_progress(job, now=now, dry_run=dry_run))
