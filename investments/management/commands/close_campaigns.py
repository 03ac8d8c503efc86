from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.jobs.commands import moment_of
from investments.services.closing import close_campaigns


class Command(BaseCommand):
    help = (
        "Close every campaign whose deadline has passed: a funded one pays its owner, any other refunds everyone. "
        "Safe to run twice, side by side, and after dying half-way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at", metavar="INSTANT", help="as if it were this moment (RFC 3339, such as 2026-12-31T23:59:59Z)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = close_campaigns(now=moment_of(options["at"]))
        self.stdout.write(f"{outcome['settled']} settled, {outcome['waiting']} waiting.")
