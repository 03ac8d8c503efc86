"""Mails and SMS that wait for the morning."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from core.models import OutboxEvent
from core.testing import Api, drain_outbox
from notifications import preferences
from notifications.models import MailboxMessage, Notification, Recipient
from notifications.services.recipients import keep_recipient
from notifications.tests.conftest import NOTICES

SWITCHES = "/api/profile/notifications"
NIGHT = {"quietFrom": "22:00", "quietUntil": "07:00", "timeZone": "Europe/Berlin"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def waits(now: str, kind: str = "campaign_funded", **hours: Any) -> timedelta:
    recipient = Recipient(
        time_zone=hours.get("zone", "Europe/Berlin"),
        quiet_from=time.fromisoformat(hours.get("start", "22:00")),
        quiet_until=time.fromisoformat(hours.get("end", "07:00")),
    )
    return preferences.quiet_for(recipient, NOTICES[kind], at(now))


def test_quiet_hours_are_set_read_and_switched_off(api: Api, backer: User) -> None:
    me = api.as_user(backer)
    assert me.put(SWITCHES, NIGHT).json().items() >= NIGHT.items()
    assert me.put(SWITCHES, {"quietUntil": "06:30"}).json()["quietUntil"] == "06:30"
    assert me.put(SWITCHES, {"quietFrom": None, "quietUntil": None}).json()["quietFrom"] == "22:00", "null: unchanged"
    off = me.put(SWITCHES, {"quietFrom": "", "quietUntil": ""}).json()
    assert (off["quietFrom"], off["quietUntil"], off["timeZone"]) == (None, None, "Europe/Berlin")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quietFrom": "22:00"}, "quietUntil"),
        ({"quietUntil": "07:00"}, "quietFrom"),
        ({"quietFrom": "22:00", "quietUntil": "22:00"}, "quietUntil"),
        ({"quietFrom": "25:00", "quietUntil": "07:00"}, "quietFrom"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
    ],
)
def test_nonsense_is_refused(api: Api, backer: User, body: dict[str, Any], field: str) -> None:
    refused = api.as_user(backer).put(SWITCHES, body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)


def test_the_zone_survives_a_change_of_the_address_book(api: Api, backer: User) -> None:
    api.as_user(backer).put(SWITCHES, NIGHT)
    keep_recipient(user_id=backer.pk, email="new@example.com", first_name="Ada", email_verified=True)
    assert api.as_user(backer).get(SWITCHES).json().items() >= NIGHT.items()


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-01-15T20:59", 0),  # 21:59 in Berlin
        ("2026-01-15T21:00", 9),
        ("2026-01-15T23:30", 6.5),
        ("2026-01-16T05:30", 0.5),
        ("2026-01-16T06:00", 0),
        ("2026-07-15T20:00", 9),  # summer time
        ("2026-03-28T22:00", 7),  # the short night: 23:00 to 07:00 has seven hours
        ("2026-10-24T21:00", 9),  # the long night: 23:00 to 07:00 has nine
    ],
)
def test_over_midnight_by_the_persons_clock(now: str, hours: int | float) -> None:
    assert waits(now) == timedelta(hours=hours)


def test_within_one_day_and_in_the_hour_that_comes_twice() -> None:
    assert waits("2026-01-15T12:30", start="13:00", end="15:00") == timedelta(hours=1.5)
    assert waits("2026-01-15T14:00", start="13:00", end="15:00") == timedelta(0)
    assert waits("2026-10-25T01:15", start="22:00", end="02:30") == timedelta(0)  # 02:15 again; 02:30 was before


def test_safety_does_not_wait() -> None:
    assert waits("2026-01-15T23:30", "session_revoked") == waits("2026-01-15T23:30", "new_device") == timedelta(0)


def test_the_inbox_tells_at_once_and_the_mail_in_the_morning(
    backer: User, notify: Callable[..., Any], prefer: Callable[..., None]
) -> None:
    prefer(backer, quiet_from=time(0), quiet_until=time(23, 59), sms=True)
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    with time_machine.travel(now, tick=False):
        notify(backer, "investment_refunded")
    assert Notification.objects.of(backer.pk).count() == 1
    assert {event.due_at for event in OutboxEvent.objects.all()} == {now.replace(hour=23, minute=59)}
    drain_outbox(now=now)
    assert not MailboxMessage.objects.exists()
    drain_outbox(now=now.replace(hour=23, minute=59))
    assert sorted(MailboxMessage.objects.values_list("channel", flat=True)) == ["mail", "sms"]


@pytest.mark.parametrize("off", [{"email": False, "sms": False}, {"investment_updates": False}])
def test_what_is_turned_off_while_it_waits_is_not_sent(
    backer: User, notify: Callable[..., Any], prefer: Callable[..., None], off: dict[str, Any]
) -> None:
    prefer(backer, quiet_from=time(0), quiet_until=time(23, 59), sms=True)
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    with time_machine.travel(now, tick=False):
        notify(backer, "investment_refunded")
    prefer(backer, **off)
    assert drain_outbox(now=now + timedelta(hours=12)) == 2
    assert not MailboxMessage.objects.exists()
