"""/api/notifications"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.data.ids import uuid7
from core.models import OutboxEvent
from core.money import Money
from core.testing import Api, commits
from notifications.models import Notification
from notifications.services import notices
from notifications.tests.conftest import EVERY_FACT, NOTICES

INBOX = "/api/notifications"


def test_a_notification_is_what_the_api_document_says(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "new_backer", amount=Money.of("1000.5", "USD"))
    page = api.as_user(backer).get(INBOX).json()
    assert page["unreadCount"] == 1
    (item,) = page["items"]
    assert item.keys() == {
        "id",
        "kind",
        "title",
        "body",
        "data",
        "readAt",
        "createdAt",
        "groupKey",
        "supersedes",
    }
    assert item["groupKey"] is item["supersedes"] is None
    assert item["kind"] == "new_backer"
    assert item["title"] == "Ada backs “Solar Roofs”"
    assert item["body"] == "Ada invested $1,000.50 in your campaign “Solar Roofs”."
    assert (item["data"]["amount"], item["data"]["currency"]) == ("1000.50", "USD")
    assert item["data"]["campaignTitle"] == "Solar Roofs"
    assert item["readAt"] is None and item["createdAt"].endswith("Z")


def test_newest_first_in_pages(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    ids = [str(notify(backer).pk) for _ in range(5)]
    me = api.as_user(backer)
    first = me.get(INBOX, {"limit": 2}).json()
    notify(backer)
    second = me.get(INBOX, {"limit": 2, "cursor": first["nextCursor"]}).json()
    assert [row["id"] for row in first["items"] + second["items"]] == ids[:0:-1]


def test_reading_one_keeps_its_first_moment(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    entry, other = notify(backer), notify(backer)
    me = api.as_user(backer)
    read = me.put(f"{INBOX}/{entry.pk}/read")
    assert read.status_code == 200 and read.json()["readAt"]
    assert me.put(f"{INBOX}/{entry.pk}/read").json()["readAt"] == read.json()["readAt"]
    left = me.get(INBOX, {"unread": "true"}).json()
    assert [row["id"] for row in left["items"]] == [str(other.pk)]
    assert left["unreadCount"] == 1


def test_reading_all_stops_at_what_was_seen(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    seen, _ = notify(backer), notify(backer)
    me = api.as_user(backer)
    assert me.put(f"{INBOX}/read-all", {"upToId": str(seen.pk)}).json() == {"unreadCount": 1}
    assert me.put(f"{INBOX}/read-all").json() == {"unreadCount": 0}
    assert me.put(f"{INBOX}/read-all", {"upToId": "no-id"}).status_code == 400


def test_inboxes_are_private(api: Api, backer: User, stranger: User, notify: Callable[..., Any]) -> None:
    entry = notify(backer)
    other = api.as_user(stranger)
    assert other.get(INBOX).json()["items"] == []
    foreign, absent = other.put(f"{INBOX}/{entry.pk}/read"), other.put(f"{INBOX}/{stranger.pk}/read")
    assert foreign.status_code == absent.status_code == 404
    assert {**foreign.json(), "requestId": ""} == {**absent.json(), "requestId": ""}
    other.put(f"{INBOX}/read-all")
    assert api.as_user(backer).get(INBOX).json()["unreadCount"] == 1


def test_as_many_queries_for_ten_as_for_one(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    me = api.as_user(backer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert me.get(INBOX).status_code == 200
        return len(captured)

    notify(backer)
    for_one = queries()
    for _ in range(9):
        notify(backer)
    assert queries() == for_one


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"page": "x"}, {"cursor": "made-up"}])
def test_bad_pages_are_refused(api: Api, backer: User, query: dict[str, Any]) -> None:
    assert api.as_user(backer).get(INBOX, query).status_code == 400


def test_entries_of_one_delivery_come_in_the_order_of_their_events(person: Callable[..., User]) -> None:
    ada, ben = person("ada"), person("ben")
    names = ["investment_committed", "new_backer", "investment_committed", "investment_failed"]
    wanted = [notices.Entries(NOTICES[name], EVERY_FACT, [ada.pk, ben.pk], caused_by=uuid7()) for name in names]
    with commits():
        notices.write_entries(wanted[1:3])
    first = set(Notification.objects.values_list("id", flat=True))
    with commits():
        notices.write_entries(wanted)
    kinds = {
        who: list(Notification.objects.of(who.pk).order_by("id").values_list("kind", flat=True)) for who in (ada, ben)
    }
    assert kinds[ada] == kinds[ben] == [*names[1:3], names[0], names[3]], "what is there already stays where it is"
    assert first < set(Notification.objects.values_list("id", flat=True))
    mails = OutboxEvent.objects.filter(topic="notifications.send_mail").values_list("facts__notification_id", flat=True)
    assert sorted(mails) == sorted(str(pk) for pk in Notification.objects.values_list("id", flat=True))
