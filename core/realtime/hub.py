"""
The receiving side of `core.realtime.publishing`: every open socket of this process, and its one Redis subscription.

A push arrives once per process and is handed, as the text it came as, to the line of each socket it is for. Streams
(conversations) are kept in order and without gaps: what arrives too early waits a moment, and what does not arrive is
read from the database. While Redis is away the hub looks into the database instead, so messages come later, not never,
and an ended session still loses its sockets at once (docs/realtime.md, docs/adr/0004-realtime-hub.md).
"""

import asyncio
import contextlib
import logging
import random
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from django.conf import settings
from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core import clock
from core.realtime import open_sockets
from core.realtime.publishing import Push, channel, read_message, source_of, sources
from core.realtime.threads import in_thread

logger = logging.getLogger("vectragrow.realtime")

NOT_AUTHENTICATED, TOO_SLOW = 4001, 4008

MOST_FRAMES, MOST_CHARACTERS = 500, 2 * 1024 * 1024
"""What may wait for one socket before its reader counts as too slow."""
LAST_WORD = 5.0
"""Seconds a socket has to take what was written to it and the close frame; then it is cut off."""
RESUME_WITHIN = 0.5
"""Seconds after `ready` in which frames of streams wait for a `resume`, so that they come behind what it brings."""
EARLY = 0.1
"""Seconds that a frame waits for the one before it. Then the database is asked."""
KNOWN_STREAMS = 20_000
CHECK_SESSIONS_EVERY, CHECK_WHILE_AWAY = 5.0, 0.5
"""Seconds between looks at whether the sessions of open sockets still live: a revocation is told at once by Redis."""
SILENCE = 5.0
"""Seconds without a message after which Redis is asked for a sign of life."""
OVERLAP = timedelta(seconds=5)
"""How far a look into the database reaches behind the one before: a message is dated before its commit."""


