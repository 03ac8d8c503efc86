"""Raw events: written once whatever comes again, in partitions that make themselves, and erased with the person."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from analytics.jobs import DROP_PARTITIONS, MAKE_PARTITIONS
from analytics.models import Audience, RawEvent
from analytics.stores import Incoming, partitions, store
from core.data.ids import uuid7
from core.jobs.runner import run

pytestmark = pytest.mark.django_db


def incoming(**traits: Any) -> Incoming:
    now = timezone.now()
    given: dict[str, Any] = {"id": uuid7(), "name": "page_view", "occurred_at": now, "received_at": now, **traits}
    return Incoming(**{"audience": Audience.PERSON, **given})


def test_an_event_with_its_own_id_is_written_once() -> None:
    first, second, without = (incoming(has_own_id=True), incoming(has_own_id=True), incoming())
    assert store().append([first, without]) == {first.id, without.id}
    assert store().append([first, second, without]) == {second.id, without.id}
    assert RawEvent.objects.count() == 4


def test_columns_arrive_as_they_were_given() -> None:
    event = incoming(
        user_id=uuid4(), campaign_id=uuid4(), page="/c/1", source="example.org", properties={"a": ["é", 1]}
    )
    store().append([event])
    stored = RawEvent.objects.get()
    for name in event.__struct_fields__:
        if name != "has_own_id":
            assert getattr(stored, name) == getattr(event, name)


def test_a_day_without_a_partition_makes_it() -> None:
    far = datetime(2031, 5, 6, 23, 59, 59, tzinfo=UTC)
    store().append([incoming(occurred_at=far)])
    assert far.date() in partitions.existing()
    assert store().count(since=far, until=far + timedelta(seconds=1)) == 1


def test_partitions_are_made_ahead_and_dropped_after_thirteen_months() -> None:
    now = timezone.now()
    assert run(MAKE_PARTITIONS, now=now).failed == 0
    days = partitions.existing()
    assert now.date() in days and (now + timedelta(days=14)).date() in days
    store().append([incoming(), incoming(occurred_at=now + timedelta(days=1))])
    later = now + partitions.KEPT + timedelta(days=1)
    assert run(DROP_PARTITIONS, now=later).failed == 0
    assert now.date() not in partitions.existing() and (now + timedelta(days=1)).date() in partitions.existing()
    assert RawEvent.objects.count() == 1


def test_erasing_deletes_a_persons_events_only() -> None:
    leaving, staying = uuid4(), uuid4()
    store().append([incoming(user_id=leaving), incoming(user_id=leaving), incoming(user_id=staying), incoming()])
    assert store().erase(leaving) == 2
    assert RawEvent.objects.count() == 2
