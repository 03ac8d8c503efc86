from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.events.documentation import markdown


class Command(BaseCommand):
    help = "Write docs/events.md from the declarations of events."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is not current")

    def handle(self, *, check: bool, **options: Any) -> None:
        page = settings.BASE_DIR / "docs" / "events.md"
        text = markdown()
        if not check:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            raise CommandError("docs/events.md is not current: run manage.py events_doc")
