"""Calls at the same time: each item once, one that is slow holds up no other, and so many helpers in a process."""

import threading
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from core import context
from core.jobs.parallel import in_parallel
from core.testing import WAIT_LIMIT, eventually


@pytest.fixture
def four(settings: Settings) -> None:
    settings.PROVIDER_CALLS_AT_ONCE = 4


def test_a_slow_item_holds_up_no_other(four: None) -> None:
    others_done, done = threading.Event(), []

    def work(item: int) -> None:
        if item == 0:
            assert others_done.wait(WAIT_LIMIT)
        done.append(item)
        if len(done) == 99:
            others_done.set()

    in_parallel(range(100), work)
    assert done[-1] == 0 and sorted(done) == list(range(100))


def test_a_slow_item_holds_up_no_other_twin(settings: Settings) -> None:
    """Alone, it does."""
    settings.PROVIDER_CALLS_AT_ONCE = 1
    done: list[int] = []
    in_parallel(range(100), done.append)
    assert done == list(range(100))


def test_four_at_once_and_not_five(four: None) -> None:
    most, at_work, all_here = 0, 0, threading.Barrier(4, timeout=WAIT_LIMIT)
    counting = threading.Lock()

    def work(item: int) -> None:
        nonlocal most, at_work
        with counting:
            at_work += 1
            most = max(most, at_work)
        if item < 4:
            all_here.wait()
        with counting:
            at_work -= 1

    in_parallel(range(40), work)
    assert most == 4


def test_without_a_free_helper_the_caller_works_alone(four: None) -> None:
    def names() -> set[str]:
        found: set[str] = set()
        in_parallel(range(20), lambda item: found.add(threading.current_thread().name))
        return found

    inner: list[set[str]] = []
    all_here = threading.Barrier(4, timeout=WAIT_LIMIT)

    def work(item: int) -> None:
        all_here.wait()
        if item == 0:
            inner.append(names())
        all_here.wait()

    in_parallel(range(4), work)
    assert len(inner[0]) == 1
    in_parallel(range(4), lambda item: all_here.wait())  # the helpers were given back


def test_what_an_item_raises_is_raised_and_nothing_begins_after_it(four: None) -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_parallel(range(100), work)
    assert len(begun) <= 4


def test_helpers_work_under_the_request_id_of_the_caller(four: None) -> None:
    seen, all_here = [], threading.Barrier(4, timeout=WAIT_LIMIT)

    def work(item: int) -> None:
        all_here.wait()
        seen.append(context.request_id.get())

    token = context.request_id.set("r-1")
    in_parallel(range(4), work)
    context.request_id.reset(token)
    assert seen == ["r-1"] * 4


def test_an_iterable_that_breaks_is_raised(four: None) -> None:
    def broken() -> Any:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_parallel(broken(), lambda item: None)


@pytest.mark.django_db(transaction=True)
def test_helpers_leave_no_connection_behind(four: None) -> None:
    all_here = threading.Barrier(4, timeout=WAIT_LIMIT)

    def work(item: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        all_here.wait()

    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    before = connections()
    in_parallel(range(4), work)
    eventually(lambda: connections() == before)
