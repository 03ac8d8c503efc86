"""Identifiers: UUIDv7 (RFC 9562 §5.7), sortable by time and not enumerable."""

import hashlib
import os
import threading
import time
import uuid
from datetime import datetime

_lock = threading.Lock()
_last = 0
"""The 60 leading bits given last: 48 of milliseconds, 12 of a counter that keeps one process's ids in order."""


def uuid7() -> uuid.UUID:
    """A new UUIDv7; within one process each is greater than the one before (RFC 9562 §6.2, method 1)."""
    global _last
    now = (time.time_ns() // 1_000_000) << 12
    with _lock:
        _last = max(now, _last + 1)
        lead = _last
    milliseconds, counter = lead >> 12, lead & 0xFFF
    tail = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail)


def first_id_at(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of a moment: ids from then on are not below it, so a key index serves as a time index."""
    return uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | (0x7 << 76) | (0b10 << 62))


def derived_id(base: uuid.UUID, name: str) -> uuid.UUID:
    """
    Always the same UUIDv7 for the same id and name: what is written twice because of one thing has one key. It has the
    moment of `base` and its place among those of the moment, so ids that are derived from several are in their order.
    """
    tail = int.from_bytes(hashlib.sha256(base.bytes + name.encode()).digest()[:8]) & 0x3FFF_FFFF_FFFF_FFFF
    lead = (base.int >> 64) & ~(0xF << 12) | (0x7 << 12)
    return uuid.UUID(int=(lead << 64) | (0b10 << 62) | tail)
