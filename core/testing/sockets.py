"""What socket tests of every app use: real server processes, and a client that behaves like an app's."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from core.realtime.frames import Frame
from core.realtime.publishing import publish
from core.testing import WAIT_LIMIT, frames
from core.testing.processes import Program, free_port, is_open

PROTOCOL = "vectragrow.v1"


class Mark(Frame, tag="test.mark"):
    mark: str


class Server(Program):
    """One uvicorn process that serves `/ws/` on the test's database and Redis, as production does."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        address = urlsplit(os.environ["DATABASE_URL"])
        database = urlunsplit(address._replace(path="/" + str(connection.settings_dict["NAME"])))
        super().__init__(
            "-m", "uvicorn", "vectragrow.asgi:application", "--port", str(self.port),
            "--lifespan", "off", "--no-proxy-headers", "--ws-per-message-deflate", "false", "--log-level", "warning",
            **{"DATABASE_URL": database, **environment},
        )  # fmt: skip
        self.wait_for(lambda: is_open(self.port))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/"


class Device:
    """A client app's socket. Frames that a test does not ask for wait until it does."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.asked: dict[str | int, dict[str, Any]] = {}
        """What was sent with a `ref`, by it."""
        self.refs = 0
        self.user_id = ""

    def send(self, type: str, **members: Any) -> None:
        """A frame with a `ref` is compared with the document when the server takes it, one without at once."""
        frame = {"type": type, **members}
        if "ref" in frame:
            self.asked[frame["ref"]] = frame
        else:
            frames.check_sent(frame)
        self.connection.send(json.dumps(frame))

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

    def expect(self, type: str) -> dict[str, Any]:
        return self.until(lambda frame: frame["type"] == type)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame that is `wanted`, among those kept or still to come."""
        for index, frame in enumerate(self.frames):
            if wanted(frame):
                return self.frames.pop(index)
        deadline = time.monotonic() + WAIT_LIMIT
        while True:
            try:
                frame = self._next(deadline)
            except ConnectionClosed as closed:
                raise AssertionError(f"{closed}; received before: {self.frames}") from None
            if wanted(frame):
                return frame
            self.frames.append(frame)

    def _next(self, deadline: float) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=max(0.001, deadline - time.monotonic())))
        if frame["type"] == "ready":
            self.user_id = frame["userId"]
        asked = self.asked.get(frame.get("ref", ""))
        frames.check_received(frame, answers=asked["type"] if asked else None)
        if asked and frame["type"] in ("ack", "pong"):
            frames.check_sent(asked)
        return frame

    def all(self, type: str, count: int) -> list[dict[str, Any]]:
        return [self.expect(type) for _ in range(count)]

    def silent(self, type: str) -> bool:
        """
        Whether there is no frame of this type among all that was published for this person until now.

        A mark is published behind it and waited for, so nothing is still on its way to the server; then frames that
        waited there for a `resume` are let through.
        """
        mark = uuid4().hex
        publish(users=[UUID(self.user_id)], frame=Mark(mark=mark))
        self.until(lambda frame: frame.get("mark") == mark)
        self.ask("resume", conversations={})
        return all(frame["type"] != type for frame in self.frames)

    def close_code(self) -> int:
        """Read until the server closes; the code it gave."""
        deadline = time.monotonic() + WAIT_LIMIT
        try:
            while True:
                self.frames.append(self._next(deadline))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def dial(url: str, token: str | None = None, **options: Any) -> Iterator[Device]:
    """Connect, with the token as subprotocol if there is one; `ready` is not read yet."""
    subprotocols = [Subprotocol(name) for name in (PROTOCOL, f"bearer.{token}")] if token else None
    with connect(url, subprotocols=subprotocols, compression=None, **options) as opened:
        yield Device(opened)
