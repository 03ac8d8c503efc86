"""
How many sockets a person has open, over all processes: at most ten (SECURITY-GOALS 55).

Kept in Redis as a sorted set of socket ids by the time of their last refresh, so the sockets of a process that was
killed no longer count after 45 seconds. While Redis is unavailable each process counts its own.
"""

import time
from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from redis import RedisError

from core.api.errors import TooMany
from core.redis import client

MAX_SOCKETS = 10
REFRESH_EVERY, EXPIRE_AFTER = 15.0, 45.0
"""Seconds."""


class TooManySockets(TooMany):
    code = "too_many_sockets"
    message = _("At most %(most)s sockets per person may be open at a time. Close one first.")


def add(user_id: str, socket_id: str, *, open_here: int) -> None:
    """
    Count a new socket of a person.

    :param open_here: how many sockets of the person this process has
    :raises TooManySockets: the person has ten open already
    """
    now, name = time.time(), _name(user_id)
    try:
        pipe = client().pipeline()
        pipe.zremrangebyscore(name, 0, now - EXPIRE_AFTER)
        pipe.zadd(name, {socket_id: now})
        pipe.expire(name, int(EXPIRE_AFTER))
        pipe.zcard(name)
        taken = pipe.execute()[-1]
    except RedisError:
        taken = open_here + 1
    if taken > MAX_SOCKETS:
        remove(user_id, socket_id)
        raise TooManySockets(most=MAX_SOCKETS)


def remove(user_id: str, socket_id: str) -> None:
    try:
        client().zrem(_name(user_id), socket_id)
    except RedisError:
        pass  # it ends by itself


def refresh(sockets: Iterable[tuple[str, str]]) -> None:
    """Record that these sockets, as (user id, socket id), are still open."""
    now = time.time()
    try:
        pipe = client().pipeline(transaction=False)
        for user_id, socket_id in sockets:
            pipe.zadd(_name(user_id), {socket_id: now})
            pipe.expire(_name(user_id), int(EXPIRE_AFTER))
        pipe.execute()
    except RedisError:
        pass  # the next round does it again


def _name(user_id: str) -> str:
    return f"{settings.REDIS_PREFIX}:sockets:{user_id}"
