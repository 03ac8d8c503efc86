from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.services import moving, shipping
from analytics.stores import store
from analytics.stores.base import StoreUnavailable
from core import clock


class Command(BaseCommand):
    help = (
        "Carry all raw events of PostgreSQL over into ClickHouse (ANALYTICS_URL), newest day first, and compare their"
        " numbers by day and name. A day is deleted in PostgreSQL once its numbers are right. Safe to run again, also"
        " after it was killed. Exit 1 with the days that differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list how many events of which days there are")
        parser.add_argument("--back", action="store_true", help="copy from ClickHouse into PostgreSQL, delete nothing")

    def handle(self, *args: Any, dry_run: bool, back: bool, **options: Any) -> None:
        if not settings.ANALYTICS_CLICKHOUSE:
            raise CommandError("Set ANALYTICS_URL to a ClickHouse first; with it the platform uses that store.")
        try:
            self._move(store().days()[::-1] if back else shipping.due(clock.now()), dry_run, back)
        except StoreUnavailable as error:
            raise CommandError(f"{error}. Run it again.") from None

    def _move(self, days: list[date], dry_run: bool, back: bool) -> None:
        moved, wrong = 0, []
        for number, day in enumerate(days, 1):
            if dry_run:
                waiting = moving.count_of(day, back=back)
                self.stdout.write(f"{day}: {waiting} events")
                moved += waiting
                continue
            result = moving.move_back(day) if back else moving.move(day, now=clock.now())
            if result.is_busy:
                raise CommandError(f"{day}: somebody else moves events now. Run it again.")
            moved += result.events
            wrong += [str(day)] if result.differing else []
            for name, (expected, found) in result.differing.items():
                self.stdout.write(f"{day} {name}: {expected} expected, {found} found")
            self.stdout.write(f"{day}: {result.events} events ({number} of {len(days)} days)")
        if wrong:
            raise CommandError(f"Numbers differ on {', '.join(wrong)}; run it again.")
        if back and not dry_run:
            moving.resume_counting()
        self.stdout.write(f"{moved} events of {len(days)} days{' would be' if dry_run else ' were'} carried over.")
