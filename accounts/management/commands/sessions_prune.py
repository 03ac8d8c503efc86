"""`manage.py sessions_prune`: what the schedule does every night."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.services.pruning import prune


class Command(BaseCommand):
    help = "Delete sessions that ended long ago, dead tokens and old lines of the login history. Safe to run twice."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in prune(now=timezone.now()).items():
            self.stdout.write(f"{count} {name}")
