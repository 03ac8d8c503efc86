"""
The servers that tests run on, and the fixtures of all apps; each app's own are in its tests/.

With DATABASE_URL and REDIS_URL set, those servers are used (each run makes its own test database there). Otherwise the
launcher starts a PostgreSQL and a Valkey of this run's own under var/test and stops them at the end; should the run be
killed, they end with it.
"""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import django
import hypothesis
import pytest
from pytest_django import DjangoDbBlocker
from pytest_django.plugin import blocking_manager_key

from vectragrow.embedded import testing

servers = testing.provide()  # before Django reads its settings; xdist's workers inherit what it puts into os.environ
django.setup()

template = pytest.StashKey[str]()
"""The database that the template stands in for, once there is a template."""

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

if TYPE_CHECKING:
    from accounts.models import User
    from core.testing import Api
    from core.testing.sockets import Server


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Make the tables once, while the workers collect their tests: the database of each is a copy."""
    if session.config.pluginmanager.hasplugin("dsession"):  # this process hands the tests out
        from django.db import connection

        with session.config.stash[blocking_manager_key].unblock():
            session.config.stash[template] = connection.settings_dict["NAME"]
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            connection.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests, which have a time limit of their own, go first, so that the other workers do short ones meanwhile."""
    limits = {item: mark.args[0] for item in items if (mark := item.get_closest_marker("timeout"))}
    items.sort(key=lambda item: -limits.get(item, 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the seed beside what failed: `-q` hides the head of the run, where pytest-randomly prints it."""
    if terminalreporter.stats.keys() & {"failed", "error"} and config.pluginmanager.hasplugin("randomly"):
        terminalreporter.write_line(f"the same order again: --randomly-seed={config.getoption('randomly_seed')}")


def pytest_unconfigure(config: pytest.Config) -> None:
    if name := config.stash.get(template, None):
        from django.db import connection

        with config.stash[blocking_manager_key].unblock():
            connection.creation.destroy_test_db(name, verbosity=0)
            connection.close()
    if servers:
        servers.stop()


@pytest.fixture(scope="session", autouse=True)
def emptied_after_real_commits() -> Iterator[None]:
    """Our own way instead of Django's flush, which takes much longer and cannot empty tables that triggers protect."""
    from django.test import TransactionTestCase

    from core.testing.emptying import empty_database

    def clean_up(case: TransactionTestCase) -> None:
        empty_database()

    with mock.patch.object(TransactionTestCase, "_fixture_teardown", clean_up):
        yield


@pytest.fixture(autouse=True)
def clean_limits() -> None:
    """Limits live in Redis, which no transaction rolls back: each test starts with all of them untouched."""
    from django.conf import settings

    from core.redis import client

    if settings.REDIS_PREFIX.startswith("vgtest"):
        for name in client().scan_iter(f"{settings.REDIS_PREFIX}:limit:*", count=1000):
            client().delete(name)


@pytest.fixture(autouse=True)
def limits_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    For the limits a test is over in a moment: no window slides on while a busy machine gets through it. A test that
    travels in time takes them along.
    """
    import time

    import time_machine

    from core.api import limits

    begun, travelling = time.time(), time_machine.escape_hatch.is_travelling
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: time.time() if travelling() else begun))


@pytest.fixture(autouse=True)
def locks_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Concurrent requests of tests on a busy machine may wait longer than those of people; a test about `busy` sets a
    limit of its own.
    """
    from core.data import transactions

    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "60s")


@pytest.fixture(autouse=True)
def locks_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that locks rows out of order fails its test (docs/locking.md)."""
    from core.testing import lock_guard

    lock_guard.watch(monkeypatch)


@pytest.fixture(autouse=True)
def ids_of_now() -> None:
    """Ids only grow within a process: those that a test gave on a journey into the future end with it."""
    from core.data import ids

    ids._last = 0


@pytest.fixture
def api(db: None) -> "Api":
    """A client without a person; `api.as_user(person)` signs in."""
    from core.testing import Api

    return Api()


@pytest.fixture
def person(db: None) -> "Callable[..., User]":
    """Makes people: `person("founder", identity=True)`."""
    from accounts.testing import make_person

    def make(first_name: str = "Pat", **traits: Any) -> "User":
        return make_person(first_name=first_name.capitalize(), **traits)

    return make


@pytest.fixture(scope="session")
def socket_server(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> "Iterator[Server]":
    """A real server of `/ws/`, for tests that commit (`django_db(transaction=True)`)."""
    from core.testing.sockets import Server

    server = Server()
    yield server
    server.end()
