"""The outbox: at least once, never twice at a time, parked after ten tries, indifferent to Redis."""

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from core import context
from core.data import statements
from core.jobs import outbox
from core.jobs.backoff import MAX_ATTEMPTS, backoff
from core.models import OutboxEvent
from core.testing import commits, drain_outbox, run_retention, together

TOPIC = "tests.ring_bell"


class Bell:
    """Counts how often it was rung; `broken` makes it fail."""

    def __init__(self) -> None:
        self.rung: list[dict[str, Any]] = []
        self.broken: Exception | None = None

    def __call__(self, event_id: UUID, **facts: Any) -> None:
        self.rung.append({"event_id": event_id, "request_id": context.request_id.get(), **facts})
        if self.broken:
            raise self.broken


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    bell = Bell()
    monkeypatch.setitem(outbox._handlers, TOPIC, bell)
    return bell


@pytest.fixture
def event(db: None, bell: Bell) -> OutboxEvent:
    return outbox.emit(TOPIC, tone="c")


def again(event: OutboxEvent) -> OutboxEvent:
    event.refresh_from_db()
    return event


def test_delivered_once_with_its_facts(bell: Bell, event: OutboxEvent) -> None:
    assert drain_outbox() == 1
    assert [(row["event_id"], row["tone"]) for row in bell.rung] == [(event.pk, "c")]
    assert again(event).delivered_at
    assert outbox.deliver(event.pk, now=timezone.now()) is False
    assert len(bell.rung) == 1


def test_an_undone_cause_leaves_no_event(db: None, bell: Bell) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.emit(TOPIC)
        raise ZeroDivisionError
    assert not OutboxEvent.objects.exists()


def test_a_topic_nobody_handles_is_refused_at_once(db: None) -> None:
    with pytest.raises(LookupError):
        outbox.emit("tests.nobody_listens")


def test_the_handler_runs_under_the_request_that_caused_it(db: None, bell: Bell) -> None:
    token = context.request_id.set("request-of-the-cause")
    outbox.emit(TOPIC)
    context.request_id.reset(token)
    drain_outbox()
    assert bell.rung[0]["request_id"] == "request-of-the-cause"


