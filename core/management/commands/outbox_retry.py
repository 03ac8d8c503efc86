from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import clock
from core.maintenance import parked


class Command(BaseCommand):
    help = "Give parked outbox events ten new tries; the relay picks them up within seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--topic", help="only events of this topic, such as notifications.send_mail")

    def handle(self, *, topic: str | None, **options: Any) -> None:
        self.stdout.write(f"{parked.unpark(by=None, topic=topic, now=clock.now())} events will be tried again")
