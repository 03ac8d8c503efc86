"""The runner of jobs: items on their own, pauses, parking, one copy at a time."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.jobs import runner
from core.jobs.backoff import MAX_ATTEMPTS
from core.jobs.runner import Job, Tally, exclusive, run
from core.models import Event, FailingItem, IdempotencyKey, OutboxEvent
from core.privacy import retention
from core.testing import WAIT_LIMIT, eventually
from core.testing.processes import Program, kill_group
from vectragrow.celery import app

LIST = "/admin/core/failingitem/"


class Work:
    """Items that are due, of which some raise and some take more than one run."""

    def __init__(self, *due: Any, bad: Any = (), slow: Any = ()) -> None:
        self.due, self.bad, self.slow = list(due), set(bad), set(slow)
        self.seen: list[Any] = []
        self.job = Job("tests.work", "Works.", due=lambda now: self.due, work=self.work)

    def work(self, item: Any, *, now: datetime) -> bool:
        self.seen.append(item)
        if item in self.bad:
            raise ZeroDivisionError(f"item {item}")
        return item not in self.slow

    def run(self, **options: Any) -> Tally:
        self.seen.clear()
        return run(self.job, **{"now": timezone.now(), **options})


def test_a_bad_item_is_counted_and_the_others_go_on(db: None, caplog: pytest.LogCaptureFixture) -> None:
    work = Work(1, 2, 3, bad=[2], slow=[3])
    tally = work.run()
    assert work.seen == [1, 2, 3]
    assert (tally.due, tally.done, tally.left, tally.failed) == (3, 1, 1, 1)
    row = FailingItem.objects.get()
    assert (row.job, row.item, row.attempts, row.parked_at) == ("tests.work", "2", 1, None)
    assert row.last_error == "ZeroDivisionError: item 2" and "ZeroDivisionError" in caplog.text


def test_only_one_item_of_what_is_due_is_worked(db: None) -> None:
    work = Work(*range(20))
    assert work.run(only="17").done == 1
    assert work.seen == [17]
    assert work.run(only="20").due == 0


def test_a_bad_item_waits_longer_each_time_is_parked_after_ten_and_tried_again_when_asked_to(
    db: None, person: Callable[..., User]
) -> None:
    work, admin = Work(1, bad=[1]), person("ines", role="admin")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            assert work.run().failed == 1
            assert work.run().due == 0, "it waits"
            row = FailingItem.objects.get()
            assert row.attempts == attempt
            clock.move_to(row.due_at)
        assert row.parked_at
        clock.shift(timedelta(days=2))
        assert work.run().due == 0
        browser = Client()
        browser.force_login(admin)
        form = {"action": "try_again", "_selected_action": [row.pk]}
        assert "1 item will be tried again" in browser.post(LIST, form, follow=True).content.decode()
        assert Event.objects.get(kind="failing_item.retried").actor_id == admin.pk
        work.bad.clear()
        assert work.run().done == 1
    assert not FailingItem.objects.exists()


def test_others_may_look_at_parked_items_and_not_touch_them(db: None, person: Callable[..., User]) -> None:
    row = FailingItem.objects.create(job="tests.work", item="1", due_at=timezone.now(), parked_at=timezone.now())
    browser = Client()
    browser.force_login(person("mo", role="moderator"))
    browser.post(LIST, {"action": "try_again", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.parked_at


def test_failing_items_take_no_places_of_a_batch(db: None) -> None:
    work = Work(*range(10), bad=range(5))
    job = Job("tests.work", "Works.", due=lambda now: iter(work.due), work=work.work, batch=5)
    assert run(job, now=timezone.now()).failed == 5
    assert run(job, now=timezone.now()).done == 5


def test_a_dry_run_only_counts(db: None) -> None:
    work = Work(1, 2)
    assert work.run(dry_run=True).due == 2
    assert work.seen == []


def test_a_pause_is_judged_by_the_present_clock_not_by_the_moment_of_the_run(db: None) -> None:
    work = Work(1, bad=[1])
    work.run(now=timezone.now() + timedelta(days=30))
    assert FailingItem.objects.get().due_at < timezone.now() + timedelta(minutes=1)
    assert work.run(now=timezone.now() + timedelta(days=31)).due == 0


@pytest.mark.django_db(transaction=True)
def test_what_a_bad_item_wrote_is_undone_and_a_lost_connection_is_replaced() -> None:
    def work(name: str, *, now: datetime) -> None:
        with transaction.atomic():
            OutboxEvent.objects.create(topic=name)
            if name == "bad":
                connection.connection.close()
                OutboxEvent.objects.count()

    job = Job("tests.work", "Works.", due=lambda now: ["first", "bad", "last"], work=work)
    tally = run(job, now=timezone.now())
    assert (tally.done, tally.failed) == (2, 1)
    assert sorted(OutboxEvent.objects.values_list("topic", flat=True)) == ["first", "last"]
    assert FailingItem.objects.get().item == "bad"


@pytest.mark.django_db(transaction=True)
def test_one_copy_at_a_time() -> None:
    begun, may_end, done = threading.Event(), threading.Event(), []

    def work(item: Any, *, now: datetime) -> None:
        begun.set()
        assert may_end.wait(WAIT_LIMIT)
        done.append(item)

    job = Job("tests.work", "Works.", due=lambda now: [1], work=work)

    def run_and_close() -> None:
        run(job, now=timezone.now())
        connection.close()

    first = threading.Thread(target=run_and_close)
    first.start()
    assert begun.wait(WAIT_LIMIT)
    assert run(job, now=timezone.now()).is_busy
    with exclusive("tests.other") as is_ours:
        assert is_ours, "another job is not held up"
    may_end.set()
    first.join(WAIT_LIMIT)
    assert done == [1]
    assert run(job, now=timezone.now()).done == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_copies_would_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above."""
    from contextlib import nullcontext

    monkeypatch.setattr(runner, "exclusive", lambda name: nullcontext(True))
    both = threading.Barrier(2, timeout=WAIT_LIMIT)
    job = Job("tests.work", "Works.", due=lambda now: [1], work=lambda item, now: both.wait())
    tallies = []

    def copy() -> None:
        tallies.append(run(job, now=timezone.now()).done)
        connection.close()

    copies = [threading.Thread(target=copy) for _ in range(2)]
    for each in copies:
        each.start()
    for each in copies:
        each.join(WAIT_LIMIT)
    assert tallies == [1, 1]


