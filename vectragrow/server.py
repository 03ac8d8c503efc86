"""
One process, one port: `/ws/` natively in the event loop, HTTP through the WSGI application in a few threads.

`python -m vectragrow.server` is what `make up` runs, and what serves `/ws/` in production (docs/running.md).
Django's own ASGI handler costs several times as much per request and opens a connection for each; see
docs/running.md for the figures.
"""

import argparse
import asyncio
import contextlib
import contextvars
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import uvicorn
from django.conf import settings
from django.http import HttpResponse

from vectragrow.asgi import application as websocket_application  # first: it loads the apps
from vectragrow.wsgi import application as wsgi_application

from core.api import bodies, errors, problems  # isort: skip
from core.jobs import heartbeat  # isort: skip
from uploads.drawing import AT_ONCE, WAITING as WAITING_FOR_A_PICTURE  # isort: skip
from vectragrow import connections, health  # isort: skip

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], IO[bytes]]

THREADS = 6
"""Requests worked on at once. More would only wait for the interpreter, and each may hold a database connection."""
WAITING = 128
"""Requests that may wait for a thread; the next one is refused with 503."""
FORMS_AT_ONCE, FORMS_WAITING = AT_ONCE + WAITING_FOR_A_PICTURE, 24
"""The same for requests with files: those worked on hold as many threads as there is work for (`uploads.drawing`)."""
IN_MEMORY = 1024 * 1024
"""Bytes of a body kept in memory; the rest waits in a temporary file."""
PAUSE_SECONDS = 30.0
"""Seconds that a client may pause in the middle of a body."""
BODY_SECONDS, BODY_RATE = 60.0, 50_000
"""A body may take so many seconds, and one more for each BODY_RATE bytes that have arrived."""
LINGER_SECONDS = 10.0
"""Seconds for which the rest of an unwanted body is read and discarded."""
WEBSOCKET_FRAME_LIMIT = 64 * 1024
PIECE = 64 * 1024

logger = logging.getLogger("vectragrow.server")


class ClientDisconnected(Exception):
    """The client disconnected before its answer."""


class HTTP:
    """
    WSGI for an ASGI server. A thread works only while Django works: the body is complete before it starts and the
    answer leaves after it has ended, so a slow client occupies a buffer and never a thread.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int = THREADS) -> None:
        self.application = application
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="http")
        self.capacity = threads + WAITING
        self.taken = 0
        self.form_threads = asyncio.Semaphore(FORMS_AT_ONCE)
        self.forms = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(scope, receive)
        try:
            await body.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            if not body.is_whole:
                unread = bodies.Unread()
                answer = await self._answer(environ_of(scope, BytesIO(), body.length) | {bodies.KEY: unread})
                if not unread.wanted:
                    await send_early(answer, body, send)
                    return
                answer[2].close()
                await body.read(unread.wanted)
            if body.is_whole:
                environ = environ_of(scope, body.file, body.length)
                work = self._answer_with_files if bodies.is_form(environ.get("CONTENT_TYPE", "")) else self._answer
                await send_answer(await work(environ), send)
            else:
                await send_early(refuse(errors.TooLarge()), body, send)
        except ClientDisconnected:
            return
        except TimeoutError:
            await send_answer(closing(refuse(errors.TooSlow())), send)
        finally:
            body.file.close()

    async def _answer_with_files(self, environ: dict[str, Any]) -> Answer:
        """Forms may hold pictures, and the work on these takes seconds: they never get all threads."""
        if self.forms >= FORMS_AT_ONCE + FORMS_WAITING:
            return refuse(errors.Overloaded(retry_after=timedelta(seconds=10)))
        self.forms += 1
        try:
            async with self.form_threads:
                return await self._answer(environ)
        finally:
            self.forms -= 1

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


class Body:
    """
    A request's body as it arrives: in `file`, of which `length` bytes are known so far, or declared. In memory to 1 MB,
    then in a temporary file.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        self._receive = receive
        self._started = time.monotonic()
        self._received = 0
        self._declared = int(declared) if declared.isdigit() else 0
        self.file: IO[bytes] = BytesIO()
        self.is_whole = not self._declared and b"transfer-encoding" not in headers

    @property
    def length(self) -> int:
        return max(self._declared, self._received)

    async def read(self, most: int) -> None:
        """
        Read on, to the end; or not any further if the body is known to have more than `most` bytes.

        :raises ClientDisconnected: it left before the end
        :raises TimeoutError: it paused for too long, or is slower than BODY_RATE
        """
        while not self.is_whole and self.length <= most:
            piece = await self._next_piece()
            if not self._received and not self.is_whole:
                self.file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
            self.file.write(piece)
            self._received += len(piece)
        if self.is_whole:
            self.file.seek(0)

    async def discard_rest(self) -> None:
        """Read the rest of the body and discard it, for LINGER_SECONDS at most."""
        with contextlib.suppress(ClientDisconnected, TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.is_whole:
                    await self._next_piece()

    async def _next_piece(self) -> bytes:
        left = self._started + BODY_SECONDS + self._received / BODY_RATE - time.monotonic()
        message = await asyncio.wait_for(self._receive(), min(PAUSE_SECONDS, left))
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        self.is_whole = not message.get("more_body", False)
        return bytes(message.get("body", b""))


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


async def send_early(answer: Answer, body: Body, send: Send) -> None:
    """
    Answer a request whose body is not wanted, and close. The rest of the body is read first and discarded:
    a connection that is closed with bytes unread is reset, and the answer lost with it.
    """
    status, headers, content = closing(answer)
    with content:
        text = content.read()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text, "more_body": True})
    await body.discard_rest()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def closing(answer: Answer) -> Answer:
    """The same answer, after which the connection closes."""
    status, headers, content = answer
    return status, [*headers, (b"connection", b"close")], content


