"""Events reach ClickHouse whole, whatever breaks between the two systems, and those of erased people never return."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from analytics.jobs import FINISH_ERASURES, ROLL_UP
from analytics.models import DayCount, ErasedPerson, RawEvent, Visit
from analytics.services import erasures, shipping
from analytics.stores import clickhouse as clickhouse_store, clickhouse_server, partitions, store
from analytics.stores.base import StoreBusy, StoreUnavailable
from analytics.stores.clickhouse import ClickHouseStore
from analytics.stores.postgres import PostgresStore
from analytics.testing.names import PASSWORD
from analytics.testing.stores import ClickHouse, ship
from analytics.tests.test_stores import FIRST, LAST, incoming
from core.jobs.runner import run
from core.models import FailingItem
from core.privacy import erasure
from core.testing import Api
from vectragrow.settings.analytics import clickhouse as arguments

pytestmark = pytest.mark.django_db


def in_clickhouse() -> int:
    return store().count(since=FIRST, until=LAST)


def written(number: int, **traits: Any) -> list[UUID]:
    events = [incoming(**traits) for _ in range(number)]
    store().append(events)
    return [event.id for event in events]


def test_events_are_carried_over_and_removed(clickhouse: ClickHouse) -> None:
    written(3)
    written(2, occurred_at=timezone.now() - timedelta(days=2))
    assert (ship(timezone.now()).done, in_clickhouse(), RawEvent.objects.count()) == (2, 5, 0)
    assert ship(timezone.now()).due == 0


def test_nothing_is_carried_over_without_a_clickhouse() -> None:
    written(1)
    assert ship(timezone.now()).due == 0


def test_a_day_is_carried_over_in_blocks(clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "PAGES", 1)
    written(300, page="/" + "x" * 200)
    assert (ship(timezone.now()).done, in_clickhouse(), RawEvent.objects.count()) == (1, 300, 0)


def test_a_run_leaves_the_rest_for_the_next_one(clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "PAGES", 1)
    monkeypatch.setattr(shipping, "SECONDS", -1)
    written(100, page="/" + "x" * 200)
    assert ship(timezone.now()).left == 1
    assert 0 < in_clickhouse() < 100 and in_clickhouse() + RawEvent.objects.count() == 100


@pytest.mark.parametrize("fault", ["refuse", "lose_insert", "delay"])
def test_a_fault_of_clickhouse_loses_and_doubles_nothing(
    fault: str,
    clickhouse: ClickHouse,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    api: Api,
    person: Callable[..., User],
) -> None:
    settings.ANALYTICS_WAIT = 1
    settings.ANALYTICS_CLICKHOUSE = {**settings.ANALYTICS_CLICKHOUSE, "send_receive_timeout": 1}
    assert in_clickhouse() == 0  # it answers
    written(4)
    with clickhouse.broken_by(fault), caplog.at_level(logging.ERROR):
        assert ship(timezone.now()).left == 1
        sent = {"events": [{"eventType": "page_view", "page": "/"}]}
        answer = api.as_user(person("member")).post("/api/analytics/track/batch", sent)
        assert (answer.status_code, answer.json()["stored"]) == (200, 1)
    assert RawEvent.objects.count() == 5
    assert "until ClickHouse answers" in caplog.text and PASSWORD not in caplog.text
    assert FailingItem.objects.count() == 0
    assert in_clickhouse() == (4 if fault == "lose_insert" else 0)
    assert ship(timezone.now()).done == 1
    assert (in_clickhouse(), RawEvent.objects.count()) == (5, 0)


def test_what_was_answered_and_is_not_there_stays_in_postgresql(clickhouse: ClickHouse) -> None:
    written(2)
    now = timezone.now()
    with clickhouse.broken_by("drop_insert"):
        assert ship(now).failed == 1
    assert RawEvent.objects.count() == 2
    FailingItem.objects.all().delete()
    assert ship(now + timedelta(minutes=6)).done == 1
    assert (in_clickhouse(), RawEvent.objects.count()) == (2, 0)


@pytest.mark.parametrize("step", ["insert", "present"])
def test_a_process_that_dies_at_any_step_loses_and_doubles_nothing(
    step: str, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(3)
    (day,) = shipping.due(timezone.now())
    method = getattr(ClickHouseStore, step)

    def die_after(*given: Any, **named: Any) -> Any:
        method(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ClickHouseStore, step, die_after)
        with pytest.raises(KeyboardInterrupt):
            shipping.ship(day, now=timezone.now())
    assert shipping.ship(day, now=timezone.now())
    assert (in_clickhouse(), RawEvent.objects.count()) == (3, 0)


def test_the_same_events_inserted_twice_are_counted_once(clickhouse: ClickHouse) -> None:
    """Whatever the tokens are: an insert of a killed process may arrive after the next one asked."""
    written(3, user_id=uuid4())
    (day,) = shipping.due(timezone.now())
    (block,) = shipping.blocks_of(day)
    for token in "ab":
        rows = [[*event, timezone.now()] for event in block.events]
        ClickHouseStore().insert(rows, token=token)
    assert in_clickhouse() == 3
    assert [row.events for row in store().count_day(day)] == [3]
    assert shipping.ship(day, now=timezone.now()) and in_clickhouse() == 3


def test_two_movers_do_not_work_side_by_side(clickhouse: ClickHouse) -> None:
    written(2)
    with clickhouse_store.only_mover():
        assert ship(timezone.now()).left == 1
        with pytest.raises(StoreBusy):
            store().erase(uuid4())
    assert ship(timezone.now()).done == 1


def test_events_that_arrive_after_an_outage_are_counted(clickhouse: ClickHouse) -> None:
    """However late: hours are found by the arrival in ClickHouse."""
    now = timezone.now()
    earlier = now - timedelta(days=9)
    run(ROLL_UP, now=now - timedelta(hours=1))
    written(2, occurred_at=earlier, received_at=earlier, user_id=uuid4())
    ship(now - timedelta(seconds=1))
    run(ROLL_UP, now=now)
    assert DayCount.objects.get(day=earlier.date(), name="page_view").events == 2


def test_one_run_counts_all_that_can_arrive_at_once() -> None:
    """Otherwise it would never come to the end, where it notes what it has read."""
    assert ROLL_UP.batch > partitions.KEPT.days * 25


def test_what_postgresql_has_counted_is_not_counted_again(settings: Settings, clickhouse: ClickHouse) -> None:
    """People may have been erased since then, and counts stay."""
    now, earlier = timezone.now(), timezone.now() - timedelta(days=20)
    chosen, settings.ANALYTICS_CLICKHOUSE = settings.ANALYTICS_CLICKHOUSE, None
    leaver = uuid4()
    store().append([incoming(occurred_at=earlier, received_at=earlier, user_id=who) for who in (leaver, uuid4())])
    run(ROLL_UP, now=now - timedelta(hours=1))
    store().erase(leaver)
    settings.ANALYTICS_CLICKHOUSE = chosen
    written(1, user_id=uuid4())
    ship(now)
    run(ROLL_UP, now=now + timedelta(seconds=1))
    assert in_clickhouse() == 2
    counts = dict(DayCount.objects.filter(name="page_view").values_list("day", "events"))
    assert counts == {earlier.date(): 2, now.date(): 1}


# --- Erasure -------------------------------------------------------------------------------------------------------


def erased_in_the_middle(leaver: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is erased after a block was read and before it is inserted."""
    insert = ClickHouseStore.insert

    def erase_first(*given: Any, **named: Any) -> None:
        PostgresStore().erase(leaver)
        erasures.finish(leaver, now=timezone.now())
        insert(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(ClickHouseStore, "insert", erase_first)
        ship(timezone.now())


def test_an_erasure_waits_for_a_block_that_is_under_way(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaver, now = uuid4(), timezone.now()
    written(2, user_id=leaver)
    ErasedPerson.objects.create(person_id=leaver, erased_at=now)
    erased_in_the_middle(leaver, monkeypatch)
    assert ErasedPerson.objects.filter(looked_at__isnull=True).exists()  # not finished: it could not look
    assert run(FINISH_ERASURES, now=now).done == 1
    assert not list(store().events_of(leaver)) and in_clickhouse() == 0


def test_twin_without_the_lock_an_erased_persons_events_return(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaver, now = uuid4(), timezone.now()
    written(2, user_id=leaver)
    ErasedPerson.objects.create(person_id=leaver, erased_at=now)
    for module in (clickhouse_store, shipping):
        monkeypatch.setattr(module, "only_mover", lambda: nullcontext(True))
    erased_in_the_middle(leaver, monkeypatch)
    assert run(FINISH_ERASURES, now=now).due == 0
    assert len(list(store().events_of(leaver))) == 2


def test_erasing_a_person_goes_on_when_clickhouse_is_back(
    clickhouse: ClickHouse, person: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    leaver, now = person("leaver"), timezone.now()
    written(2, user_id=leaver.pk)
    ship(now)
    written(1, user_id=leaver.pk)
    with clickhouse.broken_by("refuse"):
        erasure.erase_person(person_id=leaver.pk, now=now)
        assert not RawEvent.objects.filter(user_id=leaver.pk).exists()
        assert run(FINISH_ERASURES, now=now).left == 1
    assert str(leaver.pk) not in caplog.text
    assert run(FINISH_ERASURES, now=now).done == 1
    assert in_clickhouse() == 0
    assert run(FINISH_ERASURES, now=now + timedelta(minutes=59)).due == 0


def test_an_hour_later_it_looks_again_for_what_was_under_way(
    clickhouse: ClickHouse, person: Callable[..., User]
) -> None:
    leaver, now = person("leaver"), timezone.now()
    erasure.erase_person(person_id=leaver.pk, now=now)
    assert run(FINISH_ERASURES, now=now).done == 1
    written(1, user_id=leaver.pk)  # by a request that had begun before
    ship(now)
    Visit.objects.create(day=now.date(), user_id=leaver.pk, started_at=now, ended_at=now, events=1)  # by a roll-up
    later = now + erasures.AGAIN
    assert run(FINISH_ERASURES, now=later).done == 1
    assert in_clickhouse() == 0 and not Visit.objects.filter(user_id=leaver.pk).exists()
    assert not ErasedPerson.objects.exists()


# --- The connection ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "reason"), [("nowhere.invalid:8123", "gaierror"), ("127.0.0.1:1", "ConnectionRefusedError")]
)
def test_a_server_that_is_not_there(
    host: str, reason: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ANALYTICS_URL = url = f"clickhouse://u:s3cret@{host}/a"
    settings.ANALYTICS_CLICKHOUSE = arguments(url, 1)
    with pytest.raises(StoreUnavailable, match=reason) as raised:
        in_clickhouse()
    assert "s3cret" not in f"{raised.value!r} {caplog.text}" and raised.value.__suppress_context__


def test_a_wrong_password(settings: Settings, clickhouse_server: ClickHouse, caplog: pytest.LogCaptureFixture) -> None:
    settings.ANALYTICS_URL = url = clickhouse_server.url.replace("s3cret", "another")
    settings.ANALYTICS_CLICKHOUSE = arguments(url, 1)
    with pytest.raises(StoreUnavailable, match="AUTHENTICATION_FAILED") as raised:
        in_clickhouse()
    assert "another" not in f"{raised.value!r} {caplog.text}"


@pytest.mark.parametrize(
    "url",
    [
        "postgres://a:s3cret@h/d",
        "clickhouse://a:s3cret@h:8123",
        "clickhouse://a:s3cret@h:port/d",
        "clickhouse:///d",
        "x",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ANALYTICS_URL must be") as raised:
        arguments(url, 60)
    assert "s3cret" not in str(raised.value)


def test_an_address_is_taken_apart() -> None:
    given = arguments("clickhouses://me:p%40ss%2F@db.example/raw", 60)
    assert given is not None and arguments("", 60) is None
    assert (given["interface"], given["host"], given["port"]) == ("https", "db.example", 8443)
    assert (given["username"], given["password"], given["database"]) == ("me", "p@ss/", "raw")


def test_values_are_bound_and_never_part_of_a_statement(clickhouse: ClickHouse) -> None:
    nasty = "'); DROP TABLE raw_event; --\\"
    written(1, name=nasty[:60], page=nasty, user_id=uuid4())
    ship(timezone.now())
    (row,) = store().count_day(timezone.now().date())
    assert row.name == nasty
    assert clickhouse_server.rows("days")
