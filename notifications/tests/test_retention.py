"""Old entries and messages go by themselves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from core.data.ids import uuid7
from core.testing import Api, run_retention
from notifications.models import MailboxMessage, Notification
from vectragrow.celery import app

INBOX = "/api/notifications"


def titles(me: Api) -> list[str]:
    return [item["kind"] for item in me.get(INBOX).json()["items"]]


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (179, ["kyc_verified", "kyc_received"]),
        (181, ["kyc_verified"]),
        (364, ["kyc_verified"]),
        (366, []),
    ],
)
def test_read_entries_go_after_half_a_year_and_all_after_one(
    api: Api, backer: User, notify: Callable[..., Any], days: int, left: Any
) -> None:
    me = api.as_user(backer)
    notify(backer, "kyc_received")
    me.put(f"{INBOX}/read-all")
    notify(backer, "kyc_verified")
    run_retention(now=timezone.now() + timedelta(days=days), only=Notification)
    assert titles(me) == left


def test_the_mailbox_keeps_thirty_days(db: None) -> None:
    now = timezone.now()
    for days in (29, 31, 32):
        MailboxMessage.objects.create(
            id=uuid7(), created_at=now - timedelta(days=days), channel="mail", to="a@b.c", content=b""
        )
    for count in (2, 0):
        assert run_retention(now=now, only=MailboxMessage) == {"notifications/mailbox-messages": count}
    assert MailboxMessage.objects.count() == 1


def test_the_schedule_knows_it() -> None:
    app.loader.import_default_modules()
    assert "core.run_retention" in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "core.run_retention" in app.tasks
