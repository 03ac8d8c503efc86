"""The statement of `notifications/sql` beside a plain queryset, on a random inbox."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from core.testing import Api
from core.testing.pages import as_json, by_cursor, by_number
from notifications.models import Notification
from notifications.outputs import NotificationOutput

INBOX = "/api/notifications"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(params=range(3))
def entries(
    request: pytest.FixtureRequest, backer: User, person: Callable[..., User], notify: Callable[..., Any]
) -> None:
    """Forty of two people, some of them read, with little and with much to say."""
    chance = random.Random(request.param)
    people = [backer, person("other")]
    for _ in range(40):
        entry = notify(chance.choice(people))
        entry.body = "Words, “quoted” and\nmore."
        entry.data = chance.choice([{}, {"amount": "1000.50", "deep": {"list": [1, 2.5, None, "é"]}}])
        entry.read_at = chance.choice([None, NOW])
        entry.save(update_fields=["body", "data", "read_at"])


def test_the_inbox_holds_what_the_queryset_holds(
    api: Api, entries: list[Notification], backer: User, person: Callable[..., User]
) -> None:
    for somebody in (backer, person("empty")):
        me = api.as_user(somebody)
        mine = Notification.objects.of(somebody.pk).order_by("-id")
        for query, expected in (({}, mine), ({"unread": "true"}, mine.unread())):
            items = as_json([NotificationOutput.of(entry) for entry in expected])
            assert by_cursor(me, INBOX, query, 4) == items
            assert by_number(me, INBOX, query, 6) == items
            first = me.get(INBOX, {**query, "withTotal": "true"}).json()
            assert (first["total"], first["unreadCount"]) == (len(items), mine.unread().count())


def test_a_page_behind_the_end_still_counts_what_is_unread(api: Api, entries: list[Notification], backer: User) -> None:
    page = api.as_user(backer).get(INBOX, {"page": 50}).json()
    assert (page["items"], page["hasMore"]) == ([], False)
    assert page["unreadCount"] == Notification.objects.of(backer.pk).unread().count()


def test_it_costs_the_same_for_one_and_for_ten(
    api: Api, backer: User, notify: Callable[..., Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me = api.as_user(backer)
    for count in (1, 10):
        while Notification.objects.of(backer.pk).count() < count:
            notify(backer)
        with django_assert_num_queries(2):  # the session, the inbox
            assert len(me.get(INBOX).json()["items"]) == count
