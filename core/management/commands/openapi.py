"""`manage.py openapi [--check]`: the committed OpenAPI document, so that a change of the API shows up in review."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS

from core.api import openapi

TARGET = Path("docs/openapi.json")


class Command(BaseCommand):
    help = f"Write {TARGET} from the code, or with --check say whether it is up to date (exit 1 when it is not)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        document = openapi.generate()
        if GENERATOR_STATS:
            GENERATOR_STATS.emit_summary()
            raise CommandError("The document has gaps; see above.")
        text = json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n"
        target = settings.BASE_DIR / TARGET
        if not check:
            target.write_text(text)
            self.stdout.write(f"{TARGET}: {len(document['paths'])} paths")
        elif not target.exists() or target.read_text() != text:
            raise CommandError(f"{TARGET} does not follow the code. Run: manage.py openapi")
