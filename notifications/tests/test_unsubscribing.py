"""One click in the mail program, or a page for people."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.testing import make_person
from core.data.ids import uuid7
from core.testing import Api, drain_outbox
from core.testing.browser import aside, needs_browser, open_page
from notifications.mailbox import _content
from notifications.messages import Category
from notifications.models import MailboxMessage, Recipient
from notifications.tests.conftest import MAILS, NOTICES, mail_of_an_act

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def mail_to(person: User) -> dict[str, Any]:
    drain_outbox()
    return _content(MailboxMessage.objects.filter(to=person.email).latest("created_at"))


def path_in(mail: dict[str, Any]) -> str:
    found = re.fullmatch(r"<https?://[^/]+(/api/notifications/unsubscribe/[^>]+)>", mail["headers"]["List-Unsubscribe"])
    assert found
    return found[1]


def one_click(api: Api, path: str) -> Any:
    """As a mail program does: a form, without any session."""
    return api.client.post(path, ONE_CLICK, content_type=FORM)


def switch(person: User, name: str) -> bool:
    return getattr(Recipient.objects.get(pk=person.pk), name)


def test_one_click_turns_off_what_the_mail_was_about_and_nothing_else(
    api: Api, backer: User, notify: Callable[..., Any]
) -> None:
    notify(backer, "campaign_funded")
    mail = mail_to(backer)
    assert mail["headers"]["List-Unsubscribe-Post"] == ONE_CLICK
    answer = one_click(api, path_in(mail))
    assert (answer.status_code, answer.json()) == (200, {"message": "You will get no more mails about campaigns."})
    assert [switch(backer, name) for name in ("campaign_updates", "investment_updates", "email")] == [False, True, True]
    assert one_click(api, path_in(mail)).status_code == 200
    MailboxMessage.objects.all().delete()
    notify(backer, "campaign_funded")
    drain_outbox()
    assert not MailboxMessage.objects.exists()


@pytest.mark.parametrize("kind", NOTICES)
def test_only_mails_one_can_do_without_carry_the_link(backer: User, notify: Callable[..., Any], kind: str) -> None:
    notify(backer, kind)
    mail = mail_to(backer)
    optional = NOTICES[kind].category in (Category.INVESTMENTS, Category.CAMPAIGNS, Category.SOCIAL, Category.GROUPS)
    assert (set(mail["headers"]) == {"List-Unsubscribe", "List-Unsubscribe-Post"}) == optional
    assert ("/unsubscribe?token=" in mail["text"]) == ("/unsubscribe?token=" in mail["html"]) == optional


@pytest.mark.parametrize("name", MAILS)
def test_mails_of_an_act_carry_it_to_strangers_only(backer: User, name: str) -> None:
    mail_of_an_act(backer, name)
    mail = mail_to(backer)
    assert bool(mail["headers"]) == ("/unsubscribe?token=" in mail["html"]) == (name == "invitation")


@pytest.mark.parametrize(
    "token",
    [
        "absent",
        "x" * 5000,
        signing.Signer(salt="another").sign_object([uuid7().hex, "campaign_updates"]),
        signing.Signer(salt="notifications.unsubscribe").sign_object([uuid7().hex, "campaign_updates"]),
        signing.Signer(salt="notifications.unsubscribe").sign_object([uuid7().hex, "email_verified"]),
    ],
)
def test_foreign_tokens_change_nothing(api: Api, backer: User, token: str) -> None:
    refused = one_click(api, f"/api/notifications/unsubscribe/{token}")
    assert (refused.status_code, refused.json()["code"]) == (404, "unsubscribe_link_not_valid")
    assert api.get("/unsubscribe", {"token": token}).status_code == 404
    assert switch(backer, "campaign_updates") and switch(backer, "email_verified")


def test_a_token_for_one_switch_does_not_turn_another(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "campaign_funded")
    path = path_in(mail_to(backer))
    assert one_click(api, path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    assert switch(backer, "campaign_updates")


def test_looking_changes_nothing_and_leads_to_a_page(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "campaign_funded")
    led = api.get(path_in(mail_to(backer)))
    assert led.status_code == 302
    page = api.get(led["Location"].replace("http://localhost:8000", ""))
    assert page.status_code == 200
    assert "You will get no more mails about campaigns" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert switch(backer, "campaign_updates")


def test_the_page_turns_off_and_on_again(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "campaign_funded")
    token = path_in(mail_to(backer)).rpartition("/")[2]
    done = api.client.post("/unsubscribe", f"token={token}", content_type=FORM)
    assert "You are unsubscribed" in done.content.decode()
    assert not switch(backer, "campaign_updates")
    again = api.client.post("/unsubscribe", f"token={token}&again=1", content_type=FORM)
    assert "Welcome back" in again.content.decode()
    assert switch(backer, "campaign_updates")


def test_an_erased_person_has_nothing_to_turn_off(api: Api, backer: User, notify: Callable[..., Any]) -> None:
    notify(backer, "campaign_funded")
    path = path_in(mail_to(backer))
    Recipient.objects.filter(pk=backer.pk).delete()
    assert one_click(api, path).status_code == 404


@needs_browser
@pytest.mark.django_db(transaction=True)
def test_the_page_in_a_browser(live_server: LiveServer, settings: Settings, notify: Callable[..., Any]) -> None:
    settings.PUBLIC_URL = settings.FRONTEND_URL = live_server.url
    backer = make_person(first_name="Backer")
    notify(backer, "campaign_funded")
    [address] = re.findall(r"https?://\S+/unsubscribe\?token=[^\s)]+", mail_to(backer)["text"])
    with open_page() as page:
        page.goto(address)
        for button, then, is_on in (
            ("Unsubscribe", "You are unsubscribed", False),
            ("Subscribe again", "Welcome back", True),
        ):
            with page.expect_navigation():
                page.get_by_role("button", name=button).click()
            assert page.get_by_role("heading", level=1).inner_text() == then
            assert aside(lambda: switch(backer, "campaign_updates")) is is_on
        assert page.refused == []
