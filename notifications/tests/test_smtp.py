"""Mail through a real SMTP server that accepts, refuses, stalls or is down."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from core.jobs.backoff import MAX_ATTEMPTS
from core.models import OutboxEvent
from core.testing import WAIT_LIMIT, drain_outbox
from core.testing.processes import free_port
from notifications.models import MailboxMessage
from notifications.senders.mail import breaker


class PostOffice:
    """Keeps what it is given; `mood` says how it behaves."""

    def __init__(self) -> None:
        self.mood = "accepts"
        self.mails: list[Any] = []
        self.tries = 0
        self.over = asyncio.Event()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: Any, options: Any) -> str:
        self.tries += 1
        if self.mood == "refuses":
            return "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.mood == "stalls":
            await self.over.wait()
        self.mails.append((envelope, message_from_bytes(envelope.content, policy=policy.default)))
        if self.mood == "hangs up before it answers":
            server.transport.abort()
        return "250 kept"


@pytest.fixture
def post_office(settings: Settings) -> Iterator[PostOffice]:
    office = PostOffice()
    server = Controller(office, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
    behave(settings, office, "accepts")
    yield office
    server.stop()


def behave(settings: Settings, office: PostOffice, mood: str) -> None:
    """From now on. A server that never answers is waited for shortly, every other one for as long as it takes."""
    office.mood = mood
    settings.EMAIL_TIMEOUT = 2.0 if mood == "stalls" else WAIT_LIMIT


def waiting() -> OutboxEvent:
    return OutboxEvent.objects.get(topic="notifications.send_mail")


def try_again() -> None:
    """As the relay does when the pause is over."""
    drain_outbox(now=waiting().due_at, rounds=1)


def test_a_mail_is_well_formed(post_office: PostOffice, backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "new_backer", campaign_title="Solare Dächer\r\nBcc: victim@example.com")
    assert drain_outbox() == 1
    ((envelope, mail),) = post_office.mails
    assert envelope.rcpt_tos == [backer.email]
    assert mail["To"] == backer.email and mail["Bcc"] is None
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<http\S+>", mail["List-Unsubscribe"].strip())
    assert mail["Subject"].strip() == "Ada backs “Solare Dächer Bcc: victim@example.com”"
    assert mail["From"].startswith("VECTRAGrow <")
    assert mail["Message-ID"].startswith(f"<{waiting().pk}@")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "Solare Dächer" in text.get_content() and "Solare Dächer" in html.get_content()
    assert not MailboxMessage.objects.exists()


@pytest.mark.parametrize("mood", ["refuses", "stalls"])
def test_a_mail_that_could_not_go_out_goes_out_later(
    settings: Settings, post_office: PostOffice, backer: User, notify: Callable[..., Any], mood: str
) -> None:
    behave(settings, post_office, mood)
    notify(backer)
    begun = timezone.now()
    assert drain_outbox(rounds=1) == 0
    assert waiting().attempts == 1 and waiting().last_error and waiting().due_at > begun
    behave(settings, post_office, "accepts")
    post_office.mails.clear()
    try_again()
    assert waiting().delivered_at
    assert len(post_office.mails) == 1


def test_a_repeat_is_recognisable(
    settings: Settings, post_office: PostOffice, backer: User, notify: Callable[..., Any]
) -> None:
    behave(settings, post_office, "hangs up before it answers")
    notify(backer)
    assert drain_outbox(rounds=1) == 0
    behave(settings, post_office, "accepts")
    try_again()
    first, second = (mail["Message-ID"] for _, mail in post_office.mails)
    assert first == second


def test_no_server_at_all(settings: Settings, backer: User, notify: Callable[..., Any]) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{free_port()}"
    notify(backer)
    assert drain_outbox(rounds=1) == 0
    assert "ConnectionRefusedError" in waiting().last_error


def test_parked_after_ten_tries_and_the_rest_go_on(
    post_office: PostOffice, backer: User, stranger: User, notify: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    post_office.mood = "refuses"
    notify(backer)
    for _ in range(MAX_ATTEMPTS):
        assert not waiting().parked_at
        try_again()
    assert waiting().parked_at and post_office.tries == MAX_ATTEMPTS
    assert "outbox event parked" in caplog.text
    post_office.mood = "accepts"
    drain_outbox(now=timezone.now() + timedelta(days=1))
    assert post_office.mails == []
    notify(stranger, "kyc_received")
    assert drain_outbox() == 1
    assert [envelope.rcpt_tos for envelope, _ in post_office.mails] == [[stranger.email]]


def test_a_server_that_is_down_for_long_opens_the_breaker_and_costs_no_tries(
    settings: Settings, post_office: PostOffice, person: Callable[..., User], notify: Callable[..., Any]
) -> None:
    there, settings.EMAIL_URL = settings.EMAIL_URL, f"smtp://127.0.0.1:{free_port()}"
    for number in range(8):
        notify(person(f"backer{number}"), "kyc_received")
    drain_outbox(rounds=1)
    tries = list(OutboxEvent.objects.order_by("id").values_list("attempts", flat=True))
    assert tries == [1] * breaker.most + [0] * 3
    settings.EMAIL_URL = there
    breaker.open_until += WAIT_LIMIT  # it is not over before we have looked
    soon = timezone.now() + timedelta(seconds=20)
    assert drain_outbox(now=soon, rounds=1) == 0 and post_office.mails == []
    breaker.open_until = 0.0  # the pause is over
    assert drain_outbox(now=timezone.now() + timedelta(hours=1)) == 8
    assert len(post_office.mails) == 8 and breaker.faults == 0


def test_refused_addresses_do_not_stop_the_others(
    post_office: PostOffice, person: Callable[..., User], notify: Callable[..., Any]
) -> None:
    post_office.mood = "refuses"
    for number in range(7):
        notify(person(f"backer{number}"), "kyc_received")
    drain_outbox(rounds=1)
    assert post_office.tries == 7


def test_user_and_password_of_the_address_are_used(
    settings: Settings, backer: User, notify: Callable[..., Any]
) -> None:
    seen = []

    def check(server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss")

    office = PostOffice()
    server = Controller(
        office, hostname="127.0.0.1", port=free_port(), authenticator=check, auth_require_tls=False, auth_required=True
    )
    server.start()
    try:
        settings.EMAIL_URL = f"smtp://robot:p%40ss@127.0.0.1:{server.port}"
        notify(backer)
        assert drain_outbox() == 1
    finally:
        server.stop()
    assert seen == [(b"robot", b"p@ss")]
    assert len(office.mails) == 1


def test_djangos_own_mails_go_the_same_way(post_office: PostOffice, settings: Settings, db: None) -> None:
    """`sendtestemail` tries what EMAIL_URL says; without one it ends in the mailbox as everything does."""
    settings.EMAIL_BACKEND = "notifications.senders.mail.Backend"  # the test runner takes it away
    call_command("sendtestemail", "ops@example.com")
    [(envelope, mail)] = post_office.mails
    assert envelope.rcpt_tos == ["ops@example.com"] and "Test email" in mail["Subject"]
    assert mail["From"] == settings.DEFAULT_FROM_EMAIL
    settings.EMAIL_URL = ""
    call_command("sendtestemail", "ops@example.com")
    assert MailboxMessage.objects.get(to="ops@example.com").subject.startswith("Test email")


def test_the_settings_name_that_way() -> None:
    from vectragrow.settings import base

    assert base.EMAIL_BACKEND == "notifications.senders.mail.Backend"
