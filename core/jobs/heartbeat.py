"""Heartbeats of the processes that answer no requests, kept in Redis for 30 seconds."""

import time
from datetime import timedelta

from django.conf import settings
from redis import RedisError

from core.redis import client

KEPT = timedelta(seconds=30)


def beat(name: str) -> None:
    """Record that `name` is alive now. Does nothing while Redis is unavailable."""
    try:
        client().set(key(name), int(time.time()), ex=KEPT)
    except RedisError:
        pass  # `is_alive` reports it


def is_alive(name: str) -> bool:
    """
    Whether `name` sent a heartbeat within the last 30 s.

    :raises redis.RedisError: Redis does not answer
    """
    return bool(client().exists(key(name)))


def key(name: str) -> str:
    return f"{settings.REDIS_PREFIX}:heartbeat:{name}"
