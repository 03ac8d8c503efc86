"""
The receiving side of `core.realtime.publishing`: the open sockets of this process and its one Redis subscription.

A push arrives once per process and is put, unchanged, into the send queue of each socket that it is for. Streams
(conversations) keep their order and have no gaps: a push that arrives early waits, and one that does not arrive is read
from the database. While Redis is down the hub polls the database, so messages are delayed and not lost, and sockets of
an ended session are still closed (docs/realtime.md, docs/adr/0004-realtime-hub.md).
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

MAX_FRAMES, MAX_CHARACTERS = 500, 2 * 1024 * 1024
"""What may be queued for one socket before it is closed as too slow."""
CLOSE_GRACE = 5.0
"""Seconds a client has to read what was sent and the close frame; then the connection is aborted."""
RESUME_WITHIN = 0.5
"""Seconds after `ready` in which frames of streams wait for a `resume`, so that they follow the frames it reads."""
REORDER_WAIT = 0.1
"""Seconds that a frame waits for the one before it. Then the database is read."""
KNOWN_STREAMS = 20_000
CHECK_SESSIONS_EVERY, CHECK_WITHOUT_REDIS = 5.0, 0.5
"""Seconds between checks that the sessions of open sockets are still live. Redis reports a revocation at once."""
PING_AFTER = 5.0
"""Seconds without a message after which Redis gets a ping."""
OVERLAP = timedelta(seconds=5)
"""How far a read of the database reaches behind the one before: a message is dated before its commit."""


class SendQueue:
    """The bounded queue of frames to one socket, emptied by a task of its own, so that no client delays another."""

    def __init__(self, on_close: Callable[[], Any]) -> None:
        self.id = uuid4().hex
        self.user_id = ""
        self.session_id: UUID | None = None
        self.closing: tuple[int, str] | None = None
        self._on_close = on_close
        self._frames: deque[str] = deque()
        self._characters = 0
        self._wake = asyncio.Event()
        self._has_space = asyncio.Event()
        self._has_space.set()
        self._before_resume: list[Push] | None = []
        self._held: dict[str, list[Push]] = {}
        self._sent_up_to: dict[str, int] = {}

    def put(self, text: str) -> None:
        """Queue a frame, or close the socket if its client is too slow."""
        if self.closing:
            return
        if len(self._frames) >= MAX_FRAMES or self._characters > MAX_CHARACTERS:
            self.close(TOO_SLOW, "too slow, reconnect and resume")
            return
        self._frames.append(text)
        self._characters += len(text)
        if len(self._frames) > MAX_FRAMES // 2:
            self._has_space.clear()
        self._wake.set()

    def put_push(self, push: Push) -> None:
        """Queue a push of the hub. Frames of a stream that is being resumed wait until that is done."""
        if not push.stream:
            self.put(push.text)
        elif self._before_resume is not None:
            self._before_resume.append(push)
        elif push.stream in self._held:
            held = self._held[push.stream]
            held.append(push)
            if len(held) > MAX_FRAMES:
                self.close(TOO_SLOW, "too slow, reconnect and resume")
        elif push.seq > self._sent_up_to.get(push.stream, 0):
            self.put(push.text)

    async def put_resumed(self, push: Push) -> None:
        """Queue a frame that was read for a `resume`; waits while the queue is half full."""
        await self._has_space.wait()
        self.put(push.text)
        if push.stream:
            self._sent_up_to[push.stream] = push.seq

    def end_resume_window(self) -> None:
        """Queue the pushes that came before the client could ask to resume."""
        early, self._before_resume = self._before_resume, None
        for push in early or ():
            self.put_push(push)

    def hold(self, streams: Iterable[str]) -> None:
        for stream in streams:
            self._held[stream] = []
            self._sent_up_to.pop(stream, None)
        self.end_resume_window()

    def release(self, streams: Iterable[str]) -> None:
        for stream in streams:
            for push in self._held.pop(stream, ()):
                self.put_push(push)

    def close(self, code: int, reason: str, *, after_queued: bool = False) -> None:
        """End the socket. What is queued is dropped, unless `after_queued`."""
        if self.closing:
            return
        self.closing = (code, reason)
        if not after_queued:
            self._frames.clear()
        self._has_space.set()
        self._wake.set()
        self._on_close()

    async def drain(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> tuple[int, str]:
        """
        Send what is queued, as ASGI messages, until the queue is closed.

        :returns: the code and reason to close with
        """
        while True:
            while self._frames:
                text = self._frames.popleft()
                self._characters -= len(text)
                if not self._has_space.is_set() and len(self._frames) <= MAX_FRAMES // 2:
                    self._has_space.set()
                await send({"type": "websocket.send", "text": text})
            if self.closing:
                return self.closing
            self._wake.clear()
            await self._wake.wait()


class Stream:
    """
    How far this process has delivered a stream. Before `first` nothing is known.

        A stream that `begins` with a later frame than its first waits until the frames just before were read from the
        database, since their pushes may have been overtaken.
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
        self._queues: defaultdict[str, set[SendQueue]] = defaultdict(set)
        self._streams: OrderedDict[str, Stream] = OrderedDict()
        self._subscribed = False
        self._redis_is_down = asyncio.Event()
        self._first_try = asyncio.Event()
        self._complete_until = clock.now()
        """When this process last knew that it had missed nothing."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._spawn(self._follow_redis())
        self._spawn(self._check_sessions())

    async def join(self, queue: SendQueue) -> None:
        """Deliver to this socket what is published from now on."""
        await self._first_try.wait()
        self._queues[queue.user_id].add(queue)

    def leave(self, queue: SendQueue) -> None:
        queues = self._queues.get(queue.user_id, set())
        queues.discard(queue)
        if not queues:
            self._queues.pop(queue.user_id, None)

    def queues(self) -> list[SendQueue]:
        return [queue for queues in self._queues.values() for queue in queues]

    def count_of(self, user_id: str) -> int:
        return len(self._queues.get(user_id, ()))

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
                    logger.warning("Redis is down; the hub polls the database", extra={"reason": str(error)})
            except Exception:
                logger.exception("the hub's subscription broke")
            self._subscribed = False
            self._redis_is_down.set()
            self._first_try.set()
            await self._read_missed()
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, 2.0)

    async def _subscription(self, redis: "Redis") -> Any:
        """
        The messages of the channel. Raises when Redis closes, fails or stops answering; never reconnects by itself.
        """
        async with redis.pubsub() as subscription:
            await subscription.subscribe(channel())
            asked = False
            while True:
                message = await subscription.get_message(timeout=PING_AFTER)
                if self._subscribed and message is not None:
                    self._complete_until = clock.now()
                if message is None:
                    if asked:
                        raise TimeoutError("Redis does not answer a ping")
                    asked = True
                    await subscription.ping()
                    continue
                asked = False
                if message["type"] == "subscribe":
                    await self._read_missed()
                    self._subscribed = True
                    self._redis_is_down.clear()
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
            logger.exception("a realtime message could not be delivered")

    async def _read_missed(self) -> None:
        """Deliver what may have been missed for the people who are connected."""
        users = list(self._queues)
        since, now = self._complete_until - OVERLAP, clock.now()
        try:
            for source in sources() if users else ():
                for push in await in_thread(source.missed, users, since):
                    self._arrived(push)
            self._complete_until = now
        except Exception:
            logger.warning("the hub could not read the database", exc_info=True)

    # --- Order ------------------------------------------------------------------------------------------------------

    def _arrived(self, push: Push) -> None:
        if not push.stream:
            self._deliver(push)
            return
        stream = self._streams.get(push.stream)
        if stream is None:
            stream = self._streams[push.stream] = Stream(push.seq)
            if len(self._streams) > KNOWN_STREAMS:
                self._streams.popitem(last=False)
            if stream.begins:
                self._spawn(self._read_earlier(push.stream, stream, push.everybody))
        else:
            self._streams.move_to_end(push.stream)
        if stream.begins:
            stream.waiting[push.seq] = push
        elif push.seq < stream.first:  # overtaken by the first one that arrived
            stream.first = push.seq
            self._deliver(push)
        elif push.seq > stream.last:
            stream.waiting[push.seq] = push
            self._advance(push.stream, stream)

    async def _read_earlier(self, name: str, stream: Stream, users: Collection[str]) -> None:
        """Start with the frames of the last seconds: their pushes may still arrive, and must not come later."""
        try:
            for push in await in_thread(source_of(name).missed, users, clock.now() - OVERLAP):
                if push.stream == name:
                    stream.waiting.setdefault(push.seq, push)
        except Exception:
            logger.warning("frames before a first push could not be read", exc_info=True, extra={"stream": name})
        stream.begins = False
        stream.first = min(stream.waiting)
        stream.last = stream.first - 1
        self._advance(name, stream)

    def _advance(self, name: str, stream: Stream) -> None:
        self._deliver_in_order(stream)
        if stream.waiting and not stream.asked:
            stream.asked = True
            self._spawn(self._fill(name, stream))

    def _deliver_in_order(self, stream: Stream) -> None:
        while push := stream.waiting.pop(stream.last + 1, None):
            stream.last = push.seq
            self._deliver(push)

    async def _fill(self, name: str, stream: Stream) -> None:
        """Close a gap from the database, unless the missing frames arrive meanwhile."""
        pause = REORDER_WAIT
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
            self._deliver_in_order(stream)
        stream.asked = False

    def _deliver(self, push: Push) -> None:
        for part in push.parts:
            for user in part.users:
                for queue in self._queues.get(user, ()):
                    queue.put_push(part)

    # --- Sessions ---------------------------------------------------------------------------------------------------

    def _revoke(self, session_ids: Collection[str]) -> None:
        for queue in self.queues():
            if str(queue.session_id) in session_ids:
                queue.close(NOT_AUTHENTICATED, "the session has ended")

    async def _check_sessions(self) -> None:
        last_refresh = 0.0
        while True:
            if self._redis_is_down.is_set():
                await asyncio.sleep(CHECK_WITHOUT_REDIS)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._redis_is_down.wait(), CHECK_SESSIONS_EVERY)
            if time.monotonic() - last_refresh > open_sockets.REFRESH_EVERY:
                last_refresh = time.monotonic()
                await in_thread(open_sockets.refresh, [(queue.user_id, queue.id) for queue in self.queues()])
            asked = {queue.session_id for queue in self.queues() if queue.session_id}
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
