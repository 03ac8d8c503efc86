"""The interface of a store of raw events."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec

from analytics.models import Audience, RawEvent
from analytics.stores.funnels import Funnel


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


class HourRow(NamedTuple):
    """Events of a name in an hour, about a campaign, a subject or, with a zero id, the platform."""

    name: str
    about_id: UUID
    audience: str
    events: int


class DayRow(NamedTuple):
    """Events of people and visitors on a day, and how many of them there were."""

    name: str
    about_id: UUID
    events: int
    people: int


class VisitRow(NamedTuple):
    """A session of somebody: events with less than half an hour between them."""

    who: UUID
    """The person, or the visitor of the day."""
    user_id: UUID | None
    started_at: datetime
    ended_at: datetime
    events: int
    first_source: str
    first_medium: str
    last_source: str
    last_medium: str
    label: str
    campaign_ids: list[UUID] | None
    """The campaigns whose pages were opened."""


class StoreUnavailable(Exception):
    """The store did not answer, or refused. The message names the kind of error and holds no secret."""


class StoreBusy(Exception):
    """Somebody else moves events; try again later."""


class EventStore(Protocol):
    """
    Where raw events are. Moments are UTC, ranges include `since` and exclude `until`. Of a store in another system than
    PostgreSQL everything but `append` may raise `StoreUnavailable`.
    """

    counting: str
    """Under which name `analytics.services.progress` keeps up to which arrival events are counted."""

    def append(self, events: Sequence[Incoming]) -> set[UUID]:
        """
        Write events durably, those with an id of their own once.

        :returns: the ids of those that were written; the others came before
        """
        ...

    def events_of(self, user_id: UUID) -> Iterable[RawEvent]:
        """A person's events, in the order in which they occurred."""
        ...

    def erase(self, user_id: UUID) -> int:
        """
        Delete a person's events, outside of a transaction.

        :returns: how many
        :raises StoreBusy: not now
        """
        ...

    def count(self, *, since: datetime, until: datetime) -> int:
        """How many events occurred, of those that have arrived."""
        ...

    def hours_of_arrivals(self, *, since: datetime, until: datetime) -> list[datetime]:
        """The hours in which the events occurred that arrived in a time in the place that is counted, in order."""
        ...

    def count_hour(self, hour: datetime) -> list[HourRow]:
        """What the events of an hour come to."""
        ...

    def count_day(self, day: date) -> list[DayRow]:
        """What the events of a day come to."""
        ...

    def visits_of(self, day: date) -> list[VisitRow]:
        """The sessions of a day."""
        ...

    def people_of(self, day: date) -> list[UUID]:
        """Who, of those who are signed in, did something on a day."""
        ...

    def funnel(self, funnel: Funnel) -> list[int]:
        """
        How many people and visitors have reached each step of a funnel.

        :raises StoreUnavailable: also when it takes too long
        """
        ...

    def days(self) -> list[date]:
        """The days that have a partition, oldest first."""
        ...

    def drop(self, day: date) -> None:
        """Drop the events of a day."""
        ...
