"""Suspending people: by the command and in the admin, felt at once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.errors import SuspensionNotYours
from accounts.jobs import END_SUSPENSIONS
from accounts.models import Session, Status, User
from accounts.services import administration
from accounts.testing import PASSWORD, make_person, sign_in, with_two_factor
from accounts.tests.security_key import SecurityKey
from core.jobs.runner import run
from core.models import Event
from core.realtime import publishing
from core.testing import Api, commits
from core.testing.sockets import Server, dial

PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def pat(person: Callable[..., User]) -> User:
    return person("pat")


def staff_browser(person: User) -> Client:
    browser = Client()
    entered = browser.post("/admin/login/", {"username": person.email, "password": PASSWORD, "code": ""})
    assert entered.status_code == 302
    return browser


def act(browser: Client, action: str, people: list[User], reason: str = "") -> str:
    body = {"action": action, "_selected_action": [str(user.pk) for user in people], "reason": reason}
    with commits():
        return browser.post(PEOPLE, body, follow=True).content.decode()


def test_the_command_closes_sessions_and_sockets_and_undoes_it(
    api: Api, pat: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = []
    monkeypatch.setattr(publishing, "revoke", lambda *, sessions: closed.extend(sessions))
    me = api.as_user(pat)
    with commits():
        call_command("suspend_user", pat.email.upper(), reason="Sells what is not theirs.")
    assert me.get("/api/auth/me").status_code == 401
    assert closed == [Session.objects.get().pk]
    refused = api.post("/api/auth/login", {"email": pat.email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "account_suspended")
    assert "theirs" not in refused.content.decode()
    entry = Event.objects.get(kind="account.suspended")
    assert (entry.actor_id, entry.facts) == (None, {"reason": "Sells what is not theirs."})
    call_command("suspend_user", pat.email, undo=True)
    assert api.post("/api/auth/login", {"email": pat.email, "password": PASSWORD}).status_code == 200
    assert me.get("/api/auth/me").status_code == 401, "what ended stays ended"


@pytest.mark.parametrize(
    "arguments", [["nobody@example.com", "--reason", "x"], ["pat@example.com"], ["pat@example.com", "--undo"]]
)
def test_the_command_says_what_is_wrong(person: Callable[..., User], arguments: Any) -> None:
    person("pat", email="pat@example.com")
    with pytest.raises(CommandError):
        call_command("suspend_user", *arguments)


def test_the_admin_asks_for_a_reason(pat: User, person: Callable[..., User]) -> None:
    browser = staff_browser(person("mo", role="moderator"))
    assert "give a reason" in act(browser, "suspend", [pat])
    assert User.objects.get(pk=pat.pk).status == Status.ACTIVE
    act(browser, "suspend", [pat], "Spam.")
    pat.refresh_from_db()
    assert (pat.status, pat.suspended_because) == (Status.SUSPENDED, "Spam.")
    act(browser, "reinstate", [pat])
    pat.refresh_from_db()
    assert (pat.status, pat.suspended_because) == (Status.ACTIVE, "")


def page_of(person: User) -> str:
    return f"{PEOPLE}{person.pk}/change/"


def test_a_persons_page_shows_devices_and_history_and_decides(api: Api, pat: User, person: Callable[..., User]) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
    for password in ("wrong password", PASSWORD):
        api.post("/api/auth/login", {"email": pat.email, "password": password}, user_agent=firefox)
    browser = staff_browser(person("mo", role="moderator"))
    page = browser.get(page_of(pat)).content.decode()
    for shown in (pat.email, "Firefox on Linux", "signed in", "invalid_credentials", "127.0.0.1"):
        assert shown in page
    assert 'type="password"' not in page and "argon2" not in page and pat.password not in page
    history = f"/admin/accounts/loginattempt/?user__id__exact={pat.pk}"
    assert history in page and pat.email in browser.get(history).content.decode()
    with commits():
        nothing = browser.post(page_of(pat), {"decision": "suspend", "reason": " "}, follow=True)
    assert "give a reason" in nothing.content.decode()
    with commits():
        suspended = browser.post(page_of(pat), {"decision": "suspend", "reason": "Spam."}, follow=True).content.decode()
    assert User.objects.get(pk=pat.pk).suspended_because == "Spam." and "Spam." in suspended
    assert "ended: suspended" in suspended
    with commits():
        browser.post(page_of(pat), {"decision": "reinstate"}, follow=True)
    assert User.objects.get(pk=pat.pk).status == Status.ACTIVE


def test_a_refused_suspension_is_said_beside_the_form_and_keeps_what_was_typed(
    pat: User, person: Callable[..., User]
) -> None:
    browser = staff_browser(person("mo", role="moderator"))
    colleague = person("colleague", role="reviewer")
    refused = browser.post(page_of(colleague), {"decision": "suspend", "reason": "Spams <us>."})
    form = re.search(
        r'<section class="card" aria-labelledby="decision">.*?</form>', refused.content.decode(), re.DOTALL
    )
    assert refused.status_code == 403 and form and "Spams &lt;us&gt;.</textarea>" in form.group()
    assert 'role="alert"' in form.group()
    long = browser.post(page_of(pat), {"decision": "suspend", "reason": "Spams. " * 90})
    assert long.status_code == 400 and "at most 300 characters" in long.content.decode()
    assert "Spams. Spams." in long.content.decode() and User.objects.get(pk=pat.pk).status == Status.ACTIVE


@pytest.mark.parametrize(("role", "may_look", "may_decide"), [("reviewer", True, False), ("moderator", True, True)])
def test_who_sees_and_decides_on_a_persons_page(
    pat: User, person: Callable[..., User], role: str, may_look: bool, may_decide: bool
) -> None:
    browser = staff_browser(person("staff", role=role))
    page = browser.get(page_of(pat))
    assert (page.status_code == 200) == may_look and ('value="suspend"' in page.content.decode()) == may_decide
    decided = browser.post(page_of(pat), {"decision": "suspend", "reason": "Spam."})
    assert decided.status_code == (302 if may_decide else 403)
    assert (User.objects.get(pk=pat.pk).status == Status.SUSPENDED) == may_decide


def test_the_page_of_nobody_is_not_there(person: Callable[..., User]) -> None:
    browser = staff_browser(person("ines", role="admin"))
    for key in ("0190aaaa-0000-7000-8000-000000000001", "x", "1"):
        assert browser.get(f"{PEOPLE}{key}/change/").status_code == 404


def test_filters_speak_in_words(pat: User, person: Callable[..., User]) -> None:
    person("newcomer", verified=False)
    browser = staff_browser(person("ines", role="admin"))
    page = browser.get(PEOPLE).content.decode()
    assert "Address confirmed:" in page and "Not empty" not in page
    assert pat.email not in browser.get(f"{PEOPLE}?email_verified_at__isempty=1").content.decode()


def test_a_persons_page_names_the_second_factors(
    pat: User, person: Callable[..., User], passkey_of: Callable[[User], SecurityKey]
) -> None:
    with_two_factor(pat)
    passkey_of(pat)
    page = staff_browser(person("ines", role="admin")).get(page_of(pat)).content.decode()
    assert "authenticator app" in page and "passkey “My key”" in page


@pytest.mark.parametrize(
    "path", ["login/user/{}/", "accounts/user/{}/login/", "hijack/{}/", "accounts/user/{}/password/"]
)
def test_nobody_becomes_somebody_else_or_sets_a_password(pat: User, person: Callable[..., User], path: str) -> None:
    browser = staff_browser(person("ines", role="admin"))
    answer = browser.post(f"/admin/{path.format(pat.pk)}", follow=True)
    assert answer.status_code == 404 or "decision" in answer.content.decode()
    assert browser.session["_auth_user_id"] != str(pat.pk)
    assert User.objects.get(pk=pat.pk).password == pat.password


def test_reviewers_have_no_such_action(pat: User, person: Callable[..., User]) -> None:
    browser = staff_browser(person("rae", role="reviewer"))
    assert 'value="suspend"' not in browser.get(PEOPLE).content.decode()
    act(browser, "suspend", [pat], "Spam.")
    assert User.objects.get(pk=pat.pk).status == Status.ACTIVE


@pytest.mark.parametrize(
    "by, whom, may",
    [
        ("moderator", "user", True),
        ("moderator", "reviewer", False),
        ("moderator", "admin", False),
        ("admin", "moderator", True),
        ("admin", "admin", True),
        ("admin", "self", False),
        ("reviewer", "user", False),
        ("user", "user", False),
    ],
)
def test_who_may_suspend_whom(person: Callable[..., User], by: str, whom: str, may: bool) -> None:
    staff = person("staff", role=by)
    other = staff if whom == "self" else person("other", role=whom)
    decide = lambda: administration.suspend(user_id=other.pk, reason="x", by=staff, now=timezone.now())  # noqa: E731
    if may:
        assert decide().status == Status.SUSPENDED
    else:
        with pytest.raises(SuspensionNotYours):
            decide()
        assert User.objects.get(pk=other.pk).status == Status.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_a_socket_closes(socket_server: Server) -> None:
    pat = make_person(first_name="Pat")
    with dial(socket_server.url, sign_in(pat)) as phone:
        phone.expect("ready")
        administration.suspend(user_id=pat.pk, reason="Spam.", by=None, now=timezone.now())
        assert phone.close_code() == 4001


def test_a_suspension_with_an_end_is_over_by_the_clock(api: Api, pat: User) -> None:
    now, login = timezone.now(), {"email": pat.email, "password": PASSWORD}
    until = now + timedelta(days=7)
    administration.suspend(user_id=pat.pk, reason="Spam", by=None, now=now, until=until)
    assert api.post("/api/auth/login", login).json()["code"] == "account_suspended"
    assert run(END_SUSPENSIONS, now=until - timedelta(minutes=1)).done == 0
    with time_machine.travel(until, tick=True):
        assert api.post("/api/auth/login", login).status_code == 200
    pat.refresh_from_db()
    assert (pat.status, pat.suspended_until, pat.suspended_because) == (Status.ACTIVE, None, "")


def test_a_job_ends_the_suspension_of_who_stays_away(pat: User) -> None:
    now = timezone.now()
    administration.suspend(user_id=pat.pk, reason="Spam", by=None, now=now, until=now + timedelta(days=7))
    for_good = make_person(first_name="Gone")
    administration.suspend(user_id=for_good.pk, reason="Fraud", by=None, now=now)
    assert run(END_SUSPENSIONS, now=now + timedelta(days=7)).done == 1
    assert set(User.objects.filter(status=Status.SUSPENDED)) == {for_good}


def test_the_later_end_of_two_suspensions_counts(pat: User) -> None:
    now = timezone.now()

    def suspend(days: int | None) -> User:
        until = None if days is None else now + timedelta(days=days)
        return administration.suspend(user_id=pat.pk, reason="Spam", by=None, now=now, until=until)

    assert suspend(7).suspended_until == now + timedelta(days=7)
    assert suspend(3).suspended_until == now + timedelta(days=7)
    assert suspend(30).suspended_until == now + timedelta(days=30)
    assert suspend(None).suspended_until is None
    assert suspend(3).suspended_until is None, "one without an end is not shortened"


def test_who_is_frozen_chats_no_more_until_the_clock_says_so(api: Api, pat: User, person: Callable[..., User]) -> None:
    ask = {"participants": [str(person("friend").pk)], "type": "direct"}
    until = timezone.now() + timedelta(days=1)
    administration.set_frozen(user=pat, until=until)
    refused = api.as_user(pat).post("/api/chat/conversations", ask)
    assert (refused.status_code, refused.json()["code"]) == (403, "account_frozen")
    assert refused.json()["until"] == until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with time_machine.travel(until, tick=True):
        assert api.as_user(pat).post("/api/chat/conversations", ask).status_code in (200, 201)
