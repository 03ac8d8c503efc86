"""
One process, one port: `/ws/` natively in the event loop, HTTP through the WSGI application in a few threads.

`python -m vectragrow.server` is what `make up` runs, and what serves `/ws/` in production (docs/running.md).
Django's own ASGI handler costs several times as much per request and opens a connection for each; see
docs/running.md for the figures.
"""

import argparse
import asyncio
import contextvars
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import uvicorn
from django.conf import settings

from core import errors, pulse
from vectragrow.asgi import websocket_application
from vectragrow.wsgi import application as wsgi_application

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], IO[bytes]]

THREADS = 6
"""Requests worked on at once. More would only wait for the interpreter, and each may hold a database connection."""
WAITING = 128
"""Requests that may wait for a thread; the next one is told to come back (503)."""
IN_MEMORY = 1024 * 1024
"""Bytes of a body kept in memory; the rest waits in a temporary file."""
SILENCE_SECONDS = 30.0
"""How long a client may pause in the middle of a body."""
WEBSOCKET_FRAME_LIMIT = 64 * 1024
PIECE = 64 * 1024

logger = logging.getLogger("vectragrow.server")


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class HTTP:
    """
    WSGI for an ASGI server. A thread works only while Django works: the body is complete before it starts and the
    answer leaves after it has ended, so a slow client costs a buffer and never a thread.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int = THREADS) -> None:
        self.application = application
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="http")
        self.capacity = threads + WAITING
        self.taken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, length = await read_body(scope, receive)
        except (ClientGone, TimeoutError):
            return  # without an answer the server closes the connection
        try:
            await send_answer(await self._answer(environ_of(scope, body, length)), send)
        finally:
            body.close()

    async def _answer(self, environ: dict[str, Any]) -> Answer:
        if self.taken >= self.capacity:
            return refuse(errors.Overloaded())
        self.taken += 1
        try:
            context = contextvars.copy_context()
            return await asyncio.get_running_loop().run_in_executor(self.pool, context.run, self._work, environ)
        finally:
            self.taken -= 1

    def _work(self, environ: dict[str, Any]) -> Answer:
        """In a thread: one request from beginning to end, its closing included."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [int(status[:3]), headers]

        try:
            pieces = self.application(environ, start_response)
            try:
                content: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
                for piece in pieces:
                    content.write(piece)
            finally:
                getattr(pieces, "close", lambda: None)()
        except Exception:
            logger.exception("a request ended outside Django's handlers")
            return refuse(errors.Broken())
        content.seek(0)
        status, headers = started
        return status, [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers], content


async def read_body(scope: Scope, receive: Receive) -> tuple[IO[bytes], int]:
    """
    The whole body and its length in bytes. Above settings.UPLOAD_MAX_BODY_SIZE nothing more is read, and the length
    tells Django to answer 413.

    :raises ClientGone: it left before the end
    :raises TimeoutError: it paused for too long
    """
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > settings.UPLOAD_MAX_BODY_SIZE:
        return BytesIO(), int(declared)
    if not declared and b"transfer-encoding" not in headers:
        return BytesIO(), 0
    body: IO[bytes] | None = None
    length = 0
    while True:
        message = await asyncio.wait_for(receive(), SILENCE_SECONDS)
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        length += len(piece)
        more = message.get("more_body", False)
        if body is None:
            if not more:
                return BytesIO(piece), length
            body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        body.write(piece)
        if not more or length > settings.UPLOAD_MAX_BODY_SIZE:
            body.seek(0)
            return body, length


def environ_of(scope: Scope, body: IO[bytes], length: int) -> dict[str, Any]:
    """
    PEP 3333. Header names with an underscore are dropped: they would pass for those with a dash, such as
    X_Forwarded_For for what a trusted proxy has set.
    """
    server = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope.get("client") else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name != "CONTENT_TYPE":
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if name in environ:
            value = f"{environ[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{value}"
        environ[name] = value
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(length)
    return environ


async def send_answer(answer: Answer, send: Send) -> None:
    """`send` waits while the client's buffer is full; that is a coroutine's time and not a thread's."""
    status, headers, content = answer
    with content:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        piece = content.read(PIECE)
        while len(piece) == PIECE:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = content.read(PIECE)
        await send({"type": "http.response.body", "body": piece, "more_body": False})


def refuse(refusal: errors.Refusal) -> Answer:
    from core import problems  # after the apps are loaded

    response = problems.answer(refusal)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    return response.status_code, headers, BytesIO(response.content)


http = HTTP(wsgi_application)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await http(scope, receive, send)
    elif scope["type"] == "websocket":
        await websocket_application(scope, receive, send)
    else:
        await lifespan(receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    await receive()
    alive = asyncio.create_task(show_life())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    alive.cancel()
    http.pool.shutdown()
    await send({"type": "lifespan.shutdown.complete"})


async def show_life() -> None:
    """The page of health asks other processes whether `/ws/` is served (vectragrow.health)."""
    while True:
        await asyncio.to_thread(pulse.beat, "realtime")
        await asyncio.sleep(10)


def serve(*, grace: float) -> None:
    """
    Until SIGTERM: then no new connections, sockets are closed with 1012 (come back), and requests may finish.

    :param grace: seconds that they may take
    """
    uvicorn.run(
        application,
        host=settings.HOST,
        port=settings.PORT,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # core.middleware knows whom to believe
        ws_max_size=WEBSOCKET_FRAME_LIMIT,
        ws_per_message_deflate=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(grace),
        backlog=512,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="vectragrow.server", description="HTTP and /ws/ on one port.")
    parser.add_argument("--grace", type=float, default=25, help="seconds that requests may take after SIGTERM")
    serve(grace=parser.parse_args().grace)
