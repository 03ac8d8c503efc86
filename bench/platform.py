"""A database of its own for the measurements, under var/bench: PostgreSQL and Valkey, migrated and filled."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.server import ROOT
from vectragrow.embedded.servers import DataDir, Servers

VIEWER = "viewer@bench.example"


@dataclass(frozen=True)
class Platform:
    database_url: str
    secret_key: str


@contextmanager
def running(rows: int) -> Iterator[Platform]:
    """The servers, with `rows` rows in each table that is measured; kept for the next run."""
    with prepared(f"bench-{rows}") as platform:
        fill(rows)
        yield platform


@contextmanager
def prepared(name: str, *, durable: bool = False) -> Iterator[Platform]:
    """
    The servers of a folder in `var`, migrated. Django is set up in this process when it begins.

    :param name: of the folder
    :param durable: whether a commit is on disk before it is answered
    """
    data_dir = DataDir(ROOT / "var" / name)
    data_dir.open()
    servers = Servers(data_dir, durable=durable, shared_buffers="1GB")
    try:
        servers.start()
        os.environ |= {
            **servers.addresses,
            "SECRET_KEY": data_dir.facts["SECRET_KEY"],
            "DOCUMENT_KEYS": ",".join(data_dir.facts["DOCUMENT_KEYS"]),
            "DJANGO_SETTINGS_MODULE": "vectragrow.settings.dev",
            "PUBLIC_URL": "http://bench.example",
            "DATABASE_STATEMENT_WAIT": "7200",  # filling a million rows takes a while
            "LOG_LEVEL": "WARNING",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
        import django

        django.setup()
        yield Platform(servers.addresses["DATABASE_URL"], data_dir.facts["SECRET_KEY"])
    finally:
        data_dir.note(state="stopping")
        servers.stop()
        data_dir.close()


def fill(rows: int) -> None:
    from django.db import connection, transaction

    from accounts.models import User
    from accounts.testing import make_person

    if User.objects.filter(email=VIEWER).exists():
        return
    sys.stdout.write(f"filling the tables with {rows} rows each\n")
    with transaction.atomic():
        viewer = make_person(email=VIEWER, first_name="Vera", identity=True)
        script = (ROOT / "bench" / "seed.sql").read_text()
        with connection.cursor() as cursor:
            cursor.execute(script.replace(":rows", str(rows)).replace(":viewer", f"uuid '{viewer.pk}'"))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def token() -> str:
    """An access token of the viewer, good for a quarter of an hour."""
    from accounts.models import User
    from accounts.testing import sign_in

    return sign_in(User.objects.get(email=VIEWER))
