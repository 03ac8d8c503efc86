"""`manage.py demo`: fill the running platform with realistic data, step by step."""

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.services import sessions
from core import clock, events
from core.data.locks import lock
from vectragrow.demo.client import Client, DemoFailed
from vectragrow.demo.story import DOMAIN, Story

WIDTH = 24
KNOWN_PASSWORD = "sunny-orchard-42"


class Command(BaseCommand):
    help = "Fill the running platform with a demo world, using nothing but its public API, socket and commands."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=f"http://localhost:{settings.PORT}", help="where the platform answers")
        parser.add_argument(
            "--logins",
            action="store_true",
            help=f"give the people of the demo the password “{KNOWN_PASSWORD}”; runs the demo first if needed",
        )

    def handle(self, *args: Any, url: str, logins: bool, **options: Any) -> None:
        base = url.rstrip("/")
        if logins:
            if not settings.MAILBOX_ENABLED:
                raise CommandError("Known passwords are for development installs only.")
            if people := known_logins():
                self._show_logins([(person.role, person.email) for person in people], KNOWN_PASSWORD)
                return
        self._wait_until_ready(base)
        self.done = 0
        story = Story(base, say=self._say, provider=settings.PAYMENTS_PROVIDER)
        if logins:
            story.password = KNOWN_PASSWORD
        self.stdout.write("")
        try:
            story.play()
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
        self._show_logins([(person.role, person.email) for person in story.people.values()], story.password)

    def _show_logins(self, people: list[tuple[str, str]], password: str) -> None:
        self.stdout.write(f"\n  Log in as (password {password}):")
        for role, email in people:
            self.stdout.write(f"    {role:<11}{email}")
        self.stdout.write("")


@transaction.atomic
def known_logins() -> list[User]:
    """Give everybody whom a demo has made the known password; who has it stays signed in. Empty before any demo."""
    people = list(lock(User.objects).filter(email__endswith=DOMAIN).order_by("created_at", "id"))
    now = clock.now()
    for person in people:
        if not person.check_password(KNOWN_PASSWORD):
            person.set_password(KNOWN_PASSWORD)
            person.save(update_fields=["password", "updated_at"])
            sessions.close_sessions(user=person, because="password_changed", now=now)
            events.record("account.demo_password_set", person, actor=None, now=now)
    return people
