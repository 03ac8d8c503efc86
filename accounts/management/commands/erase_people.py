from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.services.exports import delete_expired
from accounts.services.leaving import erase_due


class Command(BaseCommand):
    help = (
        "Erase the accounts whose thirty days of grace are over, and delete archives whose week is over. "
        "The worker does it hourly; safe to run twice and side by side."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        archives, erased = delete_expired(now=now), erase_due(now=now)
        self.stdout.write(f"{erased} accounts erased, {archives} archives deleted")
