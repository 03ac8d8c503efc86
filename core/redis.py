"""
The one Redis client of a process, for limits and realtime. Redis may fail or become slow at any time.

No call waits longer than `REDIS_WAIT` (100 ms). A Redis that did not answer in that time counts as unavailable, and for
two seconds no call of this process tries it again: a request that needs it ten times waits once (SECURITY-GOALS 59). A
Redis that refuses connections costs no time and is tried each time.
"""

import time
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.connection import Connection, parse_url
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

RETRY_AFTER = 2.0
"""Seconds for which a Redis that did not answer is not tried."""

_unavailable_until = 0.0


class RedisUnavailable(ConnectionError):
    """Redis did not answer a moment ago."""


def is_unavailable() -> bool:
    return time.monotonic() < _unavailable_until


def _mark_unavailable() -> None:
    global _unavailable_until
    _unavailable_until = time.monotonic() + RETRY_AFTER


class _Watched:
    """Mixed into the kind of connection that REDIS_URL asks for."""

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        if is_unavailable():
            raise RedisUnavailable("Redis did not answer a moment ago")
        try:
            return super().connect(*args, **kwargs)  # type: ignore[misc]
        except TimeoutError:
            _mark_unavailable()
            raise

    def send_packed_command(self, *args: Any, **kwargs: Any) -> Any:
        if is_unavailable():
            raise RedisUnavailable("Redis did not answer a moment ago")
        return super().send_packed_command(*args, **kwargs)  # type: ignore[misc]

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        except TimeoutError:
            _mark_unavailable()
            raise


@cache
def client() -> "redis.Redis":
    """A thread-safe pooled client that answers within `REDIS_WAIT` seconds or raises `redis.RedisError`."""
    options: dict[str, Any] = dict(parse_url(settings.REDIS_URL))
    kind = type("WatchedConnection", (_Watched, options.pop("connection_class", Connection)), {})
    pool = redis.ConnectionPool(
        connection_class=kind,
        **options,
        socket_timeout=settings.REDIS_WAIT,
        socket_connect_timeout=settings.REDIS_WAIT,
        retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it was idle is replaced once
    )
    return redis.Redis(connection_pool=pool)
