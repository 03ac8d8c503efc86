"""Raw events in PostgreSQL, partitioned by day (`partitions.py`)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import IntegrityError

from analytics.models import RawEvent
from analytics.stores import partitions
from analytics.stores.base import Incoming
from core.data.statements import load
from core.data.transactions import atomic, sqlstate

_APPEND = load("analytics/sql/append_events.sql")
_NO_PARTITION = "23514"


class PostgresStore:
    """`analytics.stores.EventStore` on the table `analytics_rawevent`."""

    def append(self, events: Sequence[Incoming]) -> set[UUID]:
        if not events:
            return set()
        document = msgspec.json.encode(events).decode()
        try:
            return self._append(document)
        except IntegrityError as error:
            if sqlstate(error) != _NO_PARTITION or "no partition" not in str(error):
                raise
        partitions.make({event.occurred_at.date() for event in events})
        return self._append(document)

    def _append(self, document: str) -> set[UUID]:
        with atomic():
            return {row.id for row in _APPEND.rows(events=document)}

    def erase(self, user_id: UUID) -> int:
        return RawEvent.objects.filter(user_id=user_id)._raw_delete(RawEvent.objects.db)

    def count(self, *, since: datetime, until: datetime) -> int:
        return RawEvent.objects.filter(occurred_at__gte=since, occurred_at__lt=until).count()
