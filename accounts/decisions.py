"""The frame of the commands by which an operator decides as one of the staff: `ID approve|reject --by EMAIL`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import access_staff
from accounts.models import User
from core import clock
from core.api.errors import Refusal
from core.rights import Right


class DecisionCommand(BaseCommand):
    """Subclasses name the right that decides, and say what each decision does and what is written about it."""

    right: Right
    of: str = ""
    """Whose id is given, as `--help` says it."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject_id", type=UUID, metavar="ID", help=self.of)
        parser.add_argument("decision", choices=["approve", "reject"])
        parser.add_argument("--reason", default="", metavar="TEXT", help="for the owner; needed to reject")
        parser.add_argument("--by", required=True, metavar="EMAIL", help="the person of the staff who decides")

    def handle(self, *args: Any, subject_id: UUID, decision: str, reason: str, by: str, **options: Any) -> None:
        if decision == "reject" and not reason.strip():
            raise CommandError("Say with --reason what the owner should know.")
        try:
            staff = access_staff(by, self.right)
            if decision == "approve":
                said = self.approve(staff, subject_id, clock.now())
            else:
                said = self.reject(staff, subject_id, reason.strip(), clock.now())
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(said)

    def approve(self, staff: User, subject_id: UUID, now: datetime) -> str:
        raise NotImplementedError

    def reject(self, staff: User, subject_id: UUID, reason: str, now: datetime) -> str:
        raise NotImplementedError
