"""`manage.py prepare_install`"""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

OLDEST_SERVER = 15


class Command(BaseCommand):
    help = "What `make up` does to the database at every start, in one process: migrate, and make the admin login."

    def handle(self, *args: Any, **options: Any) -> None:
        connection.settings_dict["OPTIONS"].pop("pool", None)  # one connection, whose refusal says why
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"the server says {' '.join(str(error).split())}") from None
        major = connection.cursor().connection.info.server_version // 10_000
        if major < OLDEST_SERVER:
            raise CommandError(f"PostgreSQL {OLDEST_SERVER} or newer is needed, this is {major}")
        call_command("migrate", verbosity=options["verbosity"], stdout=self.stdout)
        call_command("ensure_install_admin", stdout=self.stdout)