def refuse(refusal: errors.Refusal) -> Answer:
    return answer_of(problems.alone(lambda: problems.answer(refusal)))


def answer_of(response: HttpResponse) -> Answer:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    return response.status_code, headers, BytesIO(response.content)


class Application:
    """What uvicorn serves."""

    def __init__(self) -> None:
        self.http = HTTP(wsgi_application)
        self.health_thread = ThreadPoolExecutor(1, thread_name_prefix="health-page")
        self.report: asyncio.Future[HttpResponse] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http" if scope["path"] in ("/healthz", "/readyz"):
                await self.answer_health(scope, receive, send)
            case "http":
                await self.http(scope, receive, send)
            case "websocket":
                await websocket_application(scope, receive, send)
            case _:
                await self.lifespan(receive, send)

    async def answer_health(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answered outside every pool, so that it works however busy or stuck the rest is."""
        allowed = errors.MethodNotAllowed(allow=["GET", "HEAD", "OPTIONS"])
        if scope["method"] == "OPTIONS":
            response = problems.alone(lambda: HttpResponse(status=204, headers=allowed.headers))
        elif scope["method"] not in allowed.allow:
            response = problems.alone(lambda: problems.answer(allowed))
        elif scope["path"] == "/healthz":
            response = problems.alone(health.alive)
        else:
            response = await self._readiness()
        body = Body(scope, receive)
        if body.is_whole:
            await send_answer(answer_of(response), send)
        else:
            await send_early(answer_of(response), body, send)

    async def _readiness(self) -> HttpResponse:
        """Concurrent requests share one report."""
        if self.report is None or self.report.done():
            loop = asyncio.get_running_loop()
            self.report = loop.run_in_executor(self.health_thread, problems.alone, health.ready)
        return await asyncio.shield(self.report)

    async def lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        alive = asyncio.create_task(keep_heartbeat())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        alive.cancel()
        self.http.pool.shutdown()
        await send({"type": "lifespan.shutdown.complete"})


async def keep_heartbeat() -> None:
    """Record every ten seconds that `/ws/` is served, for the readiness of other processes (vectragrow.health)."""
    while True:
        await asyncio.to_thread(heartbeat.beat, "realtime")
        await asyncio.sleep(10)


def serve(*, grace: float) -> None:
    """
    Until SIGTERM: then no new connections, sockets are closed with 1012 (come back), and requests may finish.

    :param grace: seconds that they may take
    """
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(configuration(grace=grace)).run()


def configuration(*, grace: float, **changes: Any) -> uvicorn.Config:
    """What uvicorn runs; `changes` are its own options, for tests."""
    options: dict[str, Any] = {
        "http": connections.LimitedHTTP,
        "ws": connections.LimitedSocket,
        "host": settings.HOST,
        "port": settings.PORT,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,  # core.addresses knows the trusted proxies
        "ws_max_size": WEBSOCKET_FRAME_LIMIT,
        "ws_per_message_deflate": False,
        "timeout_keep_alive": connections.IDLE_SECONDS,
        "timeout_graceful_shutdown": int(grace),
        "backlog": 512,
    }
    return uvicorn.Config(Application(), **{**options, **changes})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="vectragrow.server", description="HTTP and /ws/ on one port.")
    parser.add_argument("--grace", type=float, default=25, help="seconds that requests may take after SIGTERM")
    serve(grace=parser.parse_args().grace)
