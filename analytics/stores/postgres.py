"""Raw events in PostgreSQL, partitioned by day (`partitions.py`)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError
from django.db.models.functions import TruncHour

from analytics.limits import AHEAD, LATEST
from analytics.models import Audience, RawEvent
from analytics.stores import partitions
from analytics.stores.base import DayRow, HourRow, Incoming, StoreUnavailable, VisitRow
from analytics.stores.funnels import Funnel, Order, statement
from core.data.postgres import waiting
from core.data.statements import fetch, load
from core.data.transactions import alone, reads_within, sqlstate
from core.times import bounds_of

_APPEND = load("analytics/sql/append_events.sql")
_HOUR = load("analytics/sql/count_hour.sql")
_DAY = load("analytics/sql/count_day.sql")
_VISITS = load("analytics/sql/read_visits.sql")
_NO_PARTITION, _CANCELLED = "23514", "57014"
FUNNEL_SECONDS = 15
"""How long a funnel may take."""
_FUNNEL_EVENTS = """
    SELECT COALESCE(user_id, visitor_id) AS who, occurred_at AS at, id AS place,
           COALESCE(array_position(%(steps)s::text[], name::text), 0) AS step
    FROM analytics_rawevent
    WHERE occurred_at >= %(since)s AND occurred_at < %(until)s AND is_known AND audience IN ('person', 'visitor')
"""


class PostgresStore:
    """`analytics.stores.EventStore` on the table `analytics_rawevent`."""

    counting = "analytics.roll_up"

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
        with alone():
            return {row.id for row in _APPEND.rows(events=document)}

    def events_of(self, user_id: UUID) -> Iterable[RawEvent]:
        return RawEvent.objects.filter(user_id=user_id).order_by("occurred_at", "pk").iterator()

    def erase(self, user_id: UUID) -> int:
        return RawEvent.objects.filter(user_id=user_id)._raw_delete(RawEvent.objects.db)

    def count(self, *, since: datetime, until: datetime) -> int:
        return RawEvent.objects.filter(occurred_at__gte=since, occurred_at__lt=until).count()

    def hours_of_arrivals(self, *, since: datetime, until: datetime) -> list[datetime]:
        arrived = RawEvent.objects.filter(received_at__gte=since, received_at__lt=until)
        near = arrived.filter(occurred_at__gte=since - LATEST, occurred_at__lt=until + AHEAD)
        return list(
            near.order_by()
            .annotate(hour=TruncHour("occurred_at", tzinfo=UTC))
            .values_list("hour", flat=True)
            .distinct()
            .order_by("hour")
        )

    def count_hour(self, hour: datetime) -> list[HourRow]:
        return [HourRow(*row) for row in _HOUR.rows(since=hour, until=hour + timedelta(hours=1))]

    def count_day(self, day: date) -> list[DayRow]:
        return [DayRow(*row) for row in _DAY.rows(**_bounds(day))]

    def visits_of(self, day: date) -> list[VisitRow]:
        return [VisitRow(*row) for row in _VISITS.rows(**_bounds(day))]

    def people_of(self, day: date) -> list[UUID]:
        since, until = _bounds(day).values()
        people = RawEvent.objects.filter(occurred_at__gte=since, occurred_at__lt=until, user_id__isnull=False)
        ids = people.filter(audience=Audience.PERSON).order_by().values_list("user_id", flat=True).distinct()
        return [user_id for user_id in ids if user_id is not None]

    def funnel(self, funnel: Funnel) -> list[int]:
        conditions = "" if funnel.campaign_id is None else " AND campaign_id = %(campaign)s"
        if funnel.order is not Order.STRICT:
            conditions += " AND name = ANY(%(steps)s)"
        text = statement(funnel, events=_FUNNEL_EVENTS + conditions, within="{at} <= {begin} + %(window)s::interval")
        values = {
            "since": funnel.since,
            "until": funnel.until,
            "steps": list(funnel.steps),
            "campaign": funnel.campaign_id,
            "window": funnel.window,
        }
        try:
            with waiting.at_most(FUNNEL_SECONDS + 1), reads_within(FUNNEL_SECONDS):
                (people,) = fetch(text, values, keeps_plan=False)
        except OperationalError as error:
            if sqlstate(error) != _CANCELLED:
                raise
            raise StoreUnavailable("PostgreSQL: the statement took too long") from None
        return list(people)

    def days(self) -> list[date]:
        return partitions.existing()

    def drop(self, day: date) -> None:
        partitions.drop(day)


def _bounds(day: date) -> dict[str, datetime]:
    since, until = bounds_of(day, day)
    return {"since": since, "until": until}
