from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.services.review import publish_campaign
from core import clock
from core.api.errors import Refusal


class Command(BaseCommand):
    help = "Let a campaign that is in review go live."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign_id", type=UUID, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            campaign = publish_campaign(moderator=None, campaign_id=options["campaign_id"], now=clock.now())
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"{campaign.title} is live until {campaign.ends_at:%Y-%m-%d %H:%M} UTC.")
