"""The way to appeal for somebody who cannot sign in: by a token after a refused login, or by the link in a mail."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.appeal_tokens import LIFETIME, MAILED_LIFETIME, PREFIX, appeal_token
from accounts.models import User
from accounts.services import administration
from accounts.testing import PASSWORD, with_two_factor
from core import clock
from core.testing import Api, deliver_events, drain_outbox
from notifications.mailbox import _content
from notifications.models import MailboxMessage
from social.models import Appeal, Decision
from social.services.decisions import undo
from social.testing import act, case_about, make_post
from vectragrow.tests.matrix import every_row

SANCTIONS = "/api/social/sanctions"
ITS_OWN = {"GET /api/social/sanctions", "POST /api/social/sanctions/{sanction_id}/appeal"}


@pytest.fixture
def suspended(author: User, stranger: User, moderator: User) -> Decision:
    return act(moderator, case_about(make_post(author, "Double your money"), stranger), "suspend", days=30)


def log_in(api: Api, person: User) -> dict[str, Any]:
    answer = api.post("/api/auth/login", {"email": person.email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    body: dict[str, Any] = answer.json()
    return body


def appeal_url(decision: Decision) -> str:
    return f"{SANCTIONS}/{decision.pk}/appeal"


def test_a_refused_login_lets_somebody_suspended_appeal(
    api: Api, author: User, stranger: User, moderator: User, person: Any, suspended: Decision
) -> None:
    refused = log_in(api, author)
    assert refused["appealExpiresIn"] == 15 * 60
    me = api.with_token(refused["appealToken"])
    (shown,) = me.get(SANCTIONS).json()["items"]
    assert (shown["id"], shown["action"], shown["appealable"]) == (str(suspended.pk), "suspend", True)
    others = act(moderator, case_about(make_post(stranger), person("reporter")), "warn")
    assert me.post(appeal_url(others), {"text": "Not mine"}).status_code == 404
    sent = me.post(appeal_url(suspended), {"text": "It was a joke."}, idempotency_key="appeal")
    again = me.post(appeal_url(suspended), {"text": "It was a joke."}, idempotency_key="appeal")
    assert (sent.status_code, again.status_code, again.json()) == (201, 201, sent.json())
    assert me.post(appeal_url(suspended), {"text": "Once more"}).json()["code"] == "already_appealed"
    assert Appeal.objects.get().decision == suspended


def test_the_token_opens_nothing_else(api: Api, author: User, suspended: Decision) -> None:
    me = api.with_token(log_in(api, author)["appealToken"])
    rows = {name: row for name, row in every_row().items() if row.statuses[0] == 401 and name not in ITS_OWN}
    assert len(rows) > 100
    for name, row in rows.items():
        verb, path = name.split(" ")
        ask = getattr(me, verb.lower())
        answer = ask(re.sub(r"\{\w+\}", str(uuid4()), path), *([row.body] if row.body and verb != "GET" else []))
        assert answer.status_code == 401, name


def test_no_other_token_opens_it(api: Api, author: User, stranger: User, suspended: Decision) -> None:
    now = clock.now()
    good = appeal_token(author.pk, now, LIFETIME)
    wrong = [
        good[:-1] + ("a" if good[-1] != "a" else "b"),
        good.removeprefix(PREFIX),
        PREFIX,
        f"{PREFIX}{'x' * 5000}",
        f"{PREFIX}WyJhIl0.x",
        appeal_token(stranger.pk, now, LIFETIME),  # not suspended
        appeal_token(uuid4(), now, LIFETIME),
    ]
    codes = [api.with_token(token).get(SANCTIONS).json()["code"] for token in wrong]
    assert codes == ["token_invalid"] * len(wrong)
    old = appeal_token(author.pk, now - LIFETIME, LIFETIME)
    assert api.with_token(old).get(SANCTIONS).json()["code"] == "token_expired"


def test_the_token_ends_with_the_suspension(api: Api, author: User, moderator: User, suspended: Decision) -> None:
    me = api.with_token(log_in(api, author)["appealToken"])
    undo(moderator=moderator, decision_id=suspended.pk, now=clock.now())
    assert me.get(SANCTIONS).json()["code"] == "token_invalid"
    assert api.as_user(author).get(SANCTIONS).json()["items"][0]["state"] == "undone"


def test_a_password_alone_gives_no_token_where_there_is_a_second_factor(api: Api, author: User) -> None:
    with_two_factor(author)
    administration.suspend(user_id=author.pk, reason="Sells what is not theirs.", by=None, now=clock.now())
    assert "appealToken" not in log_in(api, author)


def test_the_mail_leads_to_a_page_without_scripts(api: Api, author: User, suspended: Decision) -> None:
    deliver_events()
    drain_outbox()
    mail = MailboxMessage.objects.get(subject__contains="suspension is wrong")
    link = re.search(r"http\S*(/appeal\?token=\S+)", _content(mail)["text"])
    assert link is not None
    page = Client().get(link[1])
    shown = page.content.decode()
    assert "Double your money" in shown and "<script" not in shown
    assert (page["Referrer-Policy"], "no-store" in page["Cache-Control"]) == ("no-referrer", True)
    token = link[1].partition("=")[2]
    form = {"token": token, "decision": str(suspended.pk), "text": "It was a joke."}
    browser = Client(enforce_csrf_checks=True)
    for wrong in ({"text": "  "}, {"text": "x\0"}, {"decision": "x"}, {"decision": str(uuid4())}):
        assert browser.post("/appeal", {**form, **wrong}).status_code in (400, 404)
    for wrong in ({"token": "x"}, {"token": token[:-1]}, {"token": ""}):
        assert browser.post("/appeal", {**form, **wrong}).status_code == 400
    assert not Appeal.objects.exists()
    assert "Your appeal is sent" in browser.post("/appeal", form).content.decode()
    assert browser.post("/appeal", form).status_code == 409
    assert Appeal.objects.get().text == "It was a joke."
    later = Client().get(f"/appeal?token={appeal_token(author.pk, clock.now() - MAILED_LIFETIME, MAILED_LIFETIME)}")
    assert "does not work any more" in later.content.decode()
