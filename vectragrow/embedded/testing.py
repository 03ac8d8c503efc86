"""The servers of one test run, under var/test. /conftest.py starts and stops them."""

from vectragrow.embedded.environment import ROOT
from vectragrow.embedded.servers import DataDir, Servers


class TestServers:
    """A PostgreSQL and a Valkey that need not survive a power cut."""

    __test__ = False

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.data_dir = DataDir(ROOT / "var" / "test")
        self.data_dir.open()
        self.servers = Servers(self.data_dir, database_url=database_url, redis_url=redis_url, durable=False)

    @classmethod
    def start(cls, *, database_url: str = "", redis_url: str = "") -> "TestServers":
        """
        :raises Failure: if they cannot be started, or another run uses them
        """
        run = cls(database_url, redis_url)
        try:
            run.servers.start()
        except BaseException:
            run.stop()
            raise
        return run

    @property
    def addresses(self) -> dict[str, str]:
        return self.servers.addresses

    def stop(self) -> None:
        self.data_dir.note(state="stopping")
        self.servers.stop()
        self.data_dir.close()
