"""Uses one DATA_DIR: locks it, starts its servers, records every process, and stops all in order."""

import base64
import contextlib
import fcntl
import os
import secrets
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vectragrow.embedded import discovery, processes
from vectragrow.embedded.failures import Failure
from vectragrow.embedded.postgres import Postgres
from vectragrow.embedded.processes import Child
from vectragrow.embedded.valkey import Valkey

STOP_SIGNALS = {"postgres": Postgres.stop_signal}


class DataDir:
    """A data folder that is ours alone while we run. `facts` is what install.json keeps."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.children: dict[str, Child] = {}
        self.noted: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}
        self._lock: int | None = None

    def open(self, *, patience: float = 2) -> None:
        """
        :raises Failure: if it cannot be written to or is in use. One that is just being stopped is waited for.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Failure(
                f"{self.path} cannot be written to ({error.strerror}): set DATA_DIR to a folder that you may write to."
            ) from None
        self._lock = os.open(self.path, os.O_RDONLY)
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                running = discovery.read(self.path, discovery.RUN_FILE_NAME)
                if running.get("state") == "stopping":
                    deadline = max(deadline, time.monotonic() + 1)
                if time.monotonic() > deadline:
                    who = f" (process {running['launcher']['pid']})" if "launcher" in running else ""
                    raise Failure(
                        f"VECTRAGrow already runs on {self.path}{who}: use that one, or end it with make stop."
                    ) from None
                time.sleep(0.1)
        earlier = discovery.read(self.path, discovery.RUN_FILE_NAME).get("children", {})
        processes.end_noted(earlier, gently=STOP_SIGNALS, seconds=8)
        self.facts = discovery.read(self.path)
        if not self.facts.get("SECRET_KEY"):
            self.facts["SECRET_KEY"] = secrets.token_urlsafe(50)
        if not self.facts.get("DOCUMENT_KEYS"):
            self.facts["DOCUMENT_KEYS"] = [base64.b64encode(secrets.token_bytes(32)).decode()]
        discovery.write(self.path, self.facts)
        self.noted = {"launcher": processes.identity(os.getpid()), "state": "starting", "children": {}}

    def save(self) -> None:
        discovery.write(self.path, self.facts)

    def note(self, **facts: Any) -> None:
        self.noted |= facts
        discovery.write(self.path, self.noted, discovery.RUN_FILE_NAME)

    def adopt(self, child: Child) -> None:
        """Write it down at once: whoever starts after a crash must find it."""
        self.children[child.name] = child
        self.note(children=self.noted["children"] | {child.name: processes.identity(child.pid)})

    def close(self) -> None:
        """Nothing of ours runs any more."""
        with contextlib.suppress(OSError):
            (self.path / discovery.RUN_FILE_NAME).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _connect_once(name: str, url: str, usual_port: int) -> None:
    """Fail within a second where nothing listens at an address; other errors are reported by those who connect."""
    try:
        parts = urlsplit(url)
        place = (parts.hostname, parts.port or usual_port)
    except ValueError:
        raise Failure(f"{name} is not an address such as scheme://user:password@host:port/name.") from None
    if place[0]:
        try:
            socket.create_connection(place, timeout=5).close()
        except OSError as error:
            reason = error.strerror or error
            raise Failure(f"{name} names {place[0]}:{place[1]}, where nothing answers ({reason}).") from None


class Servers:
    """PostgreSQL and Valkey for one DATA_DIR, each unless its address is given. `addresses` is for the environment."""

    def __init__(
        self,
        data_dir: DataDir,
        *,
        database_url: str = "",
        redis_url: str = "",
        durable: bool = True,
        shared_buffers: str = "64MB",
    ) -> None:
        """
        :param durable: as `Postgres` and `Valkey` take it
        :param shared_buffers: how much memory PostgreSQL keeps pages in, in its units; more for a big database
        """
        self.data_dir = data_dir
        self.postgres = None
        if not database_url:
            self.postgres = Postgres(data_dir.path, data_dir.facts, durable=durable, shared_buffers=shared_buffers)
        self.valkey = None if redis_url else Valkey(data_dir.path, data_dir.facts, durable=durable)
        self.addresses = {
            "DATABASE_URL": self.postgres.url if self.postgres else database_url,
            "REDIS_URL": self.valkey.url if self.valkey else redis_url,
        }
        data_dir.facts |= self.addresses
        data_dir.save()

    @property
    def ours(self) -> list[Postgres | Valkey]:
        return [server for server in (self.postgres, self.valkey) if server]

    def start(self) -> None:
        """:raises Failure: one does not start, or nothing listens at an address that was given"""
        if not self.postgres:
            _connect_once("DATABASE_URL", self.addresses["DATABASE_URL"], 5432)
        if not self.valkey:
            _connect_once("REDIS_URL", self.addresses["REDIS_URL"], 6379)
        for server in self.ours:
            self.start_one(server)

    def start_one(self, server: Postgres | Valkey) -> None:
        try:
            server.start()
        finally:
            if server.child:
                self.data_dir.adopt(server.child)

    def stop(self) -> None:
        """Last of all: our own processes have ended before."""
        processes.stop([server.child for server in self.ours if server.child], 8)
        for server in self.ours:
            server.clean_up()
