"""`manage.py suspend_user EMAIL --reason TEXT`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User, normalise_email
from accounts.services import administration
from core import clock
from core.api.errors import Refusal


class Command(BaseCommand):
    help = "Suspend an account: ends its sessions and keeps it out. With --undo it may sign in again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--reason", help="for staff to read; the person sees only that the account is suspended")
        what.add_argument("--undo", action="store_true", help="reinstate")

    def handle(self, *args: Any, email: str, reason: str | None, undo: bool, **options: Any) -> None:
        user = User.objects.filter(email=normalise_email(email)).first()
        if user is None:
            raise CommandError(f"There is no account with the address {email}.")
        try:
            if undo:
                administration.reinstate(user_id=user.pk, by=None, now=clock.now())
            else:
                administration.suspend(user_id=user.pk, reason=reason or "", by=None, now=clock.now())
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"{user.email} is {'reinstated' if undo else 'suspended'}.")