def test_celery_is_told_after_the_commit_and_not_before(db: None, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("core.jobs.messenger.enqueue", lambda ids, apart: told.extend(ids))
    with commits():
        event = outbox.emit(TOPIC)
        assert told == []
    assert told == [str(event.pk)]


def test_a_delayed_event_waits(db: None, bell: Bell) -> None:
    event = outbox.emit(TOPIC, after=timedelta(hours=1))
    assert drain_outbox() == 0
    assert event.pk not in outbox.due(timezone.now())
    assert drain_outbox(now=timezone.now() + timedelta(hours=1, seconds=1)) == 1


def test_a_failure_is_tried_again_with_growing_pauses(bell: Bell, event: OutboxEvent) -> None:
    bell.broken = ValueError("the rope is torn")
    pauses = []
    now = timezone.now()
    for attempt in range(1, 6):
        assert outbox.deliver(event.pk, now=now) is False
        assert again(event).attempts == attempt
        assert event.last_error == "ValueError: the rope is torn"
        assert event.held_until is None
        pauses.append((event.due_at - now).total_seconds())
        now = event.due_at
    for attempt, pause in enumerate(pauses):
        assert 0.8 * 2**attempt <= pause <= 1.2 * 2**attempt
    bell.broken = None
    assert outbox.deliver(event.pk, now=now) is True
    assert again(event).last_error == ""


def test_pauses_stay_within_minutes() -> None:
    assert max(backoff(attempt) for attempt in range(1, 30)) <= timedelta(seconds=360)


def test_a_handler_may_name_its_own_pause(bell: Bell, event: OutboxEvent) -> None:
    bell.broken = outbox.NotYet("closed until noon", after=timedelta(hours=2))
    now = timezone.now()
    outbox.deliver(event.pk, now=now)
    assert again(event).due_at == now + timedelta(hours=2)


def test_a_try_that_was_not_made_does_not_count(bell: Bell, event: OutboxEvent) -> None:
    bell.broken = outbox.NotYet("the provider is left alone", after=timedelta(seconds=30), tried=False)
    for minute in range(MAX_ATTEMPTS + 2):
        outbox.deliver(event.pk, now=timezone.now() + timedelta(minutes=minute))
    assert (again(event).attempts, event.parked_at) == (0, None)


def test_parked_after_ten_tries_and_the_rest_go_on(
    bell: Bell, event: OutboxEvent, caplog: pytest.LogCaptureFixture
) -> None:
    bell.broken = ValueError("torn for good")
    now = timezone.now()
    for _ in range(MAX_ATTEMPTS):
        assert again(event).parked_at is None
        outbox.deliver(event.pk, now=now)
        now += timedelta(hours=1)
    assert again(event).parked_at and event.attempts == MAX_ATTEMPTS
    assert "outbox event parked" in caplog.text
    assert outbox.deliver(event.pk, now=now) is False
    assert event.pk not in outbox.due(now + timedelta(days=30))
    bell.broken = None
    outbox.emit(TOPIC, tone="d")
    assert drain_outbox() == 1
    assert bell.rung[-1]["tone"] == "d"


def test_parked_events_get_new_tries_by_command(
    bell: Bell, event: OutboxEvent, capsys: pytest.CaptureFixture[str]
) -> None:
    bell.broken = ValueError("torn")
    for hour in range(MAX_ATTEMPTS):
        outbox.deliver(event.pk, now=timezone.now() + timedelta(hours=hour))
    bell.broken = None
    call_command("outbox_retry", topic="tests.other")
    assert again(event).parked_at
    call_command("outbox_retry", topic=TOPIC)
    assert "1 events will be tried again" in capsys.readouterr().out
    assert drain_outbox() == 1


def test_a_holder_that_died_gives_way_when_its_lease_ends(bell: Bell, event: OutboxEvent) -> None:
    now = timezone.now()
    # As a worker leaves it that was killed in the middle of its attempt.
    OutboxEvent.objects.update(attempts=1, held_until=now + outbox.LEASE, due_at=now + outbox.LEASE)
    assert outbox.deliver(event.pk, now=now + outbox.LEASE - timedelta(seconds=1)) is False
    assert bell.rung == []
    late = now + outbox.LEASE + timedelta(seconds=1)
    assert outbox.due(late) == [event.pk]
    assert outbox.deliver(event.pk, now=late) is True


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """What Celery is told: ids, and whether each has a message of its own."""
    sent: list[tuple[list[str], bool]] = []
    monkeypatch.setattr("core.jobs.messenger.enqueue", lambda ids, apart: sent.append((ids, apart)))
    return sent


def test_slow_handlers_leave_the_rest_of_a_message_to_other_workers(
    db: None, bell: Bell, sent: list[tuple[list[str], bool]]
) -> None:
    ids = [outbox.emit(TOPIC, tone=str(number)).pk for number in range(4)]
    assert outbox.deliver_all(ids, now=timezone.now(), patience=0) == 1
    assert [row["tone"] for row in bell.rung] == ["0"]
    assert sent == [([str(event_id) for event_id in ids[1:]], True)]
    assert not OutboxEvent.objects.filter(pk__in=ids[1:], held_until__isnull=False).exists(), "nobody has begun them"


def test_one_failure_in_a_message_stops_no_other(db: None, bell: Bell) -> None:
    good, gone = outbox.emit(TOPIC, tone="c"), outbox.emit(TOPIC, tone="d")
    bad = outbox.emit("events.deliver")  # of an event that does not exist
    assert outbox.deliver_all([bad.pk, gone.pk, good.pk], now=timezone.now()) == 2
    assert again(bad).attempts == 1 and again(bad).held_until is None and "KeyError" in bad.last_error
    assert again(good).delivered_at and again(gone).delivered_at


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_of_one_message_share_its_events(bell: Bell) -> None:
    ids = [outbox.emit(TOPIC, tone=str(number)).pk for number in range(12)]
    now = timezone.now()
    delivered = together(*[lambda: outbox.deliver_all(ids, now=now, patience=math.inf)] * 3)
    assert sum(delivered) == 12
    assert sorted(row["event_id"] for row in bell.rung) == ids


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_once_are_one(bell: Bell) -> None:
    event = outbox.emit(TOPIC)
    now = timezone.now()
    results = together(*[lambda: outbox.deliver(event.pk, now=now)] * 4)
    assert sorted(results) == [False, False, False, True]
    assert len(bell.rung) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lease_two_deliveries_would_be_two(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above: it sees the doubling that the lease prevents."""
    event = outbox.emit(TOPIC)
    now = timezone.now()
    claim = (statements.ROOT / "core/jobs/sql/claim.sql").read_text()
    for condition in (
        "AND delivered_at IS NULL AND parked_at IS NULL",
        "(held_until IS NULL OR held_until <= :now::timestamptz)",
        "SKIP LOCKED",
    ):
        assert condition in claim
        claim = claim.replace(condition, ":now::timestamptz IS NOT NULL" if ":now" in condition else "")
    monkeypatch.setattr(outbox, "_CLAIM", statements.Statement(claim))
    together(*[lambda: outbox.deliver(event.pk, now=now)] * 2)
    assert len(bell.rung) == 2


def test_the_relay_tells_again_what_is_due_and_then_holds_back(
    bell: Bell, event: OutboxEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("core.jobs.messenger.enqueue", lambda ids, apart: told.extend(ids))
    now = timezone.now()
    assert outbox.relay(now=now) == 0, "the message sent after the commit has its time to arrive"
    late = now + outbox.FIRST_LEASE + timedelta(seconds=1)
    assert outbox.relay(now=late) == 1
    assert outbox.relay(now=late) == 0
    assert outbox.relay(now=late + outbox.FIRST_LEASE) == 1
    assert told == [str(event.pk)] * 2


def test_what_is_emitted_in_bulk_is_left_to_the_relay(bell: Bell, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("core.jobs.messenger.enqueue", lambda ids, apart: told.extend(ids))
    with commits(), outbox.in_bulk():
        event = outbox.emit(TOPIC)
    assert told == []
    with commits():
        prompt = outbox.emit(TOPIC)
    assert told == [str(prompt.pk)]
    outbox.relay(now=timezone.now() + outbox.FIRST_LEASE)
    assert set(told) == {str(prompt.pk), str(event.pk)}


def test_old_deliveries_are_deleted_and_nothing_else(bell: Bell, event: OutboxEvent) -> None:
    drain_outbox()
    waiting = outbox.emit(TOPIC)
    now = timezone.now()
    for late, count in ((-timedelta(minutes=1), 0), (timedelta(minutes=1), 1)):
        deleted = run_retention(now=now + outbox.KEPT + late, only=OutboxEvent)
        assert deleted == {"core/outbox-events": count}
    assert OutboxEvent.objects.get().pk == waiting.pk


# --- Put back -------------------------------------------------------------------------------------------------------


def put_back(event_id: UUID, **facts: Any) -> bool:
    with commits():
        return outbox.put_back(outbox.row(TOPIC, id=event_id, **facts))


def test_what_is_put_back_is_delivered_again_and_what_waits_is_left_alone(bell: Bell, event: OutboxEvent) -> None:
    assert not put_back(event.pk, tone="d"), "it waits"
    drain_outbox()
    assert put_back(event.pk, tone="d")
    assert again(event).attempts == 0
    assert not put_back(event.pk, tone="e")
    drain_outbox()
    assert [row["tone"] for row in bell.rung] == ["c", "d"]


def test_what_is_being_delivered_is_left_alone(bell: Bell, event: OutboxEvent) -> None:
    OutboxEvent.objects.update(attempts=1, held_until=timezone.now() + outbox.LEASE)
    assert not put_back(event.pk)
    assert OutboxEvent.objects.filter(outbox.is_waiting(timezone.now())).get() == event


def test_a_parked_event_gets_one_try_after_a_while(bell: Bell, event: OutboxEvent) -> None:
    bell.broken = ZeroDivisionError("broken")
    now = timezone.now()
    OutboxEvent.objects.update(attempts=MAX_ATTEMPTS, parked_at=now)
    assert not put_back(event.pk)
    assert OutboxEvent.objects.filter(outbox.is_waiting(now)).exists()
    earlier = now - outbox.PARKED_FOR
    OutboxEvent.objects.update(parked_at=earlier)
    assert not OutboxEvent.objects.filter(outbox.is_waiting(timezone.now())).exists()
    assert put_back(event.pk)
    drain_outbox(now=timezone.now() + outbox.FIRST_LEASE)
    assert OutboxEvent.objects.filter(parked_at__gt=earlier).get() == event
    assert len(bell.rung) == 1
    bell.broken = None
    OutboxEvent.objects.update(parked_at=earlier)
    assert put_back(event.pk)
    assert drain_outbox(now=timezone.now() + outbox.FIRST_LEASE) == 1


@pytest.mark.django_db(transaction=True)
def test_an_event_put_back_twice_at_once_is_put_back_once(bell: Bell) -> None:
    event = outbox.emit(TOPIC)
    drain_outbox()
    assert sorted(together(*[lambda: put_back(event.pk)] * 2)) == [False, True]
    assert OutboxEvent.objects.count() == 1
