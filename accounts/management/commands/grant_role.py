"""`manage.py grant_role EMAIL ROLE`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Role, User
from accounts.services.administration import grant_role
from core import clock


class Command(BaseCommand):
    help = (
        "Give an existing account a role (user, reviewer, moderator, admin). Verifies nothing else; ends its sessions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("role", choices=Role.values)

    def handle(self, *args: Any, email: str, role: str, **options: Any) -> None:
        try:
            user = grant_role(email=email, role=role, now=clock.now())
        except User.DoesNotExist:
            raise CommandError(f"There is no account with the address {email}.") from None
        self.stdout.write(f"{user.email} is now {user.role}.")
