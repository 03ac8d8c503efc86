"""Personal data in analytics (core.privacy)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from analytics.models import (
    ActiveDay,
    Activity,
    Attribution,
    DailySalt,
    DayCount,
    ErasedPerson,
    EventName,
    HourCount,
    Progress,
    RawEvent,
    ReceivedId,
    Visit,
)
from analytics.services import erasures
from analytics.stores import store
from analytics.stores.partitions import KEPT
from core.privacy import Delete, DeleteAfter, Kept, Withheld, declare, declare_impersonal


def events_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    for event in store().events_of(person_id):
        yield {
            "name": event.name,
            "occurredAt": event.occurred_at,
            "page": event.page,
            "source": event.source,
            "campaignId": event.campaign_id,
            "subjectId": event.subject_id,
            "properties": event.properties,
        }


def erase_events(*, person_id: UUID, now: datetime) -> None:
    """Raw rows go; what was counted from them stays, since it names nobody."""
    erasures.begin(person_id=person_id, now=now)


declare(
    RawEvent,
    export=events_of,
    erase=erase_events,
    retention=Kept("for thirteen months; `analytics.drop_partitions` drops the days before"),
)
declare(
    ErasedPerson,
    export=Withheld("holds the id of somebody who is erased, for an hour"),
    erase=Kept("until their events are removed everywhere"),
    retention=Kept("`analytics.finish_erasures` deletes it an hour after the erasure"),
)
declare_impersonal(
    ReceivedId,
    about="keys of events that came, so that a repeat changes nothing",
    retention=DeleteAfter(timedelta(days=5), since="received_at"),
)
declare_impersonal(
    EventName,
    about="names of events that clients send and no code declares",
    retention=DeleteAfter(timedelta(days=90), since="last_seen_at", where=Q(registered_at__isnull=True)),
)


def delete_salts(*, now: datetime) -> int:
    return DailySalt.objects.filter(day__lt=now.date()).delete()[0]


declare_impersonal(DailySalt, about="the key of a day, by which its visitors are recognised", retention=delete_salts)


def delete_old_days(*, now: datetime) -> int:
    return ActiveDay.objects.filter(day__lt=(now - KEPT).date()).delete()[0]


declare(
    Visit,
    person="user_id",
    export=("started_at", "ended_at", "events", "first_source", "first_medium", "last_source", "last_medium", "label"),
    erase=Delete(),
    retention=DeleteAfter(KEPT, since="started_at"),
)
declare(
    ActiveDay,
    person="user_id",
    export=("day",),
    erase=Delete(),
    retention=delete_old_days,
)
declare_impersonal(HourCount, about="counts by hour", retention=Kept("counts name nobody"))
declare_impersonal(DayCount, about="counts by day", retention=Kept("counts name nobody"))
declare_impersonal(Activity, about="how many were active on a day", retention=Kept("counts name nobody"))
declare_impersonal(
    Attribution, about="from where the investor of an investment came", retention=Kept("as long as the investment")
)
declare_impersonal(Progress, about="up to when jobs have read", retention=Kept("one row for each job"))
