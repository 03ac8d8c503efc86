"""
Limits: how often something may happen per key and time, counted in Redis over sliding windows.

While Redis is unavailable each process counts for itself: limits grow by the number of processes and never end.
"""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from math import ceil

from django.conf import settings
from redis import RedisError

from core import context
from core.addresses import counted_as
from core.api.errors import TooMany
from core.redis import client

logger = logging.getLogger("vectragrow.limits")

_SLIDING_WINDOW = """
local now, window, limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local slot = math.floor(now / window)
local passed = (now % window) / window
local before = tonumber(redis.call('HGET', KEYS[1], slot - 1) or '0')
local current = tonumber(redis.call('HGET', KEYS[1], slot) or '0')
local used = before * (1 - passed) + current
if used + cost > limit then
  local wait = window - now % window
  if before > 0 and current + cost <= limit then wait = ((used + cost - limit) / before) * window end
  return {0, math.max(0, math.floor(limit - used)), tostring(wait)}
end
if cost ~= 0 then
  redis.call('HINCRBY', KEYS[1], slot, cost)
  redis.call('HDEL', KEYS[1], slot - 2)
  redis.call('EXPIRE', KEYS[1], window * 2)
end
return {1, math.floor(limit - used - cost), tostring(window - now % window)}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times per `window`; `name` is like 'login:address'."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class LimitState:
    """A key after a hit: the values of the `RateLimit-*` headers (`reset_seconds`: until the window ends)."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.remaining)),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class RateLimited(TooMany):
    code = "rate_limited"

    def __init__(self, state: LimitState) -> None:
        super().__init__(retry_after=timedelta(seconds=state.reset_seconds))
        self.state = state

    @property
    def headers(self) -> dict[str, str]:
        return {**super().headers, **self.state.headers}


def hit(limit: Limit, key: object, *, cost: int = 1) -> LimitState:
    """
    Count one occurrence for `key`; `cost=0` only checks.

    :raises RateLimited: the limit is reached; nothing is counted
    """
    allowed, state = _count(limit, str(key), cost)
    if not allowed or (cost == 0 and state.remaining <= 0):
        raise RateLimited(state)
    return state


def hit_if_accepted(limit: Limit, key: object, *, cost: int = 1) -> LimitState:
    """
    `hit`, given back when the request is refused for whatever reason. It is counted first, so that parallel requests
    count too. Floods of refused tries are the matter of another limit.

    :raises RateLimited: as `hit`
    """
    state = hit(limit, key, cost=cost)
    counted = context.counted_if_accepted.get()
    if counted is not None:
        counted.append((limit, key, cost))
    return state


def give_back_refused() -> None:
    """What a refused request was counted for by `hit_if_accepted`."""
    counted = context.counted_if_accepted.get()
    while counted:
        limit, key, cost = counted.pop()
        give_back(limit, key, cost=cost)


def check(limit: Limit, key: object) -> LimitState:
    """Check without counting, for limits on failures. :raises RateLimited: the limit is reached"""
    return hit(limit, key, cost=0)


def give_back(limit: Limit, key: object, *, cost: int = 1) -> None:
    """Uncount what was counted: of failures when an attempt succeeded, of acts when one was refused."""
    _count(limit, str(key), -cost)


def forget(limit: Limit, key: object) -> None:
    """Reset the count of the key."""
    name = _forgotten(limit, key)
    try:
        client().delete(name)
    except RedisError:
        logger.warning("could not reset a limit", extra={"limit": limit.name})


def settle(limit: Limit, key: object, *, forgotten: Limit, forgotten_key: object) -> None:
    """`give_back` of one and `forget` of the other in one exchange with Redis, for a correct password."""
    name, window = _name(limit, str(key)), limit.window.total_seconds()
    forgotten_name = _forgotten(forgotten, forgotten_key)
    try:
        both = client().pipeline(transaction=False)
        both.eval(_SLIDING_WINDOW, 1, name, time.time(), window, limit.most, -1)
        both.delete(forgotten_name)
        (_, remaining, wait), _ = both.execute()
    except RedisError:
        give_back(limit, key)
    else:
        _note(limit, LimitState(limit.most, int(remaining), max(1, ceil(float(wait)))))


def _forgotten(limit: Limit, key: object) -> str:
    """Forget the key in this process. Returns its name in Redis."""
    _note(limit, LimitState(limit.most, limit.most, ceil(limit.window.total_seconds())))
    name = _name(limit, str(key))
    _local.pop(name, None)
    return name


def _name(limit: Limit, key: str) -> str:
    return f"{settings.REDIS_PREFIX}:limit:{limit.name}:{sha256(counted_as(key).encode()).hexdigest()[:32]}"


def _count(limit: Limit, key: str, cost: int) -> tuple[bool, LimitState]:
    name, window, now = _name(limit, key), limit.window.total_seconds(), time.time()
    try:
        allowed, remaining, wait = client().eval(_SLIDING_WINDOW, 1, name, now, window, limit.most, cost)
    except RedisError:
        allowed, remaining, wait = _count_here(name, window, limit.most, cost, now)
    state = LimitState(limit.most, int(remaining), max(1, ceil(float(wait))))
    _note(limit, state)
    return bool(allowed), state


def _note(limit: Limit, state: LimitState) -> None:
    met = context.limits_met.get()
    if met is not None:
        met[limit.name] = state


def headers() -> dict[str, str]:
    """`RateLimit-*` for the answer to this request: of the limit that will be reached first; empty without one."""
    met = context.limits_met.get()
    return min(met.values(), key=lambda state: state.remaining).headers if met else {}


_local: OrderedDict[str, tuple[int, int]] = OrderedDict()
_local_lock = threading.Lock()


def _count_here(name: str, window: float, most: int, cost: int, now: float) -> tuple[bool, int, float]:
    slot = int(now // window)
    with _local_lock:
        seen_slot, used = _local.get(name, (slot, 0))
        used = used if seen_slot == slot else 0
        allowed = used + cost <= most
        if allowed:
            used += cost
            _local[name] = (slot, used)
            _local.move_to_end(name)
            while len(_local) > 10_000:
                _local.popitem(last=False)
    return allowed, most - used, window - now % window
