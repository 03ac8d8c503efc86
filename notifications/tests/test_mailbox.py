"""/mailbox/: what development kept instead of sending."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import User
from core.data.ids import uuid7
from core.testing import Api, drain_outbox
from notifications.models import MailboxMessage
from notifications.tests.conftest import mail_of_an_act

PAGE = {"Accept": "text/html"}


@pytest.fixture
def mail(backer: User, notify: Callable[..., Any]) -> MailboxMessage:
    notify(backer, "investment_refunded", campaign_title="<script>alert(1)</script>")
    drain_outbox()
    return MailboxMessage.objects.get()


def test_newest_first_and_by_address(
    api: Api, backer: User, stranger: User, notify: Callable[..., Any], prefer: Callable[..., None]
) -> None:
    prefer(backer, sms=True)
    notify(backer, "investment_refunded")
    drain_outbox()
    notify(stranger, "kyc_received")
    drain_outbox()
    page = api.get("/mailbox/", **PAGE).content.decode()
    assert page.index(stranger.email) < page.index(backer.email)
    assert "+15550001111" in page and "VECTRAGrow: $1,000.00" in page
    found = api.get("/mailbox/", {"to": stranger.email}, **PAGE).content.decode()
    assert backer.email not in found
    items = api.get("/mailbox/messages", {"to": "+15550001111"}).json()["items"]
    assert [(item["channel"], item["to"]) for item in items] == [("sms", "+15550001111")]
    assert items[0].keys() == {"id", "channel", "to", "subject", "text", "html", "headers", "createdAt"}


def test_a_mail_is_shown_safely(api: Api, mail: MailboxMessage) -> None:
    page = api.get(f"/mailbox/{mail.pk}", **PAGE)
    text = page.content.decode()
    assert "<script>alert" not in text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]


def test_the_frame_runs_no_script_and_nobody_else_frames_it(api: Api, mail: MailboxMessage) -> None:
    frame = api.get(f"/mailbox/{mail.pk}/html")
    rules = frame["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in rules and "frame-ancestors 'self'" in rules
    assert any(rule.startswith("sandbox") and "allow-scripts" not in rule for rule in rules)
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert b"<script>alert" not in frame.content


def test_links_open_outside_the_frame(api: Api, person: Callable[..., User]) -> None:
    newcomer = person("newcomer", verified=False)
    mail_of_an_act(newcomer, "verify_email")
    drain_outbox()
    kept = MailboxMessage.objects.latest("created_at")
    assert 'target="_blank" rel="noopener" href="http' in api.get(f"/mailbox/{kept.pk}/html").content.decode()
    assert '/verify-email?token=t0ken" rel="nofollow">' in api.get(f"/mailbox/{kept.pk}", **PAGE).content.decode()


@pytest.mark.parametrize("path", ["/mailbox/", "/mailbox/messages", "/mailbox/{id}", "/mailbox/{id}/html"])
def test_not_there_outside_development(api: Api, mail: MailboxMessage, settings: Settings, path: str) -> None:
    assert api.get(path.format(id=mail.pk)).status_code == 200
    settings.MAILBOX_ENABLED = False
    assert api.get(path.format(id=mail.pk)).status_code == 404


def test_a_token_lies_nowhere_readable(person: Callable[..., User], caplog: pytest.LogCaptureFixture) -> None:
    newcomer = person("newcomer", verified=False)
    with caplog.at_level("DEBUG"):
        mail_of_an_act(newcomer, "verify_email", token="secret-token-marker")
    with caplog.at_level("DEBUG"):
        drain_outbox()
    assert MailboxMessage.objects.filter(to=newcomer.email).exists()
    assert "secret-token-marker" not in caplog.text
    with connection.cursor() as cursor:
        for table in ("core_outboxevent", "notifications_mailboxmessage"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            rows = cursor.fetchall()
            assert rows
            assert not any("secret-token-marker" in row or b"secret-token-marker".hex() in row for (row,) in rows)


def test_what_cannot_be_opened_any_more_is_dropped_and_logged_for_operators(
    backer: User, caplog: pytest.LogCaptureFixture
) -> None:
    from notifications.jobs import send_mail_to as mail, send_text_to as text

    sealed = base64.b64encode(b"sealed under a secret that is gone").decode()
    mail(uuid7(), user_id=str(backer.pk), message="verify_email", address="", sealed=sealed)
    text(uuid7(), user_id=str(backer.pk), message="phone_code", number="+12025550123", sealed=sealed)
    assert not MailboxMessage.objects.exists()
    assert caplog.text.count("cannot be opened") == 2


def test_a_repeated_delivery_is_one_message(backer: User, notify: Callable[..., Any]) -> None:
    from notifications.jobs import send_mail

    entry = notify(backer)
    drain_outbox()
    kept = MailboxMessage.objects.get()
    send_mail(kept.pk, notification_id=str(entry.pk), action="", link="")
    assert MailboxMessage.objects.count() == 1