HOLD = """
import time
from core.jobs.runner import exclusive
with exclusive("tests.work") as is_ours:
    print("held", is_ours, flush=True)
    time.sleep(1000)
"""


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_is_killed_lets_the_next_one_work() -> None:
    program = Program(
        "manage.py",
        "shell",
        "-v0",
        "-c",
        HOLD,
        DJANGO_SETTINGS_MODULE="vectragrow.settings.test",
        DATABASE_URL="postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict),
    )
    work = Work(1)
    try:
        program.wait_for(lambda: "held True" in program.output())
        assert work.run().is_busy
        kill_group(program.process)
        eventually(lambda: work.run().done == 1)
    finally:
        program.end()


def test_commands_and_the_schedule_know_every_job(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("run_job")
    listed = capsys.readouterr().out
    for name in runner.all_jobs():
        assert f"{name}: " in listed
        assert name in app.tasks
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
    IdempotencyKey.objects.create(scope=b"x", fingerprint=b"x", locked_until=timezone.now())
    call_command("run_job", "core.run_retention", dry_run=True, at="2099-01-01T00:00:00Z")
    rules = len(retention.rules(timezone.now()))
    assert f"core.run_retention: {rules} due" in capsys.readouterr().out
    assert IdempotencyKey.objects.exists()
    call_command("run_job", "core.run_retention", at="2099-01-01T00:00:00Z")
    assert f"core.run_retention: {rules} done, 0 left for the next time, 0 failed" in capsys.readouterr().out
    assert not IdempotencyKey.objects.exists()
    for wrong in (["core.dance"], ["core.run_retention", "--at", "tomorrow"]):
        with pytest.raises(CommandError):
            call_command("run_job", *wrong)


def test_a_name_is_one_jobs(db: None) -> None:
    with pytest.raises(ValueError, match="already"):
        runner.register(Job("core.run_retention", "Twice.", due=lambda now: [], work=lambda item, now: None))
