"""
Raw events in ClickHouse, for platforms that outgrow PostgreSQL (docs/analytics.md, Storage).

PostgreSQL takes every event durably and keeps repeats out; `analytics.services.shipping` carries them over. So events
that have just come are in PostgreSQL, the others in ClickHouse, and for a moment some are in both.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from typing import Any
from uuid import UUID

import msgspec

from analytics.models import RawEvent
from analytics.stores import clickhouse_server as server
from analytics.stores.base import DayRow, HourRow, Incoming, StoreBusy, VisitRow
from analytics.stores.funnels import Funnel, Order, statement
from analytics.stores.postgres import PostgresStore
from core.jobs.runner import exclusive
from core.times import bounds_of

COLUMNS = (
    "id", "name", "occurred_at", "received_at", "audience", "is_known", "user_id", "visitor_id", "campaign_id",
    "subject_id", "page", "source", "medium", "label", "properties",
)  # fmt: skip
"""Those of an event, as in PostgreSQL; the table has `shipped_at` besides."""

_FUNNEL_EVENTS = """
    SELECT coalesce(user_id, visitor_id) AS who, occurred_at AS at, toUInt128(id) AS place,
           indexOf({steps:Array(String)}, name) AS step
    FROM raw_event FINAL
    WHERE occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
      AND is_known AND audience IN ('person', 'visitor')
"""


def only_mover() -> AbstractContextManager[bool]:
    """
    Whether nobody else, on any machine, carries rows over or erases some, until the block ends. Without it a row that
    was read before its person was erased could be written after it.
    """
    return exclusive("analytics.moving_events")


class ClickHouseStore:
    """`analytics.stores.EventStore` on the table `raw_event` of ClickHouse, and on what PostgreSQL still has."""

    counting = "analytics.roll_up.shipped"
    intake = PostgresStore()

    def append(self, events: Sequence[Incoming]) -> set[UUID]:
        return self.intake.append(events)

    def events_of(self, user_id: UUID) -> Iterable[RawEvent]:
        """PostgreSQL is read first: what is carried over meanwhile is then found twice and not missed."""
        waiting = list(self.intake.events_of(user_id))
        ids = {event.id for event in waiting}
        shipped = (event for event in _shipped_events(user_id) if event.id not in ids)
        return merge(waiting, shipped, key=lambda event: (event.occurred_at, event.id))

    def erase(self, user_id: UUID) -> int:
        with only_mover() as is_ours:
            if not is_ours:
                raise StoreBusy("events are being carried over")
            waiting = self.intake.erase(user_id)
            ((shipped,),) = server.rows("count_of_person", user=user_id)
            if shipped:
                server.command("erase", user=user_id)
            return waiting + int(shipped)

    def count(self, *, since: datetime, until: datetime) -> int:
        ((number,),) = server.rows("count", since=since, until=until)
        return int(number)

    def hours_of_arrivals(self, *, since: datetime, until: datetime) -> list[datetime]:
        return [hour.astimezone(UTC) for (hour,) in server.rows("hours_of_arrivals", since=since, until=until)]

    def count_hour(self, hour: datetime) -> list[HourRow]:
        return [HourRow(*row) for row in server.rows("count_hour", since=hour, until=hour + timedelta(hours=1))]

    def count_day(self, day: date) -> list[DayRow]:
        return [DayRow(*row) for row in server.rows("count_day", **_bounds(day))]

    def visits_of(self, day: date) -> list[VisitRow]:
        return [VisitRow(*row) for row in server.rows("read_visits", **_bounds(day))]

    def people_of(self, day: date) -> list[UUID]:
        return [user_id for (user_id,) in server.rows("people_of_day", **_bounds(day))]

    def funnel(self, funnel: Funnel) -> list[int]:
        conditions = "" if funnel.campaign_id is None else " AND campaign_id = {campaign:UUID}"
        if funnel.order is not Order.STRICT:
            conditions += " AND has({steps:Array(String)}, name)"
        text = statement(
            funnel, events=_FUNNEL_EVENTS + conditions, within="{at} <= {begin} + toIntervalSecond({{window:UInt32}})"
        )
        values = {
            "since": funnel.since,
            "until": funnel.until,
            "steps": list(funnel.steps),
            "campaign": funnel.campaign_id,
            "window": int(funnel.window.total_seconds()),
        }
        (people,) = server.select(text, **values)
        return [int(number) for number in people]

    def days(self) -> list[date]:
        kept = {date.fromisoformat(day) for (day,) in server.rows("days")}
        return sorted(kept | set(self.intake.days()))

    def drop(self, day: date) -> None:
        server.command("drop_day", day=f"{day:%Y%m%d}")
        self.intake.drop(day)

    # --- For carrying over -------------------------------------------------------------------------------------------

    def present(self, events: Sequence[Any]) -> set[UUID]:
        """Which of these events, all of one day, are in ClickHouse."""
        moments = [event.occurred_at for event in events]
        ids = [str(event.id) for event in events]
        return {found for (found,) in server.rows("present", first=min(moments), last=max(moments), ids=ids)}

    def insert(self, rows: Sequence[Sequence[Any]], *, token: str) -> None:
        """:param rows: `COLUMNS`, with the properties as JSON text, and `shipped_at`"""
        server.insert("raw_event", [*COLUMNS, "shipped_at"], rows, token=token)

    def events_between(self, since: datetime, until: datetime) -> Iterator[Incoming]:
        """The events that occurred in a time, as they were taken."""
        for row in server.stream("events_between", since=since, until=until):
            given = dict(zip(COLUMNS, row, strict=True))
            yield Incoming(**{**given, "properties": msgspec.json.decode(given["properties"])})

    def count_names(self, day: date) -> dict[str, int]:
        """How many events of each name occurred on a day."""
        return {name: int(number) for name, number in server.rows("count_names", **_bounds(day))}


def _shipped_events(user_id: UUID) -> Iterator[RawEvent]:
    for row in server.stream("events_of", user=user_id):
        given = dict(zip(COLUMNS, row, strict=True))
        yield RawEvent(**{**given, "properties": msgspec.json.decode(given["properties"])})


def _bounds(day: date) -> dict[str, datetime]:
    since, until = bounds_of(day, day)
    return {"since": since, "until": until}
