"""A process that is killed right after its commit: everybody hears of what happened nevertheless, and once."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Session
from accounts.testing import make_person, sign_in
from campaigns.testing import make_campaign
from core.models import Event, OutboxEvent
from core.realtime import publishing
from core.testing import WAIT_LIMIT, drain_outbox
from core.testing.processes import Program
from notifications.models import MailboxMessage, Notification, Recipient

ACT_AND_DIE = """
import os, signal
from django.db import transaction
from django.utils import timezone
from accounts.models import User
from accounts.services import sessions, staff_factors, two_factor
from accounts.services.history import note_sign_in
from campaigns.services.closing import cancel_campaign
from core.data.transactions import atomic
ada, now = User.objects.get(first_name="Ada"), timezone.now()
with atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    note_sign_in(user=ada, device="Firefox on Linux", method="password", now=now)
    sessions.close_sessions(user=ada, because="password_changed", now=now)
    staff_factors.mail_link(user=ada, now=now)
    cancel_campaign(owner=ada, campaign_id=ada.campaigns.get().pk, now=now)
print("still alive")
"""


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Sessions whose sockets were told to close."""
    told = []
    monkeypatch.setattr(publishing, "revoke", lambda *, sessions: told.extend(sessions))
    return told


@pytest.mark.django_db(transaction=True)
def test_notices_mails_sms_sockets_and_listeners_survive_a_kill(closed: list[Any]) -> None:
    ada = make_person(first_name="Ada", role="admin", identity=True, phone_number="+12025550123")
    Recipient.objects.filter(pk=ada.pk).update(sms=True)
    campaign = make_campaign(ada)
    sign_in(ada)
    drain_outbox()
    for table in (MailboxMessage, Notification):
        table.objects.all().delete()
    earlier = list(Event.objects.values_list("pk", flat=True))

    program = Program(
        "manage.py",
        "shell",
        "-v0",
        "-c",
        ACT_AND_DIE,
        DJANGO_SETTINGS_MODULE="vectragrow.settings.test",
        DATABASE_URL="postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict),
    )
    try:
        assert program.process.wait(WAIT_LIMIT) == -9, program.output()
        assert "still alive" not in program.output()
    finally:
        program.end()
    assert not Notification.objects.exists() and closed == []

    def everything() -> tuple[list[str], list[str], bool]:
        entries = Notification.objects.of(ada.pk).values_list("kind", flat=True)
        sent = MailboxMessage.objects.values_list("channel", "subject")
        has_begun = OutboxEvent.objects.filter(
            topic="investments.close_campaign", facts__campaign_id=str(campaign.pk), delivered_at__isnull=False
        ).exists()
        return sorted(entries), sorted(f"{channel} {subject}".strip() for channel, subject in sent), has_begun

    drain_outbox()
    heard = everything()
    assert heard == (
        ["campaign_cancelled", "new_device"],
        [
            "mail New sign-in to your account",
            "mail Set up your second factor",
            "mail “A solar roof for the school” was cancelled",
            "sms",
        ],
        True,
    )
    assert closed == [Session.objects.get().pk]

    recorded = Event.objects.exclude(pk__in=earlier).values("pk")  # as if each delivery had died before it was marked
    again = {"delivered_at": None, "held_until": None, "due_at": timezone.now()}
    assert OutboxEvent.objects.filter(pk__in=recorded).update(**again)
    drain_outbox()
    assert everything() == heard, "once"
