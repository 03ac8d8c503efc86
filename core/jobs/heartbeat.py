"""Signs of life of the processes that answer no requests, kept in Redis for a little while."""

import time
from datetime import timedelta

from django.conf import settings
from redis import RedisError

from core.redis import client

KEPT = timedelta(seconds=30)


def beat(name: str) -> None:
    """Say that `name` is alive now. A Redis that is away is told elsewhere."""
    try:
        client().set(key(name), int(time.time()), ex=KEPT)
    except RedisError:
        pass  # whoever asks will notice by itself


def is_alive(name: str) -> bool:
    """
    Whether `name` showed a sign of life within the last 30 s.

    :raises redis.RedisError: Redis cannot be asked
    """
    return bool(client().exists(key(name)))


def key(name: str) -> str:
    return f"{settings.REDIS_PREFIX}:heartbeat:{name}"
