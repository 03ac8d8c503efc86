"""What socket tests of every app use: real server processes, and a client that behaves like an app's."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PROTOCOL = "vectragrow.v1"


class Server:
    """One uvicorn process that serves `/ws/` on the test's database and Redis, as production does."""

    def __init__(self, output: IO[str] | None = None, **environment: str) -> None:
        """:param output: where its log goes instead of ours"""
        self.port = free_port()
        address = urlsplit(os.environ["DATABASE_URL"])
        database = urlunsplit(address._replace(path="/" + str(connection.settings_dict["NAME"])))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "vectragrow.asgi:application", "--port", str(self.port),
             "--lifespan", "off", "--no-proxy-headers", "--ws-per-message-deflate", "false", "--log-level", "warning"],
            env={**os.environ, "DATABASE_URL": database, **environment},
            stderr=output,
        )  # fmt: skip
        wait_until(self._answers, within=20)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the socket server ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Device:
    """A client app's socket. Frames that a test does not ask for wait until it does."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.refs = 0

    def send(self, type: str, **members: Any) -> None:
        self.connection.send(json.dumps({"type": type, **members}))

    def flood(self, count: int, type: str, **members: Any) -> None:
        """Send over and over, until the server closes."""
        with suppress(ConnectionClosed):
            for _ in range(count):
                self.send(type, **members)

    def ask(self, type: str, **members: Any) -> dict[str, Any]:
        """Send with a `ref` and return the `ack`, `pong` or `error` that answers it."""
        self.refs += 1
        ref = f"r{self.refs}"
        self.send(type, ref=ref, **members)
        return self.until(lambda frame: frame.get("ref") == ref)

    def expect(self, type: str, within: float = 5.0) -> dict[str, Any]:
        return self.until(lambda frame: frame["type"] == type, within)

    def until(self, wanted: Any, within: float = 5.0) -> dict[str, Any]:
        """The first frame that is `wanted`, among those kept or still to come."""
        for index, frame in enumerate(self.frames):
            if wanted(frame):
                return self.frames.pop(index)
        deadline = time.monotonic() + within
        while True:
            frame = json.loads(self.connection.recv(timeout=max(0.001, deadline - time.monotonic())))
            if wanted(frame):
                return frame
            self.frames.append(frame)

    def all(self, type: str, count: int, within: float = 10.0) -> list[dict[str, Any]]:
        return [self.expect(type, within) for _ in range(count)]

    def silent(self, type: str, during: float = 0.3) -> bool:
        """Whether no frame of this type comes."""
        try:
            self.expect(type, during)
        except TimeoutError:
            return True
        return False

    def close_code(self, within: float = 5.0) -> int:
        """Read until the server closes; the code it gave."""
        deadline = time.monotonic() + within
        try:
            while True:
                self.frames.append(json.loads(self.connection.recv(timeout=max(0.001, deadline - time.monotonic()))))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def dial(url: str, token: str | None = None, **options: Any) -> Iterator[Device]:
    """Connect, with the token as subprotocol if there is one; `ready` is not read yet."""
    subprotocols = [Subprotocol(name) for name in (PROTOCOL, f"bearer.{token}")] if token else None
    with connect(url, subprotocols=subprotocols, compression=None, **options) as opened:
        yield Device(opened)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(holds: Any, within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def redis_url(port: int) -> str:
    return urlunsplit(urlsplit(settings.REDIS_URL)._replace(netloc=f"127.0.0.1:{port}"))
