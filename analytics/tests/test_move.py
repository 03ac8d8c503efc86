"""`analytics_move` carries every day over whole or says which it could not."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from analytics.jobs import ROLL_UP
from analytics.models import Progress, RawEvent
from analytics.services import moving, shipping
from analytics.stores import store
from analytics.stores.clickhouse import ClickHouseStore, only_mover
from analytics.stores.postgres import PostgresStore
from analytics.testing.stores import ClickHouse, ship
from analytics.tests.test_stores import FIRST, LAST, incoming
from core.jobs.runner import run

pytestmark = pytest.mark.django_db


def given(days: dict[int, int]) -> None:
    """So many events so many days ago, of two names."""
    for back, number in days.items():
        at = timezone.now() - timedelta(days=back)
        store().append(
            [incoming(occurred_at=at, name=name, user_id=uuid4()) for _ in range(number) for name in ("a", "b")]
        )


def in_clickhouse() -> int:
    return store().count(since=FIRST, until=LAST)


def test_all_days_are_carried_over(clickhouse: ClickHouse, capsys: pytest.CaptureFixture[str]) -> None:
    given({0: 3, 40: 2})
    call_command("analytics_move", dry_run=True)
    assert "10 events of 2 days would be" in capsys.readouterr().out
    assert (in_clickhouse(), RawEvent.objects.count()) == (0, 10)
    call_command("analytics_move")
    assert "10 events of 2 days were" in capsys.readouterr().out
    assert (in_clickhouse(), RawEvent.objects.count()) == (10, 0)
    call_command("analytics_move")
    assert "0 events of 0 days were" in capsys.readouterr().out


def test_a_day_of_which_a_part_was_carried_over_before(clickhouse: ClickHouse) -> None:
    given({0: 2})
    ship(timezone.now())
    given({0: 3})
    call_command("analytics_move")
    assert (in_clickhouse(), RawEvent.objects.count()) == (10, 0)


def test_events_that_come_meanwhile_stay_for_the_next_time(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    given({0: 2})
    compare = moving._differing

    def compare_late(*numbers: Any) -> Any:
        given({0: 1})
        return compare(*numbers)

    monkeypatch.setattr(moving, "_differing", compare_late)
    call_command("analytics_move")
    assert (in_clickhouse(), RawEvent.objects.count()) == (4, 2)


def test_it_goes_on_after_it_was_killed(clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    given({0: 2, 1: 2})
    insert = ClickHouseStore.insert

    def die_after(*given: Any, **named: Any) -> None:
        insert(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ClickHouseStore, "insert", die_after)
        with pytest.raises(KeyboardInterrupt):
            call_command("analytics_move")
    assert (in_clickhouse(), RawEvent.objects.count()) == (4, 8)
    call_command("analytics_move")
    assert (in_clickhouse(), RawEvent.objects.count()) == (8, 0)


def test_a_day_that_differs_is_named_and_kept(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given({0: 1, 3: 2})
    day = (timezone.now() - timedelta(days=3)).date()
    insert = ClickHouseStore.insert

    def lose_one(self: ClickHouseStore, rows: Any, **named: Any) -> None:
        is_that_day = rows[0][2].date() == day
        insert(self, rows[1:] if is_that_day else rows, **named)

    with monkeypatch.context() as patch:
        patch.setattr(ClickHouseStore, "insert", lose_one)
        with pytest.raises(CommandError, match=str(day)):
            call_command("analytics_move")
    assert "2 expected, 1 found" in capsys.readouterr().out
    assert {event.occurred_at.date() for event in RawEvent.objects.all()} == {day}
    assert RawEvent.objects.count() == 4
    call_command("analytics_move")
    assert (in_clickhouse(), RawEvent.objects.count()) == (6, 0)


def test_a_clickhouse_that_refuses(clickhouse: ClickHouse) -> None:
    given({0: 1})
    with clickhouse.broken_by("refuse"), pytest.raises(CommandError, match="Run it again"):
        call_command("analytics_move")
    with only_mover(), pytest.raises(CommandError, match="somebody else"):
        call_command("analytics_move")
    assert RawEvent.objects.count() == 2


def test_it_needs_a_clickhouse() -> None:
    with pytest.raises(CommandError, match="ANALYTICS_URL"):
        call_command("analytics_move")
    assert shipping.due(timezone.now()) == []


def test_the_way_back(clickhouse: ClickHouse) -> None:
    given({0: 3, 40: 2})
    events = list(RawEvent.objects.order_by("pk").values())
    call_command("analytics_move")
    now = timezone.now()
    run(ROLL_UP, now=now)
    given({0: 1})  # not carried over yet
    call_command("analytics_move", back=True, dry_run=True)
    assert RawEvent.objects.count() == 2
    for _ in range(2):
        call_command("analytics_move", back=True)
        assert RawEvent.objects.count() == 12
        assert in_clickhouse() == 10
    ids = [event["id"] for event in events]
    assert list(RawEvent.objects.filter(pk__in=ids).order_by("pk").values()) == events
    assert Progress.objects.get(pk=ROLL_UP.name).at == now


def test_a_way_back_that_loses_something_says_so(clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    given({0: 2})
    call_command("analytics_move")
    append = PostgresStore.append
    monkeypatch.setattr(PostgresStore, "append", lambda self, events: append(self, events[1:]))
    with pytest.raises(CommandError, match="differ"):
        call_command("analytics_move", back=True)
