"""The login history, the word about a new device, and limits that a stranger cannot turn against the owner."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import (
    Invitation,
    LoginAttempt,
    LoginChallenge,
    MailedToken,
    PasskeyChallenge,
    RefreshToken,
    Session,
    SignInCode,
    Status,
    User,
)
from accounts.services import history, sessions
from accounts.testing import PASSWORD, with_two_factor
from core.data.ids import uuid7
from core.privacy import retention
from core.privacy.retention import count_due
from core.testing import Api, deliver_events, run_retention
from notifications.models import Recipient

HISTORY = "/api/profile/login-history"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
NEWER_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"


def log_in(person: User, device: str = FIREFOX, address: str = "192.0.2.7", password: str = PASSWORD) -> Any:
    api = Api(address=address)
    return api.post("/api/auth/login", {"email": person.email, "password": password}, user_agent=device)


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada")


def test_successes_and_failures_newest_first(ada: User) -> None:
    log_in(ada, password="wrong password")
    token = log_in(ada, CHROME, "2001:db8::7").json()["token"]
    listed = Api(token).get(HISTORY).json()
    assert [set(row) for row in listed["items"]] == [{"id", "at", "ip", "device", "method", "success", "reason"}] * 2
    rows = [(row["ip"], row["device"], row["method"], row["success"], row["reason"]) for row in listed["items"]]
    assert rows == [
        ("2001:db8::7", "Chrome on Android", "password", True, None),
        ("192.0.2.7", "Firefox on Linux", "password", False, "invalid_credentials"),
    ]
    assert listed["items"][0]["at"].endswith("Z")


def test_the_second_factor_shows(ada: User) -> None:
    phone = with_two_factor(ada)

    def finish(code: str) -> Any:
        token = log_in(ada).json()["twoFactorToken"]
        return Api(address="192.0.2.7").post("/api/auth/login/2fa", {"twoFactorToken": token, "code": code})

    finish("000000")
    finish(phone.recovery_codes[0])
    token = finish(phone.code()).json()["token"]
    rows = [(row["method"], row["reason"]) for row in Api(token).get(HISTORY).json()["items"]]
    assert rows == [
        ("password+totp", None),
        ("password+recovery_code", None),
        ("password", "two_factor_code_invalid"),
    ]


def test_registration_begins_the_history(api: Api) -> None:
    body = {"email": "eve@example.com", "password": "a fine long phrase", "firstName": "Eve", "lastName": "Example"}
    token = api.post("/api/auth/register", body).json()["token"]
    [row] = Api(token).get(HISTORY).json()["items"]
    assert (row["method"], row["success"]) == ("registration", True)


@pytest.mark.parametrize("key", [None, "a-key"])
def test_refusals_for_other_reasons_are_kept_too(person: Callable[..., User], key: str | None) -> None:
    eve = person("eve", status=Status.SUSPENDED)
    headers = {"idempotency_key": key} if key else {}
    for password in (PASSWORD, "wrong password"):
        Api().post("/api/auth/login", {"email": eve.email, "password": password}, **headers)
    kept = LoginAttempt.objects.filter(user=eve).order_by("created_at").values_list("reason", flat=True)
    assert list(kept) == ["account_suspended", "invalid_credentials"]


def test_nobody_sees_anothers_history(api: Api, ada: User, person: Callable[..., User]) -> None:
    log_in(ada)
    eve = api.as_user(person("eve"))
    assert len(eve.get(HISTORY).json()["items"]) == 1


def test_unknown_accounts_leave_no_line(db: None, api: Api) -> None:
    api.post("/api/auth/login", {"email": "nobody@example.com", "password": "some password"})
    assert not LoginAttempt.objects.exists()


def test_the_list_asks_a_constant_number_of_queries(
    api: Api, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    me = api.as_user(ada)
    for _ in range(9):
        api.as_user(ada)
    with django_assert_max_num_queries(2):
        assert len(me.get(HISTORY).json()["items"]) == 10


def test_devices_are_shown_in_our_words(api: Api, ada: User) -> None:
    token = log_in(ada, "<b>evil</b> http://evil.example").json()["token"]
    log_in(ada, CHROME)
    listed = Api(token).get("/api/auth/sessions").json()["items"]
    assert [row["device"] for row in listed] == ["Chrome on Android", "an unknown device"]


@pytest.mark.parametrize("header", ["a\x00b", "a\r\nSet-Cookie: x=1", "\x1b[31mred", "x" * 5000, "é\xff", ""])
def test_any_header_of_a_device_is_borne(ada: User, header: str) -> None:
    """What servers let through differs; whoever is behind one that lets it through signs in all the same."""
    signed_in = log_in(ada, header)
    assert signed_in.status_code == 200
    kept = LoginAttempt.objects.get(user=ada).device
    assert kept.isprintable() and len(kept) <= 200
    assert log_in(ada, header, password="wrong password").status_code == 401
    assert Api(signed_in.json()["token"]).get("/api/auth/sessions").json()["items"][0]["device"]


# --- A new device -----------------------------------------------------------------------------------------------------


def test_a_new_device_is_announced_whatever_the_switches_say(
    ada: User, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    Recipient.objects.update(email=False, login_alerts=False)
    log_in(ada)
    assert mails(ada) == [], "the first is nothing new"
    log_in(ada, NEWER_FIREFOX, "192.0.200.9")
    assert mails(ada) == [], "an update, or another address of the same network, is the same device"
    log_in(ada, CHROME)
    log_in(ada, FIREFOX, "198.51.100.7")
    log_in(ada, FIREFOX, "2001:db8::1")
    sent = mails(ada)
    assert [subject for subject, _ in sent] == ["New sign-in to your account"] * 3
    [of_chrome] = [text for _, text in sent if "Chrome on Android" in text]
    assert "from the address 192.0.2.7." in of_chrome and f"{timezone.now():%B %Y}" in of_chrome
    assert any("2001:db8::1." in text for _, text in sent)
    log_in(ada, CHROME)
    log_in(ada, FIREFOX, "2001:db8:0:1::2")
    assert len(mails(ada)) == 3


def test_no_notice_shows_what_a_stranger_calls_a_device(ada: User) -> None:
    log_in(ada)
    token = log_in(ada, "Firefox/1 <b>your account</b> http://evil.example", "198.51.100.7").json()["token"]
    deliver_events()
    [notice] = Api(token).get("/api/notifications").json()["items"]
    assert (notice["kind"], notice["data"]["device"]) == ("new_device", "Firefox")
    assert "evil" not in str(notice)


def test_failures_make_no_device_familiar(ada: User, mails: Callable[[User], list[tuple[str, str]]]) -> None:
    log_in(ada)
    log_in(ada, CHROME, password="wrong password")
    log_in(ada, CHROME)
    assert len(mails(ada)) == 1


def test_a_device_that_we_have_no_word_for_is_known_by_its_product() -> None:
    assert history.fingerprint("MyApp/1.0 (x)", None) == history.fingerprint("MyApp/2.0", None)
    assert history.fingerprint("MyApp/1.0", None) != history.fingerprint("OtherApp/1.0", None)
    assert len(history.fingerprint("x" * 5000, "2001:db8::1")) <= 120


# --- Nobody can be locked out by a stranger ---------------------------------------------------------------------------


def test_a_stranger_who_guesses_does_not_lock_the_owner_out(ada: User) -> None:
    assert log_in(ada).status_code == 200
    tries = [log_in(ada, CHROME, "198.51.100.7", "wrong password").status_code for _ in range(6)]
    assert tries == [401] * 5 + [429]
    assert log_in(ada, CHROME, "198.51.100.7").status_code == 429
    assert log_in(ada).status_code == 200
    own = [log_in(ada, password="wrong password").status_code for _ in range(6)]
    assert own == [401] * 5 + [429], "a familiar device has its own five"


def test_an_owner_on_a_new_device_comes_in_by_a_reset_while_a_stranger_goes_on(
    ada: User, mails: Callable[[User], list[tuple[str, str]]], token_in: Callable[[str], str]
) -> None:
    def guess() -> list[int]:
        return [log_in(ada, CHROME, f"198.51.{n}.7", "wrong password").status_code for n in range(6)]

    log_in(ada)
    assert guess()[-1] == 429
    new = {"device": FIREFOX, "address": "203.0.113.9"}
    assert log_in(ada, **new).status_code == 429
    here = Api(address=new["address"])
    here.post("/api/auth/forgot-password", {"email": ada.email})
    body = {"token": token_in(mails(ada)[-1][1]), "password": "another long phrase"}
    assert here.post("/api/auth/reset-password", body, user_agent=FIREFOX).status_code == 200
    assert guess()[-1] == 429
    entered = log_in(ada, **new, password=body["password"])
    assert entered.status_code == 200
    assert "New sign-in to your account" in [subject for subject, _ in mails(ada)], "it is new all the same"
    rows = [(row["method"], row["success"]) for row in Api(entered.json()["token"]).get(HISTORY).json()["items"]]
    assert rows[0] == ("password", True) and ("password_reset", True) in rows


def test_limited_answers_say_how_one_stands(ada: User) -> None:
    for left in range(4, -1, -1):
        refused = log_in(ada, password="wrong password")
        assert (refused["RateLimit-Limit"], refused["RateLimit-Remaining"]) == ("5", str(left))
        assert int(refused["RateLimit-Reset"]) > 0
    limited = log_in(ada)
    assert (limited.status_code, limited["RateLimit-Remaining"]) == (429, "0")
    assert int(limited["Retry-After"]) > 0
    assert "RateLimit-Limit" not in Api().get("/api/auth/me")


# --- Retention -------------------------------------------------------------------------------------------------------


def test_old_rows_are_deleted_and_live_ones_stay(ada: User, capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    at = {"live": now, "ended": now - timedelta(days=121), "lately": now - timedelta(days=100)}
    opened = {
        name: sessions.open_session(user=ada, device=name, method="password", now=moment) for name, moment in at.items()
    }
    LoginAttempt.objects.update(created_at=now)
    LoginAttempt.objects.filter(device="ended").update(created_at=now - history.KEPT - timedelta(days=1))
    for age in (timedelta(days=2), timedelta(hours=2)):
        rows = {"user": ada, "expires_at": now - age}
        LoginChallenge.objects.create(digest=uuid7().bytes, method="password", **rows)
        PasskeyChallenge.objects.create(digest=uuid7().bytes, purpose="step_up", **rows)
        SignInCode.objects.create(digest=uuid7().bytes, method="google", **rows)
        MailedToken.objects.create(digest=uuid7().bytes, purpose="reset_password", email="", used_at=now, **rows)
    expected = {
        "accounts/sessions": 1,
        "accounts/login-attempts": 1,
        "accounts/login-challenges": 1,
        "accounts/passkey-challenges": 1,
        "accounts/sign-in-codes": 1,
        "accounts/mailed-tokens": 1,
    }
    assert {name: count for name, count in count_due(now=now).items() if count} == expected, "a dry run deletes nothing"
    assert {name: count for name, count in run_retention(now=now).items() if count} == expected
    assert set(Session.objects.values_list("device", flat=True)) == {"live", "lately"}
    assert RefreshToken.objects.count() == 2
    assert Api(opened["live"].token).get("/api/auth/me").status_code == 200
    call_command("retention_run", dry_run=True)
    assert "accounts/sessions: 0\n" in capsys.readouterr().out
    call_command("retention_run")
    rules = len(retention.rules(now))
    assert f"core.run_retention: {rules} done, 0 left for the next time, 0 failed" in capsys.readouterr().out


def test_invitations_nobody_used_are_deleted(ada: User) -> None:
    now = timezone.now()
    for email, expired, used in (("old@x.example", 91, None), ("used@x.example", 91, now), ("new@x.example", 89, None)):
        rows = {"created_at": now, "expires_at": now - timedelta(days=expired), "accepted_at": used}
        Invitation.objects.create(inviter=ada, email=email, digest=uuid7().bytes, **rows)
    run_retention(now=now, only=Invitation)
    assert set(Invitation.objects.values_list("email", flat=True)) == {"used@x.example", "new@x.example"}
