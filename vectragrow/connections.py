"""
Limits on connections before a request is handled: size and time of a request's head, idle time, and connections per
address. They extend uvicorn's own protocols (docs/running.md).
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core.addresses import counted_as, is_trusted, parse_address
from core.api.errors import HeadTooLarge, MalformedHead, Refusal
from core.api.problems import alone, answer

HEAD_BYTES = 32 * 1024
"""Of the request line and all header lines together."""
HEAD_LINES = 100
"""Header lines, trailers of a chunked body included."""
HEAD_SECONDS = 10.0
"""From the first byte of a head, or from the beginning of the connection, until the head is complete."""
IDLE_SECONDS = 15
"""Seconds that a connection may wait for its next request."""
STALLED_SECONDS = 60.0
"""Seconds in which a client must read some of an answer."""
LINGER_SECONDS = 5.0
"""Seconds for which the rest of a refused request is read and discarded: a connection reset would lose the answer."""


class Connection(Protocol):
    client: tuple[str, int] | None
    transport: asyncio.Transport

    @property
    def waits_for_client(self) -> bool:
        """Whether it is idle or its request is still arriving."""
        ...


class OpenConnections:
    """
    The connections of this process by address, at most CONNECTIONS_PER_ADDRESS for each. A new one takes the place of
    the address's oldest one that only waits for its client; while all of them are busy it is refused. Trusted proxies
    are not counted: they forward many clients.
    """

    def __init__(self) -> None:
        self._by_address: dict[str, dict[Connection, None]] = {}

    def add(self, connection: Connection) -> bool:
        address = _counted_address(connection)
        if address is None:
            return True
        held = self._by_address.setdefault(address, {})
        if len(held) >= settings.CONNECTIONS_PER_ADDRESS:
            waiting = next((other for other in held if other.waits_for_client), None)
            if waiting is None:
                return False
            del held[waiting]
            waiting.transport.abort()
        held[connection] = None
        return True

    def replace(self, connection: Connection, successor: Connection) -> None:
        """Count a WebSocket in place of the HTTP connection that was upgraded."""
        held = self._by_address.get(_counted_address(connection) or "", {})
        if connection in held:
            del held[connection]
            held[successor] = None

    def remove(self, connection: Connection) -> None:
        address = _counted_address(connection)
        held = self._by_address.get(address or "")
        if held is not None:
            held.pop(connection, None)
            if not held:
                del self._by_address[address or ""]


def _counted_address(connection: Connection) -> str | None:
    address = parse_address(connection.client[0]) if connection.client else None
    return None if address is None or is_trusted(address) else counted_as(str(address))


open_connections = OpenConnections()


class _Refused(Exception):
    """Ends the parsing of a head; the answer is in `LimitedHTTP.refusal`."""


class LimitedHTTP(HttpToolsProtocol):
    """
    HTTP/1.1 with limits on heads and idle time. A refusal is a problem document, after which the connection closes;
    where a client is only slow, it closes without one.
    """

    transport: asyncio.Transport

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal: Refusal | None = None
        self.running: RequestResponseCycle | None = None
        """The request that is being answered; `cycle` is the newest one, which may still wait in the pipeline."""
        self._in_head = True
        self._has_ended = False
        self._head_size = self._head_lines = self._unparsed = self._requests = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # --- The connection ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if open_connections.add(self):
            self._start_timer("head", HEAD_SECONDS, self._end)
        else:
            self._has_ended = True
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        open_connections.remove(self)
        super().connection_lost(exc)

    @property
    def waits_for_client(self) -> bool:
        return self.running is None or self.running.response_complete or self.running.more_body

    def data_received(self, data: bytes) -> None:
        if self._has_ended:
            return  # the rest of what was refused
        was_in_head, requests = self._in_head, self._requests
        if was_in_head and "head" not in self._timers:
            self._start_timer("head", HEAD_SECONDS, self._end)
        super().data_received(data)
        if was_in_head and self._in_head and requests == self._requests and not self._has_ended:
            self._unparsed += len(data)  # one header line may be longer than all that is allowed
            if self._unparsed > HEAD_BYTES:
                self._end(HeadTooLarge())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_timer("stalled", STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer("stalled")

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._start_timer("closing", STALLED_SECONDS, self.transport.abort)

    def handle_websocket_upgrade(self) -> None:
        self._stop_timer("head")
        self.url = self.url.partition(b"?")[0]  # a socket takes no query, and what a client puts there is not for logs
        super().handle_websocket_upgrade()
        socket: Any = self.transport.get_protocol()
        open_connections.replace(self, socket)

    # --- What the parser finds --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_size = self._head_lines = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_lines += 1
        self._count(len(name) + len(value) + 4)
        if self._in_head:  # trailers of a chunked body are no headers: nobody has checked them
            super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_BYTES or self._head_lines > HEAD_LINES:
            self.refusal = HeadTooLarge()
            raise _Refused

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer("head")
        fault = _fault_of(self.parser.get_http_version(), self.headers)
        if fault:
            self.refusal = MalformedHead(reason=fault)
            raise _Refused
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._requests += 1
        self._unparsed = 0

    # --- Answers ----------------------------------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._start_timer("closing", STALLED_SECONDS, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls it for whatever its parser, or one of our callbacks, did not take."""
        self._end(self.refusal or MalformedHead(reason="it is not HTTP/1.1"))

    def _end(self, refusal: Refusal | None = None) -> None:
        """
        Stop reading from this connection, send the refusal if there is one, and close.

        An earlier request that is still being answered gets its answer; then the connection closes.
        """
        self._has_ended = True
        self._stop_timer("head")
        running = self.running
        if running and not running.response_complete:
            self.pipeline.clear()
            running.keep_alive = False
            if not running.more_body:
                return
            if running.response_started:
                refusal = None
            running.disconnected = True
            running.message_event.set()
        if refusal is None:
            self.transport.close()
            self._start_timer("closing", LINGER_SECONDS, self.transport.abort)
            return
        self.transport.write(_written(refusal))
        self.transport.write_eof()
        self._start_timer("closing", LINGER_SECONDS, self.transport.abort)

    def _start_timer(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self.loop.call_later(seconds, act)

    def _stop_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer:
            timer.cancel()


class LimitedSocket(WebSocketsSansIOProtocol):
    """A WebSocket, which counts among the connections of its address."""

    waits_for_client = False

    def connection_lost(self, exc: Exception | None) -> None:
        open_connections.remove(self)
        super().connection_lost(exc)


def _fault_of(version: str, headers: list[tuple[bytes, bytes]]) -> str:
    """
    Why this head is refused, or "": no or two hosts (RFC 9112 §3.2), or a length of the body that two readers could
    see differently (§6.1, §6.3), which is how requests are smuggled past a proxy.
    """
    hosts = sum(name == b"host" for name, _ in headers)
    lengths = sum(name == b"content-length" for name, _ in headers)
    encodings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if hosts > 1 or (not hosts and version == "1.1"):
        return "it needs exactly one Host"
    if lengths > 1 or (encodings and (lengths or version != "1.1" or encodings != [b"chunked"])):
        return "the length of its body is not clear"
    return ""


def _written(refusal: Refusal) -> bytes:
    """A refusal as HTTP/1.1, outside any request of Django's."""
    response = alone(lambda: answer(refusal))
    lines = "".join(f"{name}: {value}\r\n" for name, value in response.items())
    head = STATUS_LINE[response.status_code] + lines.encode("latin-1") + b"Connection: close\r\n\r\n"
    return head + response.content
