from typing import Any

from django.core.management.base import BaseCommand

from core.crypto.envelopes import rewrap_all


class Command(BaseCommand):
    help = (
        "Puts the keys of identity papers under the first of DOCUMENT_KEYS, so that the others may be taken out. "
        "Safe to repeat and to run while the platform runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for what, count in rewrap_all().items():
            self.stdout.write(f"{what}: {count} rewrapped")
