"""Events: typed facts, one exchange, nothing lost and nothing done twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from core import clock, context, events
from core.data.ids import derived_id, uuid7
from core.events import delivery, kinds
from core.events.kinds import Effect, Kind
from core.models import Event, IdempotencyKey, OutboxEvent
from core.money import Money
from core.testing import WAIT_LIMIT, commits, drain_outbox, run_retention
from core.testing.processes import Program

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
PERSON = uuid7()
FACTS = {
    "who": PERSON,
    "word": "x",
    "number": 3,
    "is_new": True,
    "at": MOMENT,
    "day": date(2026, 1, 2),
    "amount": Money(-5, "USD"),
    "words": ["a", "b"],
    "ids": [PERSON],
}
TYPES = {
    "who": UUID,
    "word": str,
    "number": int,
    "is_new": bool,
    "at": datetime,
    "day": date,
    "amount": Money,
    "words": list[str],
    "ids": list[UUID],
}


class Bell(Effect):
    """Remembers whom it rang for; `broken` makes it fail."""

    column = "Bell"

    def __init__(self, *, is_prompt: bool = False) -> None:
        self.is_prompt = is_prompt  # type: ignore[misc]
        self.rung: list[events.Recorded] = []
        self.broken = False

    def describe(self) -> str:
        return "rings"

    def deliver(self, event: events.Recorded) -> None:
        if self.broken:
            raise ZeroDivisionError("the rope is torn")
        self.rung.append(event)


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is gone after it."""
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.setattr(delivery, "_listeners", dict(delivery._listeners))


@pytest.fixture
def bell(db: None, declared: None) -> Bell:
    bell = Bell()
    events.declare(Kind("bell.rung", facts={"tone": str}, sealed={"secret": str | None}, effects=[bell]))
    return bell


def ring(tone: str = "c", **facts: object) -> Event:
    with commits():
        return events.record("bell.rung", actor=None, now=timezone.now(), tone=tone, **facts)


def test_facts_come_back_in_their_types(declared: None, db: None) -> None:
    events.declare(Kind("test.all_types", facts=TYPES))
    event = events.record("test.all_types", actor=None, now=MOMENT, **FACTS)
    assert delivery.load(event.pk).facts == FACTS
    stored = Event.objects.get()
    assert (stored.kind, stored.actor_label, stored.created_at) == ("test.all_types", "system", MOMENT)


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_of_another_type_is_refused(declared: None, db: None, name: str) -> None:
    events.declare(Kind("test.all_types", facts=TYPES))
    wrong = {"word": b"x", "number": True, "is_new": 1, "day": MOMENT, "words": ["a", 1]}.get(name, "text")
    with pytest.raises(TypeError, match=name):
        events.record("test.all_types", actor=None, now=MOMENT, **{**FACTS, name: wrong})
    with pytest.raises(TypeError, match="is missing"):
        events.record(
            "test.all_types", actor=None, now=MOMENT, **{key: value for key, value in FACTS.items() if key != name}
        )
    assert not Event.objects.exists()


def test_unknown_facts_kinds_and_subjects_are_refused(bell: Bell) -> None:
    with pytest.raises(TypeError, match="has no colour"):
        ring(colour="red")
    with pytest.raises(LookupError):
        events.record("bell.sung", actor=None, now=MOMENT)
    with pytest.raises(TypeError, match="not about"):
        events.record("bell.rung", Event(), actor=None, now=MOMENT, tone="c")
    events.declare(Kind("key.used", about=IdempotencyKey))
    with pytest.raises(TypeError, match="not about"):
        events.record("key.used", actor=None, now=MOMENT)
    with pytest.raises(LookupError):
        events.on("bell.sung")


def test_declaring_twice_is_refused(bell: Bell) -> None:
    with pytest.raises(ValueError, match="already"):
        events.declare(Kind("bell.rung"))
    with pytest.raises(ValueError, match="twice"):
        events.declare(Kind("bell.cast", facts={"tone": str}, sealed={"tone": str}))


def test_one_exchange_whatever_follows(bell: Bell) -> None:
    with (
        CaptureQueriesContext(
            connection,
        ) as captured,
        transaction.atomic(),
    ):
        events.record("bell.rung", actor=None, now=timezone.now(), tone="c", secret="s3cret")
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 1
    follow_up = OutboxEvent.objects.get()
    assert follow_up.pk == Event.objects.get().pk, "one id"
    assert "s3cret" not in str(Event.objects.values()) + str(OutboxEvent.objects.values())


def test_many_are_two_statements(bell: Bell) -> None:
    happened = [(None, {"tone": str(number)}) for number in range(300)]
    with CaptureQueriesContext(connection) as captured, commits():
        recorded = events.record_many("bell.rung", happened, actor=None, now=timezone.now())
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 2
    drain_outbox()
    assert [event.id for event in bell.rung] == [event.pk for event in recorded]
    assert events.record_many("bell.rung", [], actor=None, now=timezone.now()) == []


