"""The words: complete, escaped where shown, and nobody else's."""

from collections.abc import Callable
from email import message_from_string
from html.parser import HTMLParser
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from core.data.ids import uuid7
from core.devices import device_name
from core.testing import drain_outbox
from notifications.composition import compose
from notifications.mailbox import _content
from notifications.models import MailboxMessage, Recipient
from notifications.senders.messages import Mail
from notifications.tests.conftest import EVERY_FACT, MAILS, NOTICES, NUMBERS, TEXTS, mail_of_an_act
from notifications.texts import one_line, sms_text, words

EVERY_MESSAGE = {**NOTICES, **MAILS, **TEXTS}
HOSTILE = "<img src=x onerror=alert(1)>\"'&\r\nBcc: victim@example.com\r\n\x00‮"


def test_a_subject_keeps_what_joins_letters_and_emoji() -> None:
    assert one_line("علی‌رضا backs\r\n “👨‍👩‍👧”\x00‮") == "علی‌رضا backs “👨‍👩‍👧”"


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.found.append(tag)


def mail_of(person: User) -> tuple[MailboxMessage, dict[str, str]]:
    drain_outbox()
    kept = MailboxMessage.objects.filter(to=person.email).latest("created_at")
    return kept, _content(kept)


@pytest.mark.parametrize("name", EVERY_MESSAGE)
def test_every_kind_has_words_for_all_its_facts(name: str) -> None:
    text = words(EVERY_MESSAGE[name], EVERY_FACT, language="en")
    sms = sms_text(EVERY_MESSAGE[name], EVERY_FACT, language="en")
    assert text.title and text.body and len(sms) <= 300
    assert "{" not in text.title + text.body + sms + text.link
    assert (sms != text.title) == EVERY_MESSAGE[name].sms


@pytest.mark.parametrize("name", EVERY_MESSAGE)
def test_user_text_is_escaped_in_html_and_folded_in_subjects(name: str) -> None:
    def composed(value: str) -> Mail:
        facts = {**dict.fromkeys([*EVERY_FACT, "reason", "message"], value), **NUMBERS}
        recipient = Recipient(user_id=uuid7(), email_address="a@example.com", first_name=value, email_verified=True)
        return compose(uuid7(), words(EVERY_MESSAGE[name], facts, language="en"), recipient=recipient)

    hostile, harmless = composed(HOSTILE), composed("x")
    assert Tags(hostile.html).found == Tags(harmless.html).found
    assert hostile.subject.isprintable()
    assert message_from_string(f"Subject: {hostile.subject}\n\n")["Bcc"] is None


def test_registering_a_foreign_address_cannot_put_words_into_our_mail(person: Callable[..., User]) -> None:
    newcomer = person("Win a prize at evil.example", verified=False)
    mail_of_an_act(newcomer, "verify_email")
    kept, content = mail_of(newcomer)
    assert "evil.example" not in kept.subject + content["text"] + content["html"].replace(newcomer.email, "")
    assert "/verify-email?token=t0ken" in content["text"] and "/verify-email?token=t0ken" in content["html"]


def test_plain_text_and_html_say_the_same(backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "campaign_rejected", reason="The roof has no name.")
    _, content = mail_of(backer)
    for part in ("Hello Backer,", "The roof has no name.", "Solar Roofs"):
        assert part in content["text"] and part in content["html"]


def test_buttons_lead_to_a_front_end_only_when_there_is_one(settings: Settings) -> None:
    message = NOTICES["investment_committed"]
    assert words(message, EVERY_FACT, language="en").link == ""
    settings.FRONTEND_URL = "https://app.example"
    text = words(message, EVERY_FACT, language="en")
    assert text.link == f"https://app.example/investments/{EVERY_FACT['investment_id']}"
    assert text.action == "See your investment"


@pytest.mark.parametrize(
    "user_agent, name",
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/120 Safari/537 Edg/120", "Edge on Windows"),
        ("your account is locked, see http://evil.example", "an unknown device"),
        ("", "an unknown device"),
    ],
)
def test_devices_are_named_by_our_words(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
