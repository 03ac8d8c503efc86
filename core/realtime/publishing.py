"""
Publishing to open sockets: frames to people, and the end of a session (docs/realtime.md).

The database is the source of truth; a frame only notifies. This is the sending side, for services: a frame is encoded
once here and travels as text through one Redis channel to the hub of each process (`core.realtime.hub`).
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from redis import RedisError

from core.api.rendering import to_json
from core.realtime.frames import Frame
from core.redis import client

logger = logging.getLogger("vectragrow.realtime")


@dataclass(frozen=True, slots=True)
class Push:
    """
    A frame on its way. With a `stream` it is one of a sequence: `seq` grows by one from frame to frame, and each
    socket gets the stream in order and without repeats.
    """

    users: Collection[str]
    text: str
    stream: str = ""
    seq: int = 0
    others: Sequence[tuple[Collection[str], str]] = ()
    """People who see something else in this place, and what."""

    @property
    def everybody(self) -> list[str]:
        return [*self.users, *(user for users, _ in self.others for user in users)]

    @property
    def parts(self) -> list["Push"]:
        """One for each text."""
        return [self, *(Push(users, text, self.stream, self.seq) for users, text in self.others)]


Variant = tuple[Iterable[UUID], Frame]
"""People, and the frame that they get in place of the one for everybody else."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the hub reads what it has missed of the streams called `<kind>:<id>`. Both answer in the order of seq."""

    after: Callable[[str, int], list[Push]]
    """`after(stream, seq)`: what follows `seq` in a stream, or the first part of it."""
    missed: Callable[[Collection[str], datetime], list[Push]]
    """`missed(user_ids, since)`: everything for these people that was made since then."""


_sources: dict[str, Source] = {}


def read_streams_from(kind: str, source: Source) -> None:
    """Register where the streams of a kind are kept; called from an app's `apps.py`."""
    _sources[kind] = source


def sources() -> Iterable[Source]:
    return _sources.values()


def source_of(stream: str) -> Source:
    return _sources[stream.partition(":")[0]]


def make_push(
    *, users: Iterable[UUID], frame: Frame, stream: str = "", seq: int = 0, others: Iterable[Variant] = ()
) -> Push:
    """Each frame is encoded once, however many get it."""
    variants = [(_texts(some), to_json(variant).decode()) for some, variant in others]
    return Push(_texts(users), to_json(frame).decode(), stream, seq, variants)


def _texts(users: Iterable[UUID]) -> list[str]:
    return [str(user) for user in users]


def publish(
    *, users: Iterable[UUID], frame: Frame, stream: str = "", seq: int = 0, others: Iterable[Variant] = ()
) -> None:
    """
    Hand a frame to every open socket of these people. Call it after the commit; choosing `users` is the access check.

    While Redis is down frames of a stream are delayed until the hubs have read the database; other frames are lost.

    :param others: people who get another frame in this place of the stream
    """
    push = make_push(users=users, frame=frame, stream=stream, seq=seq, others=others)
    if push.everybody:
        _send_all([_message(push)])


def publish_all(pushes: Iterable[Push]) -> None:
    """`publish` for frames that belong to no stream, in one exchange with Redis."""
    _send_all([_message(push) for push in pushes if push.everybody])


def _message(push: Push) -> tuple[dict[str, Any], list[str]]:
    """The line about its frames, and the frames."""
    head: dict[str, Any] = {"users": push.users, "stream": push.stream, "seq": push.seq}
    if push.others:
        head["others"] = [some for some, _ in push.others]
    return head, [part.text for part in push.parts]


def revoke(*, sessions: Iterable[UUID]) -> None:
    """Close the sockets of these sessions with 4001, now."""
    _send_all([({"revoke": [str(session) for session in sessions]}, ())])


def channel() -> str:
    return f"{settings.REDIS_PREFIX}:realtime"


def read_message(data: bytes) -> Push | list[str]:
    """What `publish` or `revoke` has sent: a push, or the ids of ended sessions."""
    head, *texts = data.decode().split("\n")
    facts = orjson.loads(head)
    if "revoke" in facts:
        return list(facts["revoke"])
    others = list(zip(facts.get("others", ()), texts[1:], strict=True))
    return Push(facts["users"], texts[0], facts["stream"], facts["seq"], others)


def _send_all(messages: Sequence[tuple[dict[str, Any], Sequence[str]]]) -> None:
    """Each one line about the frames, then a line for each, which the hub delivers without parsing it."""
    encoded = [b"\n".join([orjson.dumps(head), *(text.encode() for text in texts)]) for head, texts in messages]
    try:
        if len(encoded) == 1:
            client().publish(channel(), encoded[0])
        elif encoded:
            with client().pipeline(transaction=False) as pipeline:
                for message in encoded:
                    pipeline.publish(channel(), message)
                pipeline.execute()
    except RedisError:
        logger.warning("realtime push lost; the hubs will look for themselves", exc_info=True)
