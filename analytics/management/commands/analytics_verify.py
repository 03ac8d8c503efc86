from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.services.rollups import days_waiting
from analytics.services.verification import differences
from core import clock


class Command(BaseCommand):
    help = (
        "Count raw events again and compare with what was counted by hour and day; name each difference. Exit 1 on "
        "any. A day that the next roll-up counts again is not judged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how many days, today included (default 30)")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        today, looked_at, found = clock.now().date(), 0, 0
        for back in range(days):
            day = today - timedelta(days=back)
            compared, differing = differences(day)
            if differing and day in days_waiting(clock.now()):
                self.stdout.write(f"{day}: events have arrived that the next roll-up counts; not judged")
                continue
            looked_at += compared
            found += len(differing)
            for line in differing:
                self.stdout.write(line)
        if found:
            raise CommandError(f"{looked_at} counts of {days} days, {found} differ.")
        self.stdout.write(f"{looked_at} counts of {days} days, 0 differ.")