class Line:
    """What goes out to one socket: a bounded queue, emptied by a task of its own, so that no reader delays another."""

    def __init__(self, on_close: Callable[[], Any]) -> None:
        self.id = uuid4().hex
        self.user_id = ""
        self.session_id: UUID | None = None
        self.closing: tuple[int, str] | None = None
        self._on_close = on_close
        self._frames: deque[str] = deque()
        self._characters = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._early: list[Push] | None = []
        self._held: dict[str, list[Push]] = {}
        self._given: dict[str, int] = {}

    def put(self, text: str) -> None:
        """Queue a frame, or drop the socket if its reader is too slow."""
        if self.closing:
            return
        if len(self._frames) >= MOST_FRAMES or self._characters > MOST_CHARACTERS:
            self.close(TOO_SLOW, "too slow, reconnect and resume")
            return
        self._frames.append(text)
        self._characters += len(text)
        if len(self._frames) > MOST_FRAMES // 2:
            self._room.clear()
        self._wake.set()

    def give(self, push: Push) -> None:
        """Queue a push of the hub; frames of a stream that is just being resumed wait until that is done."""
        if not push.stream:
            self.put(push.text)
        elif self._early is not None:
            self._early.append(push)
        elif push.stream in self._held:
            held = self._held[push.stream]
            held.append(push)
            if len(held) > MOST_FRAMES:
                self.close(TOO_SLOW, "too slow, reconnect and resume")
        elif push.seq > self._given.get(push.stream, 0):
            self.put(push.text)

    async def bring(self, push: Push) -> None:
        """Queue a frame read for a `resume`, at the reader's pace."""
        await self._room.wait()
        self.put(push.text)
        if push.stream:
            self._given[push.stream] = push.seq

    def open(self) -> None:
        """Let through what came before the client could ask to resume."""
        early, self._early = self._early, None
        for push in early or ():
            self.give(push)

    def hold(self, streams: Iterable[str]) -> None:
        for stream in streams:
            self._held[stream] = []
            self._given.pop(stream, None)
        self.open()

    def release(self, streams: Iterable[str]) -> None:
        for stream in streams:
            for push in self._held.pop(stream, ()):
                self.give(push)

    def close(self, code: int, reason: str, *, after_what_waits: bool = False) -> None:
        """End the socket. What waits is dropped, unless it is to be heard first."""
        if self.closing:
            return
        self.closing = (code, reason)
        if not after_what_waits:
            self._frames.clear()
        self._room.set()
        self._wake.set()
        self._on_close()

    async def drain(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> tuple[int, str]:
        """
        Send what is queued, as ASGI messages, until the line is closed.

        :returns: the code and reason to close with
        """
        while True:
            while self._frames:
                text = self._frames.popleft()
                self._characters -= len(text)
                if not self._room.is_set() and len(self._frames) <= MOST_FRAMES // 2:
                    self._room.set()
                await send({"type": "websocket.send", "text": text})
            if self.closing:
                return self.closing
            self._wake.clear()
            await self._wake.wait()


class Stream:
    """
    How far a stream has been handed on by this process. Before `first` nothing is known.

    One that `begins` with a later frame than its first waits until the database has told what was made just before,
    since the pushes of that may have been overtaken.
    """

    __slots__ = ("asked", "begins", "first", "last", "waiting")

    def __init__(self, first: int) -> None:
        self.first = first
        self.last = first - 1
        self.waiting: dict[int, Push] = {}
        self.asked = False
        self.begins = first > 1


Live = Callable[[Collection[UUID], datetime], Collection[UUID]]


class Hub:
    """One per process (per event loop), made by the first socket."""

    def __init__(self, live_sessions: Live) -> None:
        self._live_sessions = live_sessions
        self._lines: defaultdict[str, set[Line]] = defaultdict(set)
        self._streams: OrderedDict[str, Stream] = OrderedDict()
        self._subscribed = False
        self._away = asyncio.Event()
        self._first_try = asyncio.Event()
        self._complete_until = clock.now()
        """When this process last knew that nothing had passed it by."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._spawn(self._follow_redis())
        self._spawn(self._check_sessions())

    async def join(self, line: Line) -> None:
        """Give this socket what comes from now on."""
        await self._first_try.wait()
        self._lines[line.user_id].add(line)

    def leave(self, line: Line) -> None:
        lines = self._lines.get(line.user_id, set())
        lines.discard(line)
        if not lines:
            self._lines.pop(line.user_id, None)

    def lines(self) -> list[Line]:
        return [line for lines in self._lines.values() for line in lines]

    def lines_of(self, user_id: str) -> int:
        return len(self._lines.get(user_id, ()))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- Redis ------------------------------------------------------------------------------------------------------

    async def _follow_redis(self) -> None:
        redis = Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        pause = 0.1
        while True:
            try:
                async for data in self._subscription(redis):
                    pause = 0.1
                    self._read(data)
            except (RedisError, OSError) as error:
                if self._subscribed:
                    logger.warning("Redis is away; the hub looks into the database", extra={"reason": str(error)})
            except Exception:
                logger.exception("the hub's subscription broke")
            self._subscribed = False
            self._away.set()
            self._first_try.set()
            await self._look()
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, 2.0)

    async def _subscription(self, redis: "Redis") -> Any:
        """The channel's messages. Ends in an error when Redis closes, fails or falls silent; never heals in secret."""
        async with redis.pubsub() as subscription:
            await subscription.subscribe(channel())
            asked = False
            while True:
                message = await subscription.get_message(timeout=SILENCE)
                if self._subscribed and message is not None:
                    self._complete_until = clock.now()
                if message is None:
                    if asked:
                        raise TimeoutError("no sign of life")
                    asked = True
                    await subscription.ping()
                    continue
                asked = False
                if message["type"] == "subscribe":
                    await self._look()
                    self._subscribed = True
                    self._away.clear()
                    self._first_try.set()
                elif message["type"] == "message":
                    yield message["data"]

    def _read(self, data: bytes) -> None:
        try:
            message = read_message(data)
            if isinstance(message, Push):
                self._arrived(message)
            else:
                self._revoke(set(message))
        except Exception:  # one bad message must not cost the subscription
            logger.exception("a realtime message could not be handed on")

    async def _look(self) -> None:
        """Hand on what may have passed by for the people who are here."""
        users = list(self._lines)
        since, now = self._complete_until - OVERLAP, clock.now()
        try:
            for source in sources() if users else ():
                for push in await in_thread(source.missed, users, since):
                    self._arrived(push)
            self._complete_until = now
        except Exception:
            logger.warning("the hub could not look into the database", exc_info=True)

    # --- Order ------------------------------------------------------------------------------------------------------

    def _arrived(self, push: Push) -> None:
        if not push.stream:
            self._give(push)
            return
        stream = self._streams.get(push.stream)
        if stream is None:
            stream = self._streams[push.stream] = Stream(push.seq)
            if len(self._streams) > KNOWN_STREAMS:
                self._streams.popitem(last=False)
            if stream.begins:
                self._spawn(self._begin(push.stream, stream, push.users))
        else:
            self._streams.move_to_end(push.stream)
        if stream.begins:
            stream.waiting[push.seq] = push
        elif push.seq < stream.first:  # overtaken by the first we heard of
            stream.first = push.seq
            self._give(push)
        elif push.seq > stream.last:
            stream.waiting[push.seq] = push
            self._go_on(push.stream, stream)

    async def _begin(self, name: str, stream: Stream, users: Collection[str]) -> None:
        """Begin with what was made in the last seconds: its pushes are on their way, and must not come behind."""
        try:
            for push in await in_thread(source_of(name).missed, users, clock.now() - OVERLAP):
                if push.stream == name:
                    stream.waiting.setdefault(push.seq, push)
        except Exception:
            logger.warning("what came before a first push could not be read", exc_info=True, extra={"stream": name})
        stream.begins = False
        stream.first = min(stream.waiting)
        stream.last = stream.first - 1
        self._go_on(name, stream)

    def _go_on(self, name: str, stream: Stream) -> None:
        self._hand_on(stream)
        if stream.waiting and not stream.asked:
            stream.asked = True
            self._spawn(self._fill(name, stream))

    def _hand_on(self, stream: Stream) -> None:
        while push := stream.waiting.pop(stream.last + 1, None):
            stream.last = push.seq
            self._give(push)

    async def _fill(self, name: str, stream: Stream) -> None:
        """Close a gap from the database, unless the missing frames come by themselves."""
        pause = EARLY
        while stream.waiting:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)
            if not stream.waiting:
                break
            try:
                missing = await in_thread(source_of(name).after, name, stream.last)
            except Exception:
                logger.warning("a gap could not be closed yet", exc_info=True, extra={"stream": name})
                continue
            if not missing:  # the rows are gone: go on behind the gap
                stream.last = min(stream.waiting) - 1
            for push in missing:
                if push.seq > stream.last:
                    stream.waiting[push.seq] = push
            self._hand_on(stream)
        stream.asked = False

    def _give(self, push: Push) -> None:
        for user in push.users:
            for line in self._lines.get(user, ()):
                line.give(push)

    # --- Sessions ---------------------------------------------------------------------------------------------------

    def _revoke(self, session_ids: Collection[str]) -> None:
        for line in self.lines():
            if str(line.session_id) in session_ids:
                line.close(NOT_AUTHENTICATED, "the session has ended")

    async def _check_sessions(self) -> None:
        seats_kept_at = 0.0
        while True:
            if self._away.is_set():
                await asyncio.sleep(CHECK_WHILE_AWAY)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._away.wait(), CHECK_SESSIONS_EVERY)
            if time.monotonic() - seats_kept_at > open_sockets.SEEN_EVERY:
                seats_kept_at = time.monotonic()
                await in_thread(open_sockets.keep, [(line.user_id, line.id) for line in self.lines()])
            asked = {line.session_id for line in self.lines() if line.session_id}
            if not asked:
                continue
            try:
                live = await in_thread(self._live_sessions, asked, clock.now())
            except Exception:
                logger.warning("sessions of open sockets could not be checked", exc_info=True)
                continue
            self._revoke({str(session_id) for session_id in asked.difference(live)})


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_of_this_process(live_sessions: Live) -> Hub:
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(live_sessions)
    return _hubs[loop]
