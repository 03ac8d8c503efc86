"""
The one socket, `/ws/`: it authenticates the client and routes each frame by its type (docs/realtime.md).

Apps register commands with `@on("chat.send", ...)`, what a `resume` reads with `@resumes(...)`, and the frames they
publish with `announces(...)`; the rules are in their services. A frame's type is looked up in that table and nowhere
else, so no client can name a function.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from msgspec import UNSET
from msgspec.structs import replace
from rest_framework import serializers

from core import clock, context
from core.addresses import forwarded_address
from core.api import limits
from core.api.errors import Broken, Conflict, Invalid, MalformedBody, NotAllowed, TooLarge, TooMany, Unauthenticated
from core.api.limits import Limit
from core.api.middleware import log_end, request_id_from
from core.api.outputs import FieldError
from core.api.parsing import NumberLiteral, parse_json
from core.api.permissions import Permission, SignedIn
from core.api.principals import Principal
from core.api.problems import refusal_of
from core.api.rendering import to_json
from core.api.serializers import Serializer
from core.realtime import open_sockets
from core.realtime.frames import Ack, Error, Frame, Pong, Ready, Ref
from core.realtime.hub import CLOSE_GRACE, NOT_AUTHENTICATED, RESUME_WITHIN, Hub, SendQueue, hub_of_this_process
from core.realtime.publishing import Push
from core.realtime.threads import in_thread

logger = logging.getLogger("vectragrow.sockets")

PROTOCOL = "vectragrow.v1"
FOREIGN_ORIGIN, FLOODING, TOO_BIG = 4003, 4029, 1009
MAX_FRAME = 64 * 1024
"""Bytes."""
AUTH_WITHIN = 10.0
HEARTBEAT = 25
"""Seconds between the pings that a client should send; the server's own pings are the protocol's (docs/realtime.md)."""
SESSION_CACHED = 5.0
"""Seconds for which a session and its person are cached for frames. The hub closes the sockets of an ended session
within one second."""
MESSAGES = Limit("socket:messages", 100, timedelta(minutes=1))
"""Per person, over all their sockets and, for messages, REST."""
SIGNALS = Limit("socket:signals", 300, timedelta(minutes=1))
"""Frames that clients send by themselves while somebody reads and types."""
LARGEST_REF = 2**53 - 1
"""What JSON carries exactly between any two (RFC 8259 §6)."""
REFUSED = Limit("socket:address", 10, timedelta(minutes=1))
"""Invalid tokens from one address. Expired ones do not count: we issued them, and clients refresh and reconnect."""


class Flooding(TooMany):
    code = "flooding"
    message = _("Too many frames in a minute. Slow down and reconnect.")


class TooManyRefused(TooMany):
    code = "too_many_refused"
    message = _("Too many invalid tokens from your address. Wait a minute and reconnect.")


class UnknownType(Invalid):
    code = "unknown_type"
    message = _("No frame of this type is taken here.")


class AlreadySignedIn(Conflict):
    code = "already_signed_in"
    message = _("This socket is signed in already and stays so while its session lives.")


# --- What apps register -----------------------------------------------------------------------------------------------


class Session(Protocol):
    """A signed-in device, as `accounts` keeps it."""

    pk: UUID
    user: Any

    def is_recent_at(self, now: datetime) -> bool: ...


@dataclass(frozen=True)
class SocketAuthentication:
    """How sockets authenticate; provided by the app that owns accounts."""

    session_of: Callable[[str, datetime], Session]
    """The live session of an access token. :raises Unauthenticated:"""
    live_sessions: Callable[[Collection[UUID], datetime], Mapping[UUID, Session]]
    """Which of these sessions are still live, with their people as they are now."""


@dataclass(frozen=True)
class Command:
    """A frame that clients may send: `name` is its type."""

    name: str
    input: type[Serializer]
    run: Callable[..., Ack | None]
    answer: type[Ack]
    permissions: tuple[type[Permission], ...]
    limit: Limit

    @property
    def summary(self) -> str:
        return (self.run.__doc__ or "").strip().split("\n")[0]


@dataclass(frozen=True)
class Page:
    """Part of what a `resume` reads: frames in order, and the positions to read on from."""

    pushes: list[Push]
    rest: Any
    """The next positions for its reader; empty when all was read."""


@dataclass(frozen=True)
class Resumption:
    """A member of `resume`: its field, its streams, and how to read on from its positions."""

    name: str
    field: serializers.Field[Any, Any, Any, Any]
    streams: Callable[[Any], list[str]]
    read: Callable[..., Page]


R = TypeVar("R", bound=Callable[..., Any])

_authentication: SocketAuthentication | None = None
_commands: dict[str, Command] = {}
_resumptions: dict[str, Resumption] = {}
_announced: list[type[Frame]] = [Ready, Pong, Error]


def authenticate_with(authentication: SocketAuthentication) -> None:
    global _authentication
    _authentication = authentication


def authentication() -> SocketAuthentication:
    if _authentication is None:
        raise LookupError("no app has called authenticate_with()")
    return _authentication


def on(
    name: str,
    input: type[Serializer],
    *,
    permissions: Iterable[type[Permission]] = (SignedIn,),
    answer: type[Ack] = Ack,
    limit: Limit = MESSAGES,
) -> Callable[[R], R]:
    """
    Register `def handler(*, user, now, **input)` for a type of frame. It runs on a thread and returns the ack, or None
    for a plain one.

    :param answer: the class of the ack, for the document
    """

    def register(handler: R) -> R:
        _commands[name] = Command(name, input, handler, answer, tuple(permissions), limit)
        return handler

    return register


def resumes(
    name: str, field: serializers.Field[Any, Any, Any, Any], *, streams: Callable[[Any], list[str]]
) -> Callable[[R], R]:
    """
    Register `def reader(*, user, positions) -> Page` for a member of `resume`; it is called until nothing is left.

    :param streams: the streams of the hub that these positions stand for; they are held back while it reads
    """

    def register(reader: R) -> R:
        _resumptions[name] = Resumption(name, field, streams, reader)
        return reader

    return register


def announces(*frames: type[Frame]) -> None:
    """Name the frames that this app publishes, for the AsyncAPI document."""
    _announced.extend(frames)


def commands() -> list[Command]:
    return list(_commands.values())


def announced() -> list[type[Frame]]:
    """Every frame that the server sends but for the acks."""
    return list(_announced)


class AuthInput(Serializer):
    token = serializers.CharField(max_length=1000)


@cache
def resume_input() -> type[Serializer]:
    fields = {part.name: part.field for part in _resumptions.values()}
    return type("ResumeInput", (Serializer,), {**fields, "__module__": __name__})


# --- The socket -------------------------------------------------------------------------------------------------------


class Socket(AsyncWebsocketConsumer):
    """
    One connection. Outgoing frames pass through its queue, so that answers and pushes keep their order; incoming frames
        are handled one after the other.
    """

    queue: SendQueue
    session: Session | None = None
    hub: Hub | None = None
    _session_cached_until = 0.0

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does it, without touching database connections: these belong to `core.realtime.threads`."""
        match message["type"]:
            case "websocket.connect":
                await self.connect()
            case "websocket.receive":
                await self.receive(message.get("text"), message.get("bytes"))
            case "websocket.disconnect":
                await self.disconnect(message.get("code", 1005))
                raise StopConsumer()

    async def connect(self) -> None:
        headers = _headers_of(self.scope)
        context.request_id.set(request_id_from(headers.get("x-request-id", "")))
        peer = (self.scope.get("client") or ("",))[0]
        context.client_address.set(forwarded_address(peer, headers.get("x-forwarded-for", "")))
        offered = self.scope.get("subprotocols", [])
        self._started = time.perf_counter()
        self._loop = asyncio.get_running_loop()
        self.queue = SendQueue(on_close=lambda: self._loop.call_later(CLOSE_GRACE, self._abort))
        await self.accept(PROTOCOL if PROTOCOL in offered else None)
        self._pump_task = self._loop.create_task(self._pump())
        origin = headers.get("origin")
        if origin is not None and origin not in settings.WEBSOCKET_ORIGINS:
            self.queue.close(FOREIGN_ORIGIN, "this origin may not connect")
            return
        self._deadline = self._loop.call_later(AUTH_WITHIN, self._close_unauthenticated)
        token = next((name.removeprefix("bearer.") for name in offered if name.startswith("bearer.")), None)
        if token is not None:
            try:
                await self._sign_in(token)
            except Exception as error:  # noqa: BLE001  (answered in an error frame)
                self._refuse(error, None)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.queue.closing:
            return
        ref = None
        try:
            members = _read(text_data)
            ref = _ref(members)
            _whole_numbers_only(members)
            answer = await self._answer(members.pop("type", None), ref, members)
            if ref is not None and answer is not None:
                self._send_frame(replace(answer, ref=ref))
        except Exception as error:  # noqa: BLE001  (answered in an error frame)
            self._refuse(error, ref)

    async def disconnect(self, code: int) -> None:
        self._pump_task.cancel()
        person = self.session.user.pk if self.session else None
        log_end(method="WS", route="/ws/", status=code, started=self._started, person=person)
        if self.session is None:
            return
        if self.hub:
            self.hub.leave(self.queue)
        await in_thread(open_sockets.remove, self.queue.user_id, self.queue.id)

    # --- In -----------------------------------------------------------------------------------------------------------

    async def _answer(self, kind: Any, ref: Ref | None, members: dict[str, Any]) -> Ack | None:
        """Execute a frame. Returns its ack, or None if it was answered otherwise."""
        if self.session is None:
            if kind != "auth":
                raise Unauthenticated()
            await self._sign_in(_checked(AuthInput, members)["token"])
            return Ack()
        match kind:
            case "auth":
                raise AlreadySignedIn()
            case "ping":
                await in_thread(self._count, MESSAGES)
                self._send_frame(Pong(ref=UNSET if ref is None else ref))
                return None
            case "resume":
                await in_thread(self._count, MESSAGES)
                await self._resume(_checked(resume_input(), members))
                return Ack()
        command = _commands.get(kind) if isinstance(kind, str) else None
        return await in_thread(self._run, command, members)

    def _run(self, command: Command | None, members: dict[str, Any]) -> Ack:
        """On a thread: load the session, check permissions and input, run the command."""
        now = clock.now()
        self._count(command.limit if command else MESSAGES)
        if command is None:
            raise UnknownType(field="type")
        session = self._present_session(now)
        try:
            _check_permissions(command.permissions, session)
        except NotAllowed:  # the cached person may be outdated: an address verified a moment ago
            self._session_cached_until = 0.0
            session = self._present_session(now)
            _check_permissions(command.permissions, session)
        return command.run(user=session.user, now=now, **_checked(command.input, members)) or Ack()

    def _present_session(self, now: datetime) -> Session:
        """
        This socket's session, with the person as they were at most five seconds ago.

        :raises Unauthenticated: it has ended
        """
        assert self.session is not None
        if time.monotonic() > self._session_cached_until:
            session = authentication().live_sessions([self.session.pk], now).get(self.session.pk)
            if session is None:
                raise Unauthenticated()
            self.session = session
            self._session_cached_until = time.monotonic() + SESSION_CACHED
        return self.session

    def _count(self, limit: Limit) -> None:
        try:
            limits.hit(limit, self.queue.user_id)
        except TooMany as refusal:
            raise Flooding(retry_after=refusal.retry_after) from None

    async def _sign_in(self, token: str) -> None:
        hub = hub_of_this_process(lambda ids, now: authentication().live_sessions(ids, now).keys())
        session = await in_thread(self._authenticate, token, hub)
        self._deadline.cancel()
        self.queue.user_id, self.queue.session_id = str(session.user.pk), session.pk
        self.session, self.hub = session, hub
        await hub.join(self.queue)
        await in_thread(self._present_session, clock.now())  # it may have ended before the hub knew of it
        self._send_frame(Ready(user_id=session.user.pk, session_id=session.pk, heartbeat_seconds=HEARTBEAT))
        self._loop.call_later(RESUME_WITHIN, self.queue.end_resume_window)

    def _authenticate(self, token: str, hub: Hub) -> Session:
        session = _session_of(token)
        user_id = str(session.user.pk)
        open_sockets.add(user_id, self.queue.id, open_here=hub.count_of(user_id))
        return session

    async def _resume(self, positions: dict[str, Any]) -> None:
        """Send what the client lacks of each stream, in order, and only then what has arrived meanwhile."""
        parts = [(_resumptions[name], value) for name, value in positions.items()]
        streams = [stream for part, value in parts for stream in part.streams(value)]
        self.queue.hold(streams)
        try:
            for part, rest in parts:
                while rest and not self.queue.closing:
                    session = await in_thread(self._present_session, clock.now())
                    page = await in_thread(part.read, user=session.user, positions=rest)
                    for push in page.pushes:
                        await self.queue.put_resumed(push)
                    rest = page.rest
        finally:
            self.queue.release(streams)

    # --- Out ----------------------------------------------------------------------------------------------------------

    def _send_frame(self, frame: Frame) -> None:
        self.queue.put(to_json(frame).decode())

    def _refuse(self, error: Exception, ref: Ref | None) -> None:
        """Answer with the refusal's own code; close where the socket cannot go on."""
        refusal = refusal_of(error)
        if refusal is None:
            logger.error("a frame could not be handled", exc_info=error)
            refusal = Broken()
        frame = Error(
            ref=UNSET if ref is None else ref,
            code=refusal.code,
            detail=refusal.detail,
            errors=[FieldError(**row) for row in refusal.errors] or UNSET,
        )
        self._send_frame(frame)
        match refusal:
            case Unauthenticated():
                self.queue.close(NOT_AUTHENTICATED, "not authenticated", after_queued=True)
            case Flooding() | TooManyRefused() | open_sockets.TooManySockets():
                self.queue.close(FLOODING, refusal.code, after_queued=True)
            case TooLarge():
                self.queue.close(TOO_BIG, "frame too large", after_queued=True)

    async def _pump(self) -> None:
        code, reason = await self.queue.drain(self.base_send)
        await self.close(code, reason)

    def _close_unauthenticated(self) -> None:
        self.queue.close(NOT_AUTHENTICATED, f"no token within {AUTH_WITHIN:.0f} seconds")

    def _abort(self) -> None:
        """
        Abort a connection whose client neither reads nor closes. ASGI has no message for it, and a close frame would
                wait behind what is unread; the `send` of uvicorn is a method of its protocol, which has the transport.
        """
        transport = getattr(getattr(self.base_send, "__self__", None), "transport", None)
        if transport is not None and not self._pump_task.done():
            transport.abort()


