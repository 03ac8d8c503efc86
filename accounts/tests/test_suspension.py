"""Suspending people: by the command and in the admin, felt at once."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.errors import SuspensionNotYours
from accounts.models import Session, Status, User
from accounts.services import standing
from accounts.testing import PASSWORD, make_person, sign_in
from core import realtime
from core.models import AuditEntry
from core.socket_testing import dial
from core.testing import commits

PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def pat(person):
    return person("pat")


def staff_browser(person) -> Client:
    browser = Client()
    entered = browser.post("/admin/login/", {"username": person.email, "password": PASSWORD, "code": ""})
    assert entered.status_code == 302
    return browser


def act(browser: Client, action: str, people: list[User], reason: str = "") -> str:
    body = {"action": action, "_selected_action": [str(user.pk) for user in people], "reason": reason}
    with commits():
        return browser.post(PEOPLE, body, follow=True).content.decode()


def test_the_command_closes_sessions_and_sockets_and_undoes_it(api, pat, monkeypatch, capsys):
    closed = []
    monkeypatch.setattr(realtime, "revoke", lambda *, sessions: closed.extend(sessions))
    me = api.as_user(pat)
    with commits():
        call_command("suspend_user", pat.email.upper(), reason="Sells what is not theirs.")
    assert me.get("/api/auth/me").status_code == 401
    assert closed == [Session.objects.get().pk]
    refused = api.post("/api/auth/login", {"email": pat.email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "account_suspended")
    assert "theirs" not in refused.content.decode()
    entry = AuditEntry.objects.get(action="account.suspended")
    assert (entry.actor_id, entry.facts) == (None, {"reason": "Sells what is not theirs."})
    call_command("suspend_user", pat.email, undo=True)
    assert api.post("/api/auth/login", {"email": pat.email, "password": PASSWORD}).status_code == 200
    assert me.get("/api/auth/me").status_code == 401, "what ended stays ended"


@pytest.mark.parametrize(
    "arguments", [["nobody@example.com", "--reason", "x"], ["pat@example.com"], ["pat@example.com", "--undo"]]
)
def test_the_command_says_what_is_wrong(person, arguments):
    person("pat", email="pat@example.com")
    with pytest.raises(CommandError):
        call_command("suspend_user", *arguments)


def test_the_admin_asks_for_a_reason(pat, person):
    browser = staff_browser(person("mo", role="moderator"))
    assert "give a reason" in act(browser, "suspend", [pat])
    assert User.objects.get(pk=pat.pk).status == Status.ACTIVE
    act(browser, "suspend", [pat], "Spam.")
    pat.refresh_from_db()
    assert (pat.status, pat.suspended_because) == (Status.SUSPENDED, "Spam.")
    act(browser, "reinstate", [pat])
    pat.refresh_from_db()
    assert (pat.status, pat.suspended_because) == (Status.ACTIVE, "")


def test_reviewers_have_no_such_action(pat, person):
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
def test_who_may_suspend_whom(person, by, whom, may):
    staff = person("staff", role=by)
    other = staff if whom == "self" else person("other", role=whom)
    decide = lambda: standing.suspend(user_id=other.pk, reason="x", by=staff, now=timezone.now())  # noqa: E731
    if may:
        assert decide().status == Status.SUSPENDED
    else:
        with pytest.raises(SuspensionNotYours):
            decide()
        assert User.objects.get(pk=other.pk).status == Status.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_a_socket_closes_within_a_second(socket_server):
    pat = make_person(first_name="Pat")
    with dial(socket_server.url, sign_in(pat)) as phone:
        phone.expect("ready")
        standing.suspend(user_id=pat.pk, reason="Spam.", by=None, now=timezone.now())
        assert phone.close_code(within=1) == 4001
