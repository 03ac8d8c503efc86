"""
How many sockets a person has open, over all processes: at most ten (SECURITY-GOALS 55).

Kept in Redis as a sorted set of socket ids by the time they were last seen, so a process that was killed gives its
seats back within 45 seconds. When Redis is away each process counts its own.
"""

import time
from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from redis import RedisError

from core.api.errors import TooMany
from core.redis import client

MOST = 10
SEEN_EVERY, GONE_AFTER = 15.0, 45.0
"""Seconds."""


class TooManySockets(TooMany):
    code = "too_many_sockets"
    message = _("At most %(most)s sockets per person may be open at a time. Close one first.")


def take(user_id: str, socket_id: str, *, open_here: int) -> None:
    """
    Take a seat for a new socket.

    :param open_here: how many this process holds for the person
    :raises TooManySockets: all are taken
    """
    now, name = time.time(), _name(user_id)
    try:
        pipe = client().pipeline()
        pipe.zremrangebyscore(name, 0, now - GONE_AFTER)
        pipe.zadd(name, {socket_id: now})
        pipe.expire(name, int(GONE_AFTER))
        pipe.zcard(name)
        taken = pipe.execute()[-1]
    except RedisError:
        taken = open_here + 1
    if taken > MOST:
        leave(user_id, socket_id)
        raise TooManySockets(most=MOST)


def leave(user_id: str, socket_id: str) -> None:
    try:
        client().zrem(_name(user_id), socket_id)
    except RedisError:
        pass  # it ends by itself


def keep(seats: Iterable[tuple[str, str]]) -> None:
    """Say that these sockets, as (user id, socket id), are still open."""
    now = time.time()
    try:
        pipe = client().pipeline(transaction=False)
        for user_id, socket_id in seats:
            pipe.zadd(_name(user_id), {socket_id: now})
            pipe.expire(_name(user_id), int(GONE_AFTER))
        pipe.execute()
    except RedisError:
        pass  # the next round says it again


def _name(user_id: str) -> str:
    return f"{settings.REDIS_PREFIX}:sockets:{user_id}"
