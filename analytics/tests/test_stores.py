"""Raw events: written once whatever comes again, in partitions that make themselves, and erased with the person."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from analytics import privacy
from analytics.jobs import DROP_PARTITIONS, MAKE_PARTITIONS
from analytics.models import Audience
from analytics.stores import Incoming, partitions, store
from analytics.testing.stores import ship
from core.data.ids import uuid7
from core.jobs.runner import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store")]
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def incoming(**traits: Any) -> Incoming:
    now = timezone.now()
    given: dict[str, Any] = {"id": uuid7(), "name": "page_view", "occurred_at": now, "received_at": now, **traits}
    return Incoming(**{"audience": Audience.PERSON, **given})


def arrived() -> int:
    """How many events there are, once they are where they are counted."""
    ship(timezone.now())
    return store().count(since=FIRST, until=LAST)


def test_an_event_with_its_own_id_is_written_once() -> None:
    first, second, without = (incoming(has_own_id=True), incoming(has_own_id=True), incoming())
    assert store().append([first, without]) == {first.id, without.id}
    assert store().append([first, second]) == {second.id}
    assert arrived() == 3
    assert store().append([first, second]) == set()
    assert arrived() == 3


def test_columns_arrive_as_they_were_given() -> None:
    member, odd = uuid4(), {"a": ["é", 1, {"b": None}], "'": "\\\n"}
    event = incoming(user_id=member, campaign_id=uuid4(), page="/c/1\\\t'", source="example.org", properties=odd)
    store().append([event])
    for _ in range(2):  # before and after it is carried over
        (stored,) = store().events_of(member)
        for name in event.__struct_fields__:
            if name != "has_own_id":
                assert getattr(stored, name) == getattr(event, name)
        assert arrived() == 1


def test_a_day_without_a_partition_makes_it() -> None:
    far = datetime(2031, 5, 6, 23, 59, 59, tzinfo=UTC)
    store().append([incoming(occurred_at=far)])
    assert far.date() in partitions.existing()
    assert arrived() == 1 == store().count(since=far, until=far + timedelta(seconds=1))


def test_partitions_are_made_ahead_and_dropped_after_thirteen_months() -> None:
    now = timezone.now()
    assert run(MAKE_PARTITIONS, now=now).failed == 0
    days = partitions.existing()
    assert now.date() in days and (now + timedelta(days=14)).date() in days
    store().append([incoming(), incoming(occurred_at=now + timedelta(days=1))])
    assert arrived() == 2
    later = now + partitions.KEPT + timedelta(days=1)
    assert run(DROP_PARTITIONS, now=later).failed == 0
    assert now.date() not in store().days() and (now + timedelta(days=1)).date() in store().days()
    assert arrived() == 1


def test_erasing_deletes_a_persons_events_only() -> None:
    leaving, staying = uuid4(), uuid4()
    store().append([incoming(user_id=leaving), incoming(user_id=staying), incoming()])
    assert arrived() == 3
    store().append([incoming(user_id=leaving)])  # not carried over yet
    assert store().erase(leaving) == 2
    assert arrived() == 2
    assert not list(store().events_of(leaving))
    assert len(list(store().events_of(staying))) == 1


def test_a_persons_events_come_in_the_order_in_which_they_occurred() -> None:
    member, now = uuid4(), timezone.now()
    moments = [now - timedelta(seconds=second) for second in (5, 1, 3, 3, 4)]
    given = [incoming(user_id=member, occurred_at=moment) for moment in moments]
    store().append(given[:3])
    arrived()
    store().append(given[3:])
    expected = [event.id for event in sorted(given, key=lambda event: (event.occurred_at, event.id))]
    assert [event.id for event in store().events_of(member)] == expected
    arrived()
    assert [event.id for event in store().events_of(member)] == expected


def test_hours_are_found_by_when_their_events_arrived() -> None:
    now, late = timezone.now().replace(minute=30), timedelta(hours=50)
    store().append([incoming(occurred_at=now - late, received_at=now)])
    ship(now)
    hour = (now - late).replace(minute=0, second=0, microsecond=0)
    assert store().hours_of_arrivals(since=now, until=now + timedelta(seconds=1)) == [hour]
    assert store().hours_of_arrivals(since=now - late, until=now) == []


def test_the_export_of_a_person_has_their_events(person: Callable[..., User]) -> None:
    member = person("member")
    store().append([incoming(user_id=member.pk, page="/a"), incoming(user_id=uuid4())])
    arrived()
    store().append([incoming(user_id=member.pk, page="/b")])
    assert [row["page"] for row in privacy.events_of(member.pk)] == ["/a", "/b"]
