from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock
from core.jobs.commands import run_with_progress
from investments.jobs import SETTLE_CAMPAIGNS
from investments.models import Settlement


class Command(BaseCommand):
    help = (
        "Pay the owners of funded campaigns, as far as their target is verified and people have approved. What needs "
        "the provider is done by the worker. Safe to run twice, side by side, and after dying half-way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--campaign", metavar="ID", help="only this campaign")
        parser.add_argument("--dry-run", action="store_true", help="only say how many are due")

    def handle(self, *, campaign: str | None, dry_run: bool, **options: Any) -> None:
        only = None if campaign is None else str(_settlement_of(campaign).pk)
        self.stdout.write(run_with_progress(SETTLE_CAMPAIGNS, now=clock.now(), dry_run=dry_run, only=only))


def _settlement_of(campaign: str) -> Settlement:
    """:raises CommandError: no such campaign, or nothing of it was released"""
    try:
        return Settlement.objects.get(campaign_id=UUID(campaign))
    except (ValueError, Settlement.DoesNotExist):
        raise CommandError(f"{campaign} is not the id of a campaign whose money was released.") from None
