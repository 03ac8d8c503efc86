from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.rules.documentation import markdown


class Command(BaseCommand):
    help = "Write docs/investor-rights.md from the data of the rule sets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is not current")

    def handle(self, *, check: bool, **options: Any) -> None:
        page = settings.BASE_DIR / "docs" / "investor-rights.md"
        text = markdown()
        if not check:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            raise CommandError("docs/investor-rights.md is not current: run manage.py investor_rights_doc")
