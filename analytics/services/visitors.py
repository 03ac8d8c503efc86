"""
Who sends an event: a person by their session, or a visitor of a public page, whom nothing follows beyond the day.

A visitor is recognised by a keyed hash of address and browser. The key is random, new each UTC day, and deleted when
the day is over; then nobody can tell whose events they were. Neither the address nor the browser is stored, and no
cookie is set (as Plausible does).
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from crawleruseragents import is_crawler
from django.db import connection

from accounts.permissions import USE_ADMIN
from analytics.models import Audience
from core import context
from core.addresses import counted_as


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom events come from, by the request and never by its body."""

    audience: Audience
    user_id: UUID | None = None
    visitor_id: UUID | None = None
    is_private: bool = False
    """They asked not to be tracked (`DNT: 1`, `Sec-GPC: 1`): nothing is kept."""


def sender_of(request: Any, now: datetime) -> Sender:
    """The sender of a request, signed in or not."""
    agent, person = request.META.get("HTTP_USER_AGENT", ""), request.user
    if request.META.get("HTTP_DNT") == "1" or request.META.get("HTTP_SEC_GPC") == "1":
        return Sender(Audience.VISITOR, is_private=True)
    is_bot = not agent or _is_bot(agent[:500])
    if person.is_authenticated:
        audience = Audience.TEAM if USE_ADMIN.held_by(person) else Audience.BOT if is_bot and agent else Audience.PERSON
        return Sender(audience, user_id=person.pk)
    return Sender(Audience.BOT if is_bot else Audience.VISITOR, visitor_id=_visitor_id(agent, now))


@lru_cache(4096)
def _is_bot(agent: str) -> bool:
    return bool(is_crawler(agent))


def _visitor_id(agent: str, now: datetime) -> UUID:
    address = counted_as(context.client_address.get() or "")
    key = salt_of(now.date())
    return UUID(bytes=hashlib.blake2b(f"{address}\n{agent}".encode(), key=key, digest_size=16).digest())


@lru_cache(1)  # the key of a day that is over is nowhere any more
def salt_of(day: date) -> bytes:
    """The key of a day, the same in all processes: the first one that needs it makes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_dailysalt (day, salt) VALUES (%s, %s) ON CONFLICT (day) DO NOTHING",
            [day, os.urandom(32)],
        )
        cursor.execute("SELECT salt FROM analytics_dailysalt WHERE day = %s", [day])
        return bytes(cursor.fetchone()[0])
