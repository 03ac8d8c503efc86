"""Names of people as they are: every script, and one name where a person has one."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.testing import PASSWORD
from accounts.tests.test_suspension import staff_browser
from core.crypto.sealing import unseal
from core.testing import Api, drain_outbox
from notifications.models import MailboxMessage

REGISTER, PROFILE = "/api/auth/register", "/api/profile"
BODY = {"email": "ada@example.com", "password": "a fine long phrase"}


@pytest.mark.parametrize("name", ["علی‌رضا", "ශ්‍රී", "\u200fמשה", "O’Neil", "林"])
def test_a_name_of_any_script_is_kept(api: Api, name: str) -> None:
    made = api.post(REGISTER, {**BODY, "firstName": name, "lastName": name})
    assert made.status_code == 201, made.content
    assert (made.json()["user"]["firstName"], User.objects.get().last_name) == (name, name)


def test_a_space_that_does_not_break_is_a_space(api: Api) -> None:
    made = api.post(REGISTER, {**BODY, "firstName": "Jean\u00a0Paul", "lastName": "Sartre"})
    assert made.json()["user"]["firstName"] == "Jean Paul"


@pytest.mark.parametrize("last_name", [{}, {"lastName": ""}, {"lastName": None}, {"lastName": "  "}])
def test_a_person_of_one_name_registers(api: Api, last_name: dict[str, Any]) -> None:
    made = api.post(REGISTER, {**BODY, "firstName": "Sukarno", **last_name})
    assert made.status_code == 201, made.content
    assert made.json()["user"]["lastName"] == ""
    me = api.with_token(made.json()["token"])
    assert me.get("/api/auth/me").json()["lastName"] == me.get(PROFILE).json()["lastName"] == ""
    sukarno = User.objects.get()
    assert (sukarno.name, str(sukarno)) == ("Sukarno", "Sukarno")


def test_a_person_may_give_up_a_name_but_not_the_only_one(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("ada"))
    assert me.put(PROFILE, {"lastName": ""}).json()["lastName"] == ""
    refused = me.put(PROFILE, {"firstName": ""})
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [("firstName", "blank")]


def test_one_name_is_shown_without_a_gap(api: Api, person: Callable[..., User]) -> None:
    sukarno, friend = person("sukarno", last_name="", identity=True), person("friend")
    page = api.get(api.as_user(sukarno).get("/api/profile/share").json()["link"])
    html = page.content.decode()
    assert "<h1>Sukarno</h1>" in html and "Sukarno on VECTRAGrow" in html and "profile:last_name" not in html
    assert api.as_user(sukarno).post("/api/profile/invite", {"email": "new@example.com"}).status_code == 200
    made = api.as_user(friend).post("/api/chat/conversations", {"participants": [str(sukarno.pk)], "type": "direct"})
    assert sorted(card["lastName"] for card in made.json()["participants"]) == ["", "Example"]
    drain_outbox()
    assert "Sukarno invites you to VECTRAGrow" in MailboxMessage.objects.values_list("subject", flat=True)


def test_staff_see_one_name_without_a_gap(person: Callable[..., User]) -> None:
    sukarno = person("sukarno", last_name="")
    page = staff_browser(person("ines", role="admin")).get(f"/admin/accounts/user/{sukarno.pk}/change/")
    assert "<h1>Sukarno</h1>" in page.content.decode()


def test_a_mail_greets_by_the_name_alone(api: Api, person: Callable[..., User]) -> None:
    sukarno = person("sukarno", last_name="")
    api.as_user(sukarno).post(
        "/api/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "another long one"}
    )
    drain_outbox()
    kept = MailboxMessage.objects.filter(to=sukarno.email).latest("created_at")
    assert unseal(bytes(kept.content), purpose="mailbox")["text"].startswith("Hello Sukarno,\n")
