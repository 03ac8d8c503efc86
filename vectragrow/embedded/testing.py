"""The servers of one test run, under var/test. /conftest.py starts and stops them."""

import os
import sys

from vectragrow.embedded import process_environment
from vectragrow.embedded.environment import ROOT
from vectragrow.embedded.failures import Failure
from vectragrow.embedded.servers import DataDir, Servers

NAMES = ("DATABASE_URL", "REDIS_URL")


def provide() -> "TestServers | None":
    """Start what the environment does not name, and name it there. None if it names both already."""
    process_environment.tidy()
    given = {name: os.environ.get(name, "") for name in NAMES}
    if all(given.values()):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.test")
        return None
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        sys.exit("For servers of the tests' own unset DJANGO_SETTINGS_MODULE; else set DATABASE_URL and REDIS_URL too.")
    try:
        servers = TestServers(**{name.lower(): address for name, address in given.items()})
        servers.start()
    except Failure as failure:
        sys.exit(f"The test servers did not start. {failure}")
    os.environ.update(servers.addresses, DJANGO_SETTINGS_MODULE="vectragrow.settings.test")
    return servers


class TestServers:
    """A PostgreSQL and a Valkey that need not survive a power cut."""

    __test__ = False

    def __init__(self, *, database_url: str = "", redis_url: str = "") -> None:
        """:raises Failure: another run uses them"""
        self.data_dir = DataDir(ROOT / "var" / "test")
        self.data_dir.open()
        self.servers = Servers(self.data_dir, database_url=database_url, redis_url=redis_url, durable=False)
        self.addresses = self.servers.addresses

    def start(self) -> None:
        """:raises Failure: one of them does not start"""
        try:
            self.servers.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.data_dir.note(state="stopping")
        self.servers.stop()
        self.data_dir.close()
