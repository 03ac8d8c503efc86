"""
Counting raw events by hour and day. A run counts again every hour and day for which events have arrived since the last
one, from their raw events: so a repeated run, a late event and a crash come to the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models

from analytics.models import PLATFORM, ActiveDay, Activity, DayCount, HourCount, Progress, Visit
from analytics.response_times import count_answers
from analytics.services import progress
from analytics.stores import store
from analytics.stores.base import VisitRow
from chat.models import Message
from core.data.ids import first_id_at
from core.data.transactions import atomic
from core.times import bounds_of
from social.models import Post

JOB = "analytics.roll_up"
VISIT = "visit"
"""The name under which sessions are counted, by source."""
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
WEEK, MONTH = timedelta(days=6), timedelta(days=29)
BATCH = 2000


def due(now: datetime) -> list[str]:
    """
    What has to be counted again: hours as `hour 2026-11-26T10:00:00+00:00`, then days as `day 2026-11-26`, and at the
    end `progress …`, up to when that is.
    """
    hours = _hours_waiting(now)
    days = sorted({now.date() - timedelta(days=1), now.date(), *(hour.date() for hour in hours)})
    return [
        *(f"hour {hour.isoformat()}" for hour in hours),
        *(f"day {day}" for day in days),
        f"progress {now.isoformat()}",
    ]


def counted_until() -> datetime | None:
    """Up to when what arrived in the store is counted; None if nothing ever was."""
    noted = Progress.objects.filter(pk=store().counting).first()
    return noted.at if noted else None


def days_waiting(now: datetime) -> set[date]:
    """The days for which events have arrived that may not be counted yet."""
    return {hour.date() for hour in _hours_waiting(now)}


def _hours_waiting(now: datetime) -> list[datetime]:
    since = progress.read_since(store().counting, progress.read_since(JOB, BEGINNING))
    return store().hours_of_arrivals(since=since, until=now)


def count_again(item: str, *, now: datetime) -> bool:
    """
    Count one hour or day of `due`.

    :returns: False when something has failed
    """
    what, _, when = item.partition(" ")
    if what == "hour":
        count_hour(datetime.fromisoformat(when))
    elif what == "day":
        count_day(date.fromisoformat(when), now=now)
    else:
        return progress.note(JOB, datetime.fromisoformat(when), under=store().counting)
    return True


def count_hour(hour: datetime) -> None:
    """Replace the counts of an hour."""
    rows = [
        HourCount(hour=hour, name=row.name, about_id=row.about_id, audience=row.audience, events=row.events)
        for row in store().count_hour(hour)
    ]
    with atomic():
        _replace(HourCount, rows, hour=hour)


def count_day(day: date, *, now: datetime) -> None:
    """Replace the counts of a day, its visits, and who was active; then the figures of the month after it."""
    visits = store().visits_of(day)
    counts = [
        DayCount(day=day, name=row.name, about_id=row.about_id, events=row.events, people=row.people)
        for row in store().count_day(day)
    ]
    active = [ActiveDay(user_id=user_id, day=day) for user_id in store().people_of(day)]
    with atomic():
        _replace(DayCount, [*counts, *visits_by_source(day, visits)], day=day)
        _replace(Visit, [_visit(day, visit) for visit in visits], day=day)
        _replace(ActiveDay, active, day=day)
    for later in range((min(now.date(), day + MONTH) - day).days + 1):
        count_activity(day + timedelta(days=later))


def count_activity(day: date) -> None:
    """Replace how many people were active on a day, in the week and in the month that end with it."""
    people = ActiveDay.objects.filter(day__lte=day)

    def active_since(first: date) -> int:
        return people.filter(day__gte=first).order_by().values("user_id").distinct().count()

    Activity.objects.update_or_create(
        day=day,
        defaults={
            "daily": active_since(day),
            "weekly": active_since(day - WEEK),
            "monthly": active_since(day - MONTH),
            "posts": written_on(day, Post.objects.filter(deleted_at__isnull=True)),
            "messages": written_on(day, Message.objects.filter(deleted_at__isnull=True)),
            "answers": count_answers(*bounds_of(day, day)),
        },
    )


def written_on(day: date, rows: models.QuerySet[Any]) -> int:
    """How many rows with a UUIDv7 key were made on a day; the index of the key serves for it."""
    since, until = bounds_of(day, day)
    return rows.filter(pk__gte=first_id_at(since), pk__lt=first_id_at(until)).count()


def visits_by_source(day: date, visits: Iterable[VisitRow]) -> list[DayCount]:
    """How many visits of a day, and of how many people, came from each source, to each campaign and to the platform."""
    number: Counter[tuple[UUID, str, str]] = Counter()
    people: dict[tuple[UUID, str, str], set[UUID]] = defaultdict(set)
    for visit in visits:
        for about_id in (PLATFORM, *(visit.campaign_ids or ())):
            key = (about_id, visit.last_source, visit.last_medium)
            number[key] += 1
            people[key].add(visit.who)
    return [
        DayCount(
            day=day,
            name=VISIT,
            about_id=about_id,
            source=source,
            medium=medium,
            events=number[about_id, source, medium],
            people=len(people[about_id, source, medium]),
        )
        for about_id, source, medium in sorted(number)
    ]


def _visit(day: date, visit: VisitRow) -> Visit:
    given = visit._asdict()
    del given["who"], given["campaign_ids"]
    return Visit(day=day, created_at=visit.started_at, **given)


def _replace(model: type[models.Model], rows: Sequence[Any], **which: Any) -> None:
    model._default_manager.filter(**which).delete()
    model._default_manager.bulk_create(rows, batch_size=BATCH)
