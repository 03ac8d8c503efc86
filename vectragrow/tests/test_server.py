"""The one-process server for real: bodies both ways, slow clients, sockets at the end, too many at once."""

import asyncio
import http.client
import io
import json
import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from typing import Any

import pytest
from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from core.testing import WAIT_LIMIT
from core.testing.processes import is_open, program
from vectragrow import server
from vectragrow.embedded import processes


@contextmanager
def serving() -> Iterator[Any]:
    """(process, port) of `python -m vectragrow.server` with test settings."""
    port = processes.choose_port(None)
    environment = {"PORT": str(port), "HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
    with program("-m", "vectragrow.server", "--grace", "5", **environment) as running:
        running.wait_for(lambda: is_open(port))
        yield running.process, port


@pytest.fixture(scope="module")
def served() -> Iterator[Any]:
    """One server for all tests that do not stop it."""
    with serving() as process_and_port:
        yield process_and_port


def ask(port: int, method: str, path: str, body: Any = None, headers: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_LIMIT)
    try:
        connection.request(
            method, path, body, headers or {}, encode_chunked=bool(headers and "Transfer-Encoding" in headers)
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def code(answer: Any) -> tuple[int, str]:
    return answer[0], json.loads(answer[1])["code"]


ORIGIN = Origin("http://127.0.0.1")
JSON = {"Content-Type": "application/json"}


def test_bodies_arrive_whole_with_and_without_a_length(served: tuple[Popen[str], int]) -> None:
    _, port = served
    body = json.dumps({"email": "a@example.com", "password": "x" * 200_000}).encode()
    pieces = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    whole = ask(port, "POST", "/api/auth/login", body, JSON)
    chunked = ask(port, "POST", "/api/auth/login", pieces, {**JSON, "Transfer-Encoding": "chunked"})
    assert code(whole) == code(chunked) == (400, "invalid_input")


def test_bodies_above_the_limit_are_413(served: tuple[Popen[str], int]) -> None:
    _, port = served
    declared = {**JSON, "Content-Length": str(settings.UPLOAD_MAX_BODY_SIZE + 1)}
    assert code(ask(port, "POST", "/api/auth/login", b"{", declared)) == (413, "too_large")
    pieces = (b" " * 1_000_000 for _ in range(3))
    chunked = ask(port, "POST", "/api/auth/login", pieces, {**JSON, "Transfer-Encoding": "chunked"})
    assert code(chunked) == (413, "too_large")


def test_slow_clients_hold_no_thread(served: tuple[Popen[str], int]) -> None:
    """More clients than threads stop in the middle of their bodies; everybody else is answered at once."""
    _, port = served
    slow = []
    for _ in range(server.THREADS * 3):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        slow.append(client)
    assert ask(port, "GET", "/healthz")[0] == 200
    assert select.select(slow, [], [], 0)[0] == [], "no connection was closed"
    for client in slow:
        client.close()
    assert ask(port, "GET", "/healthz")[0] == 200


def test_header_names_with_an_underscore_are_dropped(served: tuple[Popen[str], int]) -> None:
    environ = server.environ_of(
        {
            "method": "GET",
            "path": "/café",
            "query_string": b"a=b",
            "http_version": "1.1",
            "client": ("10.0.0.1", 5),
            "headers": [
                (b"x_forwarded_for", b"6.6.6.6"),
                (b"x-forwarded-for", b"1.1.1.1"),
                (b"x-forwarded-for", b"2.2.2.2"),
                (b"cookie", b"a=1"),
                (b"cookie", b"b=2"),
                (b"content-type", b"text/plain"),
            ],
        },
        io.BytesIO(),
        7,
    )
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "7")
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café"
    assert environ["REMOTE_ADDR"] == "10.0.0.1"


def test_too_many_at_once_are_refused_with_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WAITING", 1)
    release = threading.Event()

    def wait(environ: Any, start_response: Any) -> list[Any]:
        release.wait(WAIT_LIMIT)
        start_response("204 No Content", [])
        return []

    async def scenario() -> Any:
        bridge = server.HTTP(wait, threads=1)
        working = [asyncio.create_task(bridge._answer({})) for _ in range(2)]
        while bridge.taken < 2:
            await asyncio.sleep(0)
        status, headers, _ = await bridge._answer({})
        release.set()
        return status, dict(headers), [(await task)[0] for task in working]

    status, headers, others = asyncio.run(scenario())
    assert (status, headers[b"retry-after"], others) == (503, b"1", [204, 204])


def test_an_accident_outside_django_is_a_problem_document() -> None:
    def fail(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise RuntimeError("secret detail")

    status, _, content = server.HTTP(fail, threads=1)._work({})
    document = json.loads(content.read())
    assert (status, document["code"]) == (500, "internal_error")
    assert "secret" not in str(document)


def test_the_log_holds_no_query_and_no_token_of_a_socket() -> None:
    """Not even at the most talkative level."""
    port = processes.choose_port(None)
    environment = {"PORT": str(port), "HOST": "127.0.0.1", "LOG_LEVEL": "DEBUG"}
    with program("-m", "vectragrow.server", "--grace", "1", **environment) as running:
        running.wait_for(lambda: is_open(port))

        async def scenario(path: str) -> None:
            url = f"ws://127.0.0.1:{port}{path}"
            protocols = [Subprotocol("vectragrow.v1"), Subprotocol("bearer.secret-of-the-protocol")]
            try:
                async with connect(url, origin=ORIGIN, subprotocols=protocols) as websocket:
                    await websocket.send(json.dumps({"type": "auth", "token": "secret-of-the-frame"}))
                    async for _ in websocket:
                        pass
            except (ConnectionClosed, InvalidStatus):
                pass

        asyncio.run(scenario("/ws/?token=secret-of-the-query"))
        asyncio.run(scenario("/elsewhere?token=secret-of-the-query"))
        assert ask(port, "GET", "/api/nothing?token=secret-of-the-query")[0] == 404
        written = running.output()
    assert '"message":"request"' in written, "it did log"
    assert "secret-of" not in written


def test_frames_above_the_limit_close_the_socket(served: tuple[Popen[str], int]) -> None:
    _, port = served

    async def scenario() -> int:
        async with connect(f"ws://127.0.0.1:{port}/ws/", origin=ORIGIN, max_size=None) as websocket:
            await websocket.send("x" * (server.WEBSOCKET_FRAME_LIMIT + 1))
            try:
                while True:
                    await asyncio.wait_for(websocket.recv(), WAIT_LIMIT)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0

    assert asyncio.run(scenario()) == 1009


def test_stop_closes_sockets_with_1012() -> None:
    """On a server of its own, since it ends it."""
    with serving() as (process, port):

        async def scenario() -> int:
            async with connect(f"ws://127.0.0.1:{port}/ws/", origin=ORIGIN) as websocket:
                process.send_signal(signal.SIGTERM)
                try:
                    while True:
                        await asyncio.wait_for(websocket.recv(), WAIT_LIMIT)
                except ConnectionClosed as closed:
                    return closed.rcvd.code if closed.rcvd else 0

        assert asyncio.run(scenario()) == 1012
        process.wait(WAIT_LIMIT)
