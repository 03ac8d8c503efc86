"""Notifications over a real socket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from accounts.testing import sign_in
from core.data.ids import uuid7
from core.testing import Api
from core.testing.sockets import Server, dial
from notifications.models import Notification
from notifications.selectors import since

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_notification_arrives_and_equals_the_inbox(
    socket_server: Server, api: Api, backer: User, stranger: User, notify: Callable[..., Any]
) -> None:
    with dial(socket_server.url, sign_in(backer)) as phone, dial(socket_server.url, sign_in(stranger)) as other:
        phone.expect("ready")
        other.expect("ready")
        notify(backer)
        frame = phone.expect("notification")
        assert frame["notification"] == api.as_user(backer).get("/api/notifications").json()["items"][0]
        assert other.silent("notification")


def test_resume_brings_what_was_missed_in_order(
    socket_server: Server, backer: User, notify: Callable[..., Any]
) -> None:
    seen = notify(backer)
    made_long_ago(seen)
    missed = [notify(backer) for _ in range(3)]
    with dial(socket_server.url, sign_in(backer)) as phone:
        phone.expect("ready")
        phone.send("resume", notifications=str(Notification.objects.earliest("id").pk))
        frames = phone.all("notification", 3)
    assert [frame["notification"]["id"] for frame in frames] == [str(entry.pk) for entry in missed]


def test_resume_goes_on_until_nothing_is_left(socket_server: Server, backer: User, notify: Callable[..., Any]) -> None:
    first = notify(backer)
    Notification.objects.bulk_create(
        Notification(user_id=backer.pk, kind="kyc_received", title="t", body="b", event_id=uuid7()) for _ in range(250)
    )
    with dial(socket_server.url, sign_in(backer)) as phone:
        phone.expect("ready")
        phone.send("resume", notifications=str(first.pk))
        ids = [frame["notification"]["id"] for frame in phone.all("notification", 250)]
    assert ids == sorted(ids) and len(set(ids)) == 250


def test_an_entry_whose_commit_was_overtaken_is_not_missed(backer: User, notify: Callable[..., Any]) -> None:
    overtaken, seen = notify(backer), notify(backer)
    assert [entry.pk for entry in since(backer.pk, seen.pk, 10)] == [overtaken.pk]


def made_long_ago(entry: Notification) -> None:
    """As if its id had been given a minute earlier, beyond the overlap."""
    earlier = entry.pk.int - (int(timedelta(minutes=1).total_seconds() * 1000) << 80)
    Notification.objects.filter(pk=entry.pk).update(id=UUID(int=earlier))
