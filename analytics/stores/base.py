"""The interface of a store of raw events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from analytics.models import Audience


class Incoming(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A raw event on its way into the store; the columns of `analytics.models.RawEvent`."""

    id: UUID
    name: str
    occurred_at: datetime
    received_at: datetime
    audience: Audience
    has_own_id: bool = False
    """Whether the id comes with the event and may come again; then only the first one is kept."""
    is_known: bool = True
    user_id: UUID | None = None
    visitor_id: UUID | None = None
    campaign_id: UUID | None = None
    subject_id: UUID | None = None
    page: str = ""
    source: str = ""
    medium: str = ""
    label: str = ""
    properties: dict[str, Any] = {}


class EventStore(Protocol):
    """Where raw events are. Moments are UTC, ranges include `since` and exclude `until`."""

    def append(self, events: Sequence[Incoming]) -> set[UUID]:
        """
        Write events durably, those with an id of their own once.

        :returns: the ids of those that were written; the others came before
        """
        ...

    def erase(self, user_id: UUID) -> int:
        """Delete a person's events. :returns: how many"""
        ...

    def count(self, *, since: datetime, until: datetime) -> int:
        """How many events occurred."""
        ...
