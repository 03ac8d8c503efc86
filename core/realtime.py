"""
Telling open sockets: frames to people, and the end of a session (docs/realtime.md).

The row in the database is the truth; a frame only wakes. Frames are encoded once here and handed on as bytes.
"""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from redis import RedisError

from core.redis import client
from core.rendering import to_json

logger = logging.getLogger("vectragrow.realtime")


def channel() -> str:
    return f"{settings.REDIS_PREFIX}:realtime"


def publish(*, users: Iterable[UUID], frame: dict[str, Any]) -> None:
    """
    Hand a frame to every open socket of these people. Call it after the commit; choosing `users` is the access check.

    A Redis that is away loses the push and nothing else: clients resume from the database.
    """
    _send({"users": [str(user) for user in users], "frame": to_json(frame).decode()})


def revoke(*, sessions: Iterable[UUID]) -> None:
    """Close the sockets of these sessions with 4001, now."""
    _send({"revoke": [str(session) for session in sessions]})


def _send(message: dict[str, Any]) -> None:
    try:
        client().publish(channel(), orjson.dumps(message))
    except RedisError:
        logger.warning("realtime push lost; clients will resume", exc_info=True)
