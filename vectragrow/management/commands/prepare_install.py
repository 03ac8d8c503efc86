"""`manage.py prepare_install`"""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "What `make up` does to the database at every start, in one process: migrate, and make the admin login."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=options["verbosity"], stdout=self.stdout)
        call_command("ensure_install_admin", stdout=self.stdout)
