"""`manage.py approve_ad ID --by EMAIL`"""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import access_staff
from core import clock
from core.api.errors import Refusal
from social.models import Ad
from social.permissions import MODERATE
from social.services.ads import approve_ad


class Command(BaseCommand):
    help = "Let an ad that waits for review be shown, as it is now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ad_id", type=UUID, metavar="ID")
        parser.add_argument("--by", required=True, metavar="EMAIL", help="the moderator who decides")

    def handle(self, *args: Any, ad_id: UUID, by: str, **options: Any) -> None:
        try:
            reviewer = access_staff(by, MODERATE)
            revision = Ad.objects.filter(pk=ad_id).values_list("revision", flat=True).first()
            ad = approve_ad(reviewer=reviewer, ad_id=ad_id, revision=revision or 0, now=clock.now())
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"{ad.title} is shown until {ad.ends_at:%Y-%m-%d %H:%M} UTC.")