def test_effects_come_after_the_commit_with_the_sealed_facts(bell: Bell) -> None:
    event = ring("d", secret="s3cret")
    assert bell.rung == []
    drain_outbox()
    [rung] = bell.rung
    assert (rung.id, rung.facts) == (event.pk, {"tone": "d", "secret": "s3cret"})


def test_what_is_rolled_back_did_not_happen(bell: Bell) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        events.record("bell.rung", actor=None, now=timezone.now(), tone="c")
        raise ZeroDivisionError
    assert not Event.objects.exists() and not OutboxEvent.objects.exists()


def test_nothing_waits_for_an_event_without_effects(declared: None, db: None) -> None:
    events.declare(Kind("test.plain"))
    events.record("test.plain", actor=None, now=MOMENT)
    assert not OutboxEvent.objects.exists()


def test_sealed_facts_that_cannot_be_opened_drop_the_effects_and_not_the_listeners(
    bell: Bell, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    heard = []

    @events.on("bell.rung")
    def hear(event: events.Recorded) -> None:
        heard.append(event.facts)

    ring("d", secret="s3cret")
    settings.SECRET_KEY = "another"
    drain_outbox()
    assert (bell.rung, heard) == ([], [{"tone": "d"}])
    assert "cannot be opened" in caplog.text


def test_a_listener_that_fails_is_tried_again_by_itself(bell: Bell) -> None:
    broken = [True]
    heard: list[Any] = []

    @events.on("bell.rung")
    def hear(event: events.Recorded) -> None:
        heard.append(event.id)

    @events.on("bell.rung")
    def stumble(event: events.Recorded) -> None:
        if broken:
            raise ZeroDivisionError("not now")
        heard.append("stumbled")

    event = ring()
    drain_outbox()
    assert heard == [event.pk] and len(bell.rung) == 1
    waiting = OutboxEvent.objects.get(delivered_at__isnull=True)
    assert (waiting.topic, waiting.facts["listener"]) == (delivery.LISTEN, "core.stumble")
    broken.clear()
    drain_outbox(now=waiting.due_at)
    assert heard == [event.pk, "stumbled"]


def test_delivering_twice_calls_a_listener_once(bell: Bell) -> None:
    heard = []

    @events.on("bell.rung")
    def hear(event: events.Recorded) -> None:
        heard.append(event.id)

    event = ring()
    drain_outbox()
    OutboxEvent.objects.filter(pk=event.pk).update(delivered_at=None, held_until=None, due_at=timezone.now())
    assert drain_outbox() == 1
    assert heard == [event.pk]


def test_an_effect_that_fails_is_tried_again_and_keeps_no_other_from_happening(declared: None, db: None) -> None:
    broken, other, heard = Bell(), Bell(), []
    broken.broken = True
    events.declare(Kind("bell.rung", facts={"tone": str}, effects=[broken, other]))

    @events.on("bell.rung")
    def hear(event: events.Recorded) -> None:
        heard.append(event.id)

    event = ring()
    drain_outbox()
    assert (len(other.rung), heard) == (1, [event.pk])
    waiting = OutboxEvent.objects.get(pk=event.pk)
    assert (waiting.attempts, waiting.delivered_at, waiting.last_error) == (
        1,
        None,
        "ZeroDivisionError: the rope is torn",
    )
    broken.broken = False
    drain_outbox(now=waiting.due_at)
    assert (len(broken.rung), heard) == (1, [event.pk])


def test_events_of_one_message_share_a_transaction_and_fall_back_to_one_each(declared: None, db: None) -> None:
    """An effect that fails for one event keeps those of no other from happening, and none happens twice."""

    class Mark(Effect):
        column = "Mark"

        def deliver(self, event: events.Recorded) -> None:
            if event.facts["tone"] == "bad":
                raise ZeroDivisionError("not this one")
            events.record("bell.marked", actor=None, now=MOMENT, tone=event.facts["tone"])

    events.declare(Kind("bell.rung", facts={"tone": str}, effects=[Mark()]), Kind("bell.marked", facts={"tone": str}))

    def marked() -> list[str]:
        return [event.facts["tone"] for event in Event.objects.filter(kind="bell.marked").order_by("id")]

    for tone in ("a", "b", "c"):
        ring(tone)
    with CaptureQueriesContext(connection) as captured:
        assert drain_outbox() == 3
    assert sum(query["sql"].startswith("SAVEPOINT") for query in captured) == 1
    assert marked() == ["a", "b", "c"]

    bad = [ring(tone) for tone in ("d", "bad", "e")][1]
    assert drain_outbox() == 2
    assert marked() == ["a", "b", "c", "d", "e"]
    waiting = OutboxEvent.objects.get(delivered_at=None)
    assert (waiting.pk, waiting.last_error) == (bad.pk, "ZeroDivisionError: not this one")


def test_effects_run_under_the_request_of_their_event(bell: Bell) -> None:
    seen = []
    bell.deliver = lambda event: seen.append((event.facts["tone"], context.request_id.get()))  # type: ignore[method-assign]
    for tone in ("a", "b"):
        with context.under_request(f"request-{tone}"):
            ring(tone)
    drain_outbox()
    assert seen == [("a", "request-a"), ("b", "request-b")]


def test_what_is_prompt_happens_right_after_the_commit_and_again(declared: None, db: None) -> None:
    bell = Bell(is_prompt=True)
    events.declare(Kind("bell.rung", sealed={"tone": str}, effects=[bell]))
    ring()
    assert [event.facts for event in bell.rung] == [{"tone": "c"}]
    drain_outbox()
    assert len(bell.rung) == 2
    bell.broken = True
    ring("d")
    bell.broken = False
    drain_outbox()
    assert bell.rung[-1].facts == {"tone": "d"}


def test_the_subject_is_a_fact_and_has_a_timeline(declared: None, db: None) -> None:
    events.declare(
        Kind("key.used", about=IdempotencyKey, timeline=True),
        Kind("key.seen", about=IdempotencyKey),
        Kind("key.lost", about=IdempotencyKey, facts={"word": str}, timeline=True, audit=False),
    )
    key, other = IdempotencyKey(), IdempotencyKey()
    for name, subject, facts in (
        ("key.used", key, {}),
        ("key.seen", key, {}),
        ("key.lost", key, {"word": "x"}),
        ("key.used", other, {}),
    ):
        event = events.record(name, subject, actor=None, now=MOMENT, **facts)
    assert delivery.load(event.pk).facts == {"idempotencykey_id": other.pk}
    assert [row.kind for row in events.timeline(key)] == ["key.used", "key.lost"]
    found = events.timelines(IdempotencyKey, [key.pk, other.pk])
    assert [row.kind for row in found[other.pk]] == ["key.used"] and len(found[key.pk]) == 2
    assert "key.lost" not in {row.kind for row in events.audit_log()}


def test_the_database_refuses_to_change_or_delete_what_happened(bell: Bell) -> None:
    ring()
    for change in (lambda: Event.objects.update(kind="bell.broken"), lambda: Event.objects.all().delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def test_events_of_a_kind_with_a_kept_time_go_after_it(declared: None, db: None) -> None:
    ring = Bell()
    events.declare(
        Kind("test.fleeting", audit=False, keep=timedelta(days=90)),
        Kind("test.fleeting_told", audit=False, keep=timedelta(days=90), effects=[ring]),
        Kind("test.lasting", audit=False),
    )
    with pytest.raises(ValueError, match="kept for ever"):
        events.declare(Kind("test.shown", keep=timedelta(days=90)))
    now = clock.now()
    for age in (89, 91):
        for kind in ("test.fleeting", "test.fleeting_told", "test.lasting"):
            events.record(kind, actor=None, now=now - timedelta(days=age))
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Event.objects.filter(kind="test.lasting").delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Event.objects.filter(expires_at__gt=now).delete()
    run_retention(now=now, only=Event)
    left = sorted(Event.objects.filter(kind__startswith="test.").values_list("kind", flat=True))
    waiting = ["test.fleeting_told"] * 2  # what follows from the older one is not delivered yet
    assert left == ["test.fleeting", *waiting, "test.lasting", "test.lasting"]
    drain_outbox()
    run_retention(now=now, only=Event)
    assert Event.objects.filter(kind="test.fleeting_told").count() == 1


def test_derived_ids_are_ids_of_the_same_moment() -> None:
    base = uuid7()
    one, other = derived_id(base, "one"), derived_id(base, "other")
    assert one == derived_id(base, "one") != other
    assert one.version == other.version == 7 and one.variant == base.variant
    assert one.int >> 80 == base.int >> 80


RECORD_AND_DIE = """
import os, signal, sys
from django.db import transaction
from django.utils import timezone
from core import events
from core.tests.test_events import Bell, Kind
events.declare(Kind("bell.rung", facts={"tone": str}, sealed={"secret": str | None}, effects=[Bell(is_prompt=True)]))
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    events.record("bell.rung", actor=None, now=timezone.now(), tone="last", secret="s3cret")
print("still alive")
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_right_after_the_commit_loses_nothing(bell: Bell) -> None:
    heard = []

    @events.on("bell.rung")
    def hear(event: events.Recorded) -> None:
        heard.append(event.facts["tone"])

    program = Program(
        "manage.py",
        "shell",
        "-v0",
        "-c",
        RECORD_AND_DIE,
        DJANGO_SETTINGS_MODULE="vectragrow.settings.test",
        DATABASE_URL="postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict),
    )
    try:
        assert program.process.wait(WAIT_LIMIT) == -9, program.output()
        assert "still alive" not in program.output()
    finally:
        program.end()
    drain_outbox()
    assert [event.facts for event in bell.rung] == [{"tone": "last", "secret": "s3cret"}]
    assert heard == ["last"]
