from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.services import shipping
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

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if not settings.ANALYTICS_CLICKHOUSE:
            raise CommandError("Set ANALYTICS_URL to a ClickHouse first; with it the platform uses that store.")
        days, moved, wrong = shipping.due(clock.now()), 0, []
        for number, day in enumerate(days, 1):
            if dry_run:
                moved += (events := shipping.waiting(day))
                self.stdout.write(f"{day}: {events} events")
                continue
            try:
                result = shipping.move(day, now=clock.now())
            except (StoreUnavailable, shipping.NotShipped) as error:
                raise CommandError(f"{day}: {error}. {moved} events were carried over; run it again.") from None
            if result.is_busy:
                raise CommandError(f"{day}: somebody else moves events now. {moved} were carried over; run it again.")
            moved += result.events
            wrong += [day] if result.differing else []
            for name, (expected, found) in result.differing.items():
                self.stdout.write(f"{day} {name}: {expected} expected, {found} found")
            self.stdout.write(f"{day}: {result.events} events ({number} of {len(days)} days)")
        if wrong:
            raise CommandError(f"Numbers differ on {', '.join(map(str, wrong))}; PostgreSQL keeps these days.")
        self.stdout.write(f"{moved} events of {len(days)} days{' would be' if dry_run else ' were'} carried over.")
