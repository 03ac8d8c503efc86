"""`manage.py decide_amendment ID approve|reject [--reason TEXT] --by EMAIL`"""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import access_staff
from campaigns.permissions import MODERATE
from campaigns.services.amendments import approve_amendment, reject_amendment
from core import clock
from core.api.errors import Refusal


class Command(BaseCommand):
    help = "Decide on the terms that the owner of a live campaign wants to change."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("amendment_id", type=UUID, metavar="ID")
        parser.add_argument("decision", choices=["approve", "reject"])
        parser.add_argument("--reason", default="", metavar="TEXT", help="for the owner; needed to reject")
        parser.add_argument("--by", required=True, metavar="EMAIL", help="the moderator who decides")

    def handle(self, *args: Any, amendment_id: UUID, decision: str, reason: str, by: str, **options: Any) -> None:
        if decision == "reject" and not reason.strip():
            raise CommandError("Say with --reason what the owner should know.")
        try:
            moderator = access_staff(by, MODERATE)
            if decision == "approve":
                amendment = approve_amendment(moderator=moderator, amendment_id=amendment_id, now=clock.now())
            else:
                amendment = reject_amendment(
                    moderator=moderator, amendment_id=amendment_id, reason=reason, now=clock.now()
                )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"The amendment is {amendment.status}.")
        if amendment.reconfirm_until:
            self.stdout.write(f"Investors confirm until {amendment.reconfirm_until:%Y-%m-%d %H:%M} UTC.")
