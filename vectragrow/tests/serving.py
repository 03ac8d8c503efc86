"""The server as it is, in a thread of the test's process, so that a test may shorten its times."""

import http.client
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from core.testing import eventually
from vectragrow import server


@contextmanager
def serving(**changes: Any) -> Iterator[int]:
    """The port of `vectragrow.server` on the test's database; `changes` are uvicorn's options."""
    running = uvicorn.Server(server.configuration(grace=1, **{"port": 0, "lifespan": "off", **changes}))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        eventually(lambda: running.started or not thread.is_alive())
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.should_exit = True
        thread.join(60)


class _Reader(io.BufferedReader):
    def close(self) -> None:
        """`HTTPResponse` closes it at the end of an answer; another may follow."""


class Answer(http.client.HTTPResponse):
    body: bytes


class Wire:
    """A connection on which a test writes its own bytes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.reader = _Reader(socket.SocketIO(self.socket, "r"))

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def __del__(self) -> None:
        """A connection that a test lets go is closed; one that was refused has no socket."""
        if "socket" in self.__dict__:
            self.socket.close()

    def send(self, *parts: bytes) -> "Wire":
        for part in parts:
            self.socket.sendall(part)
        return self

    def answer(self, method: str = "POST") -> Answer:
        """The next answer, read to its end."""
        response = Answer(self, method=method)  # type: ignore[arg-type]
        response.begin()
        response.body = response.read()
        return response

    def makefile(self, mode: str) -> "_Reader":
        """For `HTTPResponse`: one buffer for all answers, since the next one may be in it already."""
        return self.reader

    def is_closed(self) -> bool:
        """Whether the server ends the connection and sends nothing more before; waits for it."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True

    def drip(self, piece: bytes) -> None:
        """Send a piece over and over, slowly, until the server has closed. It gives up after a minute."""
        self.socket.settimeout(0.02)
        for _ in range(3000):
            try:
                self.socket.sendall(piece)
                if self.socket.recv(1000) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
        raise AssertionError("the connection stays open")
