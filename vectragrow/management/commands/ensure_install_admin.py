"""`manage.py ensure_install_admin`"""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import Role, User
from accounts.services import sessions
from accounts.services.contacts import keep_contact
from core import clock, events

EMAIL = "admin@vectragrow.example"
LOGIN_FILE = "admin-login.txt"


class Command(BaseCommand):
    help = (
        "Make the admin login of an embedded install, with a random password kept in DATA_DIR (mode 0600). "
        "Does nothing while that file and the account exist; without the file the account gets a new password."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(settings.DATA_DIR) / LOGIN_FILE
        user = User.objects.filter(email=EMAIL).first()
        if user and file.exists():
            return
        password = secrets.token_urlsafe(15)
        now = clock.now()
        with transaction.atomic():
            if user is None:
                user = User(email=EMAIL, first_name="Install", last_name="Admin", created_at=now)
            else:
                sessions.close_sessions(user=user, because="password_changed", now=now)
            user.role = Role.ADMIN
            user.email_verified_at = user.email_verified_at or now
            user.set_password(password)
            user.save()
            keep_contact(user)
            events.record("account.install_admin_made", user, actor=None, now=now)
            write_privately(file, f"email: {EMAIL}\npassword: {password}\n")
        self.stdout.write(f"The admin login is in {file}.")


def write_privately(file: Path, text: str) -> None:
    """Readable by its owner alone from its first byte on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
