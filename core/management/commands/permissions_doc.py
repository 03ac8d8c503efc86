import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import rights


class Command(BaseCommand):
    help = "Write the table of rights in docs/permissions.md from the rights in the code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the table is not current")

    def handle(self, *, check: bool, **options: Any) -> None:
        page = settings.BASE_DIR / "docs" / "permissions.md"
        text = page.read_text()
        table = re.compile(re.escape(rights.BEGIN) + ".*" + re.escape(rights.END), re.DOTALL)
        current = table.sub(lambda _: rights.table(), text)
        if not check:
            page.write_text(current)
        elif rights.END not in text or current != text:
            raise CommandError("docs/permissions.md is not current: run manage.py permissions_doc")
