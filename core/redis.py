"""The one Redis client of a process, for limits and realtime. Short timeouts: Redis may vanish at any time."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client() -> "redis.Redis":
    """A thread-safe pooled client that answers within a second or raises `redis.RedisError`."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 1)
    )