def _headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Lines of one name are one list (RFC 9110 §5.3): a proxy may add one of its own."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _session_of(token: str) -> Session:
    """
        The live session of a token.

        :raises Unauthenticated: it is not good
    :raises TooManyRefused: too many from this address were not; this one was not checked
    """
    address = context.client_address.get()
    try:
        limits.check(REFUSED, address)
        try:
            return authentication().session_of(token, clock.now())
        except Unauthenticated as refusal:
            if refusal.may_be_a_guess:
                limits.hit(REFUSED, address)
            raise
    except limits.RateLimited as refusal:
        raise TooManyRefused(retry_after=refusal.retry_after) from None


def _check_permissions(permissions: Iterable[type[Permission]], session: Session) -> None:
    for permission in permissions:
        permission().has_permission(Principal(session.user, session), None)


def _read(text: str | None) -> dict[str, Any]:
    if text is None:
        raise MalformedBody(reason="frames are text, not binary")
    body = text.encode()
    if len(body) > MAX_FRAME:
        raise TooLarge()
    frame = parse_json(body)
    if not isinstance(frame, dict):
        raise MalformedBody(reason="a frame is an object")
    return frame


def _ref(members: dict[str, Any]) -> Ref | None:
    """The reference that the client put on a frame, returned with the answer."""
    ref = members.pop("ref", None)
    is_number = isinstance(ref, int) and not isinstance(ref, bool) and abs(ref) <= LARGEST_REF
    is_text = isinstance(ref, str) and not isinstance(ref, NumberLiteral) and len(ref) <= 64
    if ref is None or is_number or is_text:
        return cast("str | int | None", ref)
    raise Invalid(field="ref")


def _whole_numbers_only(value: Any, field: str = "") -> None:
    """
    Numbers in frames have no fraction or exponent; `1.0` is a mistake of the client, and `1e400` fits no number type.

        :raises Invalid: naming the member
    """
    if isinstance(value, NumberLiteral):
        raise Invalid(field=field)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        _whole_numbers_only(member, f"{field}.{name}" if field else str(name))


def _checked(input_class: type[Serializer], members: dict[str, Any]) -> dict[str, Any]:
    serializer = input_class(data=members)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
