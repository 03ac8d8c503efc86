"""Counts by hour and day equal a recount of the raw events, whatever is repeated, late or broken in between."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command

from accounts.models import User
from analytics.jobs import COPY_EVENTS, FINISH_ERASURES, ROLL_UP
from analytics.models import COUNTED, PLATFORM, ActiveDay, Activity, Audience, DayCount, HourCount, RawEvent, Visit
from analytics.services import rollups
from analytics.services.rollups import VISIT
from analytics.stores import Incoming, store
from analytics.testing.stores import ship
from core import events
from core.data.ids import uuid7
from core.jobs.runner import Tally, run
from core.models import Event, FailingItem
from core.privacy import erasure

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store")]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def happened(at: datetime, **traits: Any) -> Incoming:
    given: dict[str, Any] = {"id": uuid7(), "name": "page_view", "occurred_at": at, "received_at": NOON, **traits}
    return Incoming(**{"audience": Audience.PERSON, **given})


def at_random(seed: int, number: int = 400) -> list[Incoming]:
    choose = random.Random(seed)
    people, visitors, campaigns = ([uuid4() for _ in range(size)] for size in (12, 6, 3))
    found = []
    for _ in range(number):
        audience = choose.choice(list(Audience))
        is_visitor = audience == Audience.VISITOR or (audience == Audience.BOT and choose.random() < 0.5)
        found.append(
            happened(
                NOON - timedelta(minutes=choose.randrange(60 * 60)),
                name=choose.choice(["page_view", "campaign_view", "search"]),
                audience=audience,
                is_known=choose.random() < 0.9,
                user_id=None if is_visitor else choose.choice(people),
                visitor_id=choose.choice(visitors) if is_visitor else None,
                campaign_id=choose.choice([None, *campaigns]),
                subject_id=choose.choice([None, people[0]]),
                source=choose.choice(["", "", "news", "google"]),
            )
        )
    return found


def roll_up(now: datetime = NOON + timedelta(minutes=1)) -> Tally:
    ship(now - timedelta(seconds=1))
    return run(ROLL_UP, now=now)


def expected_hours(given: list[Incoming]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for event in given:
        for about in {PLATFORM, event.campaign_id, event.subject_id} - {None} if event.is_known else ():
            hour = event.occurred_at.replace(minute=0, second=0, microsecond=0)
            found[hour, event.name, about, event.audience.value] += 1
    return found


def expected_days(given: list[Incoming]) -> dict[Any, tuple[int, int]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for event in given:
        for about in {PLATFORM, event.campaign_id, event.subject_id} - {None}:
            if event.is_known and event.audience in COUNTED:
                found[event.occurred_at.date(), event.name, about].append(event.user_id or event.visitor_id)
    return {key: (len(who), len(set(who))) for key, who in found.items()}


def expected_visits(given: list[Incoming]) -> list[Any]:
    by_person: dict[Any, list[Incoming]] = defaultdict(list)
    for event in sorted(given, key=lambda event: (event.occurred_at, event.id)):
        if event.is_known and event.audience in COUNTED:
            by_person[event.occurred_at.date(), event.user_id or event.visitor_id].append(event)
    found = []
    for seen in by_person.values():
        visit = [seen[0]]
        for event in seen[1:]:
            if event.occurred_at - visit[-1].occurred_at >= timedelta(minutes=30):
                found.append(visit)
                visit = []
            visit.append(event)
        found.append(visit)
    return [
        (
            visit[0].user_id,
            visit[0].occurred_at,
            visit[-1].occurred_at,
            len(visit),
            next((event.source for event in visit if event.source), ""),
            next((event.source for event in reversed(visit) if event.source), ""),
        )
        for visit in found
    ]


def check(given: list[Incoming]) -> None:
    hours = {(r.hour, r.name, r.about_id, r.audience): r.events for r in HourCount.objects.all()}
    assert hours == dict(expected_hours(given))
    days = {(row.day, row.name, row.about_id): (row.events, row.people) for row in DayCount.objects.exclude(name=VISIT)}
    assert days == expected_days(given)
    columns = ("user_id", "started_at", "ended_at", "events", "first_source", "last_source")
    visits = expected_visits(given)
    assert sorted(Visit.objects.values_list(*columns), key=str) == sorted(visits, key=str)
    in_all = DayCount.objects.filter(name=VISIT, about_id=PLATFORM)
    assert sum(row.events for row in in_all) == len(visits)


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_equal_a_recount(seed: int) -> None:
    given = at_random(seed)
    store().append(given)
    assert roll_up().failed == 0
    check(given)
    roll_up()
    check(given)


def test_late_events_are_counted_and_only_what_they_change() -> None:
    given = at_random(3, 100)
    store().append(given)
    roll_up()
    late = happened(NOON - timedelta(hours=71), received_at=NOON + timedelta(hours=1), user_id=uuid4())
    store().append([late])
    before = set(HourCount.objects.exclude(hour=late.occurred_at.replace(minute=0)).values_list("hour", "events"))
    roll_up(NOON + timedelta(hours=1, minutes=5))
    check([*given, late])
    assert before <= set(HourCount.objects.values_list("hour", "events"))


def test_what_fails_is_counted_at_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    given = at_random(4, 50)
    store().append(given)
    count_day = rollups.count_day

    def fail(day: Any, *, now: datetime) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(rollups, "count_day", fail)
    assert roll_up().failed > 0
    monkeypatch.setattr(rollups, "count_day", count_day)
    FailingItem.objects.update(due_at=NOON)
    roll_up(NOON + timedelta(hours=2))
    check(given)


def test_verify_names_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    later = NOON + timedelta(minutes=30)
    with time_machine.travel(later, tick=False):
        store().append(at_random(5, 60))
        roll_up()
        roll_up(later)
        call_command("analytics_verify", days=5)
        row = DayCount.objects.exclude(name=VISIT).first()
        assert row is not None
        DayCount.objects.filter(pk=row.pk).update(events=row.events + 7)
        with pytest.raises(CommandError, match="1 differ"):
            call_command("analytics_verify", days=5)
    assert f"counted ({row.events + 7}, {row.people}), raw ({row.events}, {row.people})" in capsys.readouterr().out


def test_verify_does_not_judge_what_has_just_arrived(capsys: pytest.CaptureFixture[str]) -> None:
    later = NOON + timedelta(minutes=30)
    with time_machine.travel(later, tick=False):
        store().append([happened(NOON)])
        roll_up(later)
        store().append([happened(NOON, received_at=later - timedelta(seconds=1))])
        ship(later - timedelta(seconds=1))
        call_command("analytics_verify", days=5)
    told = capsys.readouterr().out
    assert "2026-11-25: events have arrived that the next roll-up counts; not judged" in told


def test_active_people_by_day_week_and_month() -> None:
    first, second = uuid4(), uuid4()
    days = {0: [first], 1: [first, second], 8: [second], 29: [first]}
    store().append(
        [happened(NOON - timedelta(days=back), user_id=who) for back, people in days.items() for who in people]
    )
    store().append([happened(NOON, user_id=uuid4(), audience=Audience.TEAM), happened(NOON, visitor_id=uuid4())])
    roll_up()
    figures = {row.day: (row.daily, row.weekly, row.monthly) for row in Activity.objects.all()}
    assert figures[NOON.date()] == (1, 2, 2)
    assert figures[NOON.date() - timedelta(days=2)] == (0, 1, 2)
    assert figures[NOON.date() - timedelta(days=8)] == (1, 1, 2)


def test_erasing_removes_rows_of_a_person_and_keeps_counts(person: Callable[..., User]) -> None:
    leaver = person("leaver")
    store().append([happened(NOON, user_id=leaver.pk), happened(NOON, user_id=uuid4())])
    roll_up()
    erasure.erase_person(person_id=leaver.pk, now=NOON)
    assert run(FINISH_ERASURES, now=NOON).done == 1
    assert not list(store().events_of(leaver.pk))
    assert not Visit.objects.filter(user_id=leaver.pk).exists()
    assert not ActiveDay.objects.filter(user_id=leaver.pk).exists()
    assert DayCount.objects.get(name="page_view", day=NOON.date()).people == 2
    assert Activity.objects.get(day=NOON.date()).daily == 2


# --- Business events -----------------------------------------------------------------------------------------------


def copied() -> set[UUID]:
    return set(RawEvent.objects.values_list("id", flat=True))


def test_business_events_are_copied_once_under_their_own_id(person: Callable[..., User]) -> None:
    member, now = person("member"), datetime.now(UTC)
    event = events.record("account.followed", member, actor=member, now=now, by_invitation=False)
    unlisted = events.record("account.unfollowed", member, actor=member, now=now)
    later = now + timedelta(minutes=1)
    assert run(COPY_EVENTS, now=later).failed == 0
    assert event.pk in copied() and unlisted.pk not in copied()
    number = RawEvent.objects.count()
    run(COPY_EVENTS, now=later + timedelta(minutes=1))
    assert RawEvent.objects.count() == number
    row = RawEvent.objects.get(id=event.pk)
    assert (row.name, row.user_id, row.audience) == ("account.followed", member.pk, "person")


def test_an_event_whose_transaction_committed_late_is_copied(person: Callable[..., User]) -> None:
    member, now = person("member"), datetime.now(UTC)
    run(COPY_EVENTS, now=now + timedelta(minutes=3))
    late = events.record("account.followed", member, actor=member, now=now, by_invitation=False)
    run(COPY_EVENTS, now=now + timedelta(minutes=4))
    assert late.pk in copied()


def test_acts_of_staff_are_the_teams(person: Callable[..., User]) -> None:
    staff, now = person("staff", role="moderator"), datetime.now(UTC)
    event = events.record("account.followed", staff, actor=staff, now=now, by_invitation=False)
    run(COPY_EVENTS, now=now + timedelta(minutes=1))
    assert RawEvent.objects.get(id=event.pk).audience == "team"
    assert Event.objects.filter(pk=event.pk).exists()
