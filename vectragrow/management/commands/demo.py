"""`manage.py demo`: fill the running platform with a believable world, and watch it happen."""

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from vectragrow.demo.client import Client, DemoFailed
from vectragrow.demo.story import Story

WIDTH = 24


class Command(BaseCommand):
    help = "Fill the running platform with a demo world, using nothing but its public API, socket and commands."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=f"http://localhost:{settings.PORT}", help="where the platform answers")

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        base = url.rstrip("/")
        self._wait_until_ready(base)
        self.done = 0
        story = Story(base, say=self._say)
        self.stdout.write("")
        try:
            story.tell()
        except DemoFailed as failure:
            raise CommandError(f"The story stopped: {failure}") from None
        self._goodbye(story)

    def _wait_until_ready(self, base: str) -> None:
        try:
            status, _, body = Client(base).fetch("/readyz")
        except OSError:
            raise CommandError(f"Nothing answers at {base}. Start the platform first: make up") from None
        if status != 200:
            raise CommandError(f"The platform at {base} is not ready: {body.decode()[:300]}")

    def _say(self, text: str) -> None:
        self.done += 1
        filled = round(WIDTH * self.done / Story.STEPS)
        bar = "█" * filled + "░" * (WIDTH - filled)
        self.stdout.write(f"  {bar} {self.done:>2}/{Story.STEPS}  {text}")
        self.stdout.flush()
        if sys.stdout.isatty():
            time.sleep(0.1)

    def _goodbye(self, story: Story) -> None:
        first = next(iter(story.campaigns.values()))
        rows = [
            ("Home", f"{story.base}/"),
            ("API documents", f"{story.base}/api/docs"),
            ("A campaign (with a token)", f"{story.base}/api/campaigns/{first['id']}"),
            ("Mailbox", f"{story.base}/mailbox/"),
            ("Admin, review queue", f"{story.base}/admin/"),
        ]
        self.stdout.write("\n  Look around:")
        for label, address in rows:
            self.stdout.write(f"    {label:<27}{address}")
        self.stdout.write(f"\n  Log in as (password {story.password}):")
        for person in story.people.values():
            self.stdout.write(f"    {person.role:<11}{person.email}")
        self.stdout.write("")
