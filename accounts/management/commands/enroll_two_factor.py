"""`manage.py enroll_two_factor EMAIL`: set up a staff member's authenticator app, at a terminal they can see."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import CodeInvalid
from accounts.models import User, normalise_email
from accounts.services import two_factor
from core import clock


class Command(BaseCommand):
    help = "Set up an account's authenticator app (TOTP). Shows the secret, and switches it on with a first right code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=normalise_email(email)).first()
        if user is None:
            raise CommandError(f"There is no account with the address {email}.")
        if user.two_factor_enabled:
            two_factor.switch_off(user=user, by=None, now=clock.now())
            self.stdout.write("What was set up before is off: app, passkeys and recovery codes.\n")
        self.stdout.write("Add this to the authenticator app:\n")
        self.stdout.write(f"  {two_factor.enroll(user=user, now=clock.now()).otpauth_url}\n")
        code = input("The code it shows now: ")
        try:
            recovery_codes = two_factor.confirm(user=user, code=code.strip(), now=clock.now())
        except CodeInvalid:
            raise CommandError("That was not the right code. Run the command again.") from None
        self.stdout.write(f"{user.email} signs in with a second factor from now on.")
        self.stdout.write("Recovery codes, each for one sign-in without the app; they are not shown again:\n")
        self.stdout.write("".join(f"  {code}\n" for code in recovery_codes))
