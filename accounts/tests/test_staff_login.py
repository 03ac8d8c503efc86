"""The admin's door: staff only, the API's limits, the second factor where it is set up or demanded."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import CodeInvalid, SecondFactorLocked
from accounts.models import AuthenticatorApp, Session, User
from accounts.services import mailed_tokens, two_factor
from accounts.services.administration import grant_role, reinstate, suspend
from accounts.services.passwords import PURPOSE
from accounts.testing import PASSWORD, Authenticator, totp_code, with_two_factor
from accounts.tests.security_key import SecurityKey
from core.testing import Api

LOGIN = "/admin/login/"


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


@pytest.fixture
def authenticator(admin: User) -> Authenticator:
    return with_two_factor(admin)


def enter(user: User, password: str = PASSWORD, code: str = "") -> tuple[Client, bool]:
    browser = Client()
    answer = browser.post(LOGIN, {"username": user.email, "password": password, "code": code})
    return browser, answer.status_code == 302 and browser.get("/admin/").status_code == 200


def test_staff_enter_and_others_do_not(admin: User, person: Callable[..., User]) -> None:
    assert enter(admin)[1]
    assert not enter(admin, "wrong password")[1]
    assert not enter(person("pat"))[1]


def test_a_role_lost_is_lost_at_the_next_click(admin: User) -> None:
    browser, entered = enter(admin)
    assert entered
    User.objects.filter(pk=admin.pk).update(role="user")
    assert browser.get("/admin/").status_code == 302


@pytest.mark.parametrize("fields", [{"password": "x" * 900_000}, {"password": "a\x00b"}, {"username": "a\x00@b.c"}])
def test_what_is_no_password_is_not_hashed(
    admin: User, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.services.login.verify_password", lambda **_: pytest.fail("looked at"))
    page = Client().post(LOGIN, {"username": admin.email, "password": PASSWORD, "code": "", **fields})
    assert page.status_code == 200 and b"errorlist" in page.content


def test_guessing_is_limited_together_with_the_api(api: Api, admin: User) -> None:
    for _ in range(5):
        api.post("/api/auth/login", {"email": admin.email, "password": "wrong password"})
    browser = Client()
    page = browser.post(LOGIN, {"username": admin.email, "password": PASSWORD, "code": ""})
    assert page.status_code == 200 and b"Too many attempts" in page.content


def test_production_demands_a_second_factor(admin: User, settings: Settings) -> None:
    settings.ADMIN_TWO_FACTOR_REQUIRED = True
    assert not enter(admin)[1]


def test_a_code_is_needed_once_set_up_and_works_once(admin: User, authenticator: Authenticator) -> None:
    now = timezone.now()
    assert not enter(admin)[1]
    assert not enter(admin, code="000000")[1]
    code = authenticator.code(now)
    assert enter(admin, code=code)[1]
    assert not enter(admin, code=code)[1]


def test_a_recovery_code_stands_in_once(admin: User, authenticator: Authenticator) -> None:
    code = authenticator.recovery_codes[0]
    assert enter(admin, code=code.upper().replace("-", " "))[1]
    assert not enter(admin, code=code)[1]


def enter_by_passkey(api: Api, key: Any, **lies: Any) -> tuple[Client, bool]:
    options = api.post("/api/auth/passkey/options").json()["publicKey"]
    browser = Client()
    answer = browser.post(LOGIN, {"passkey": json.dumps(key.get(options, **lies))})
    return browser, answer.status_code == 302 and browser.get("/admin/").status_code == 200


def test_a_passkey_enters_alone(
    api: Api, admin: User, passkey_of: Callable[[User], SecurityKey], settings: Settings
) -> None:
    key = passkey_of(admin)
    settings.ADMIN_TWO_FACTOR_REQUIRED = True
    assert not enter(admin)[1], "the password alone does not"
    assert enter_by_passkey(api, key)[1]
    assert not enter_by_passkey(api, key, origin="https://evil.example")[1]
    rows = admin.login_attempts.filter(method="admin").order_by("created_at").values_list("success", "reason")
    assert list(rows) == [(False, "two_factor_required"), (True, ""), (False, "passkey_refused")]


def test_a_passkey_of_somebody_else_does_not_enter(
    api: Api, admin: User, person: Callable[..., User], passkey_of: Callable[[User], SecurityKey]
) -> None:
    assert not enter_by_passkey(api, passkey_of(person("pat")))[1]
    key = passkey_of(admin)
    User.objects.filter(pk=admin.pk).update(status="suspended")
    assert not enter_by_passkey(api, key)[1]


@pytest.mark.parametrize("junk", ["{", "[]", "7", '{"id": 1}', '"\\ud800"', "[" * 5_000, "x" * 70_000])
def test_junk_for_a_passkey_is_refused_with_a_word(admin: User, junk: str) -> None:
    page = Client().post(LOGIN, {"passkey": junk})
    assert page.status_code == 200 and b'role="alert"' in page.content


def test_entering_and_failing_is_in_the_history(admin: User, authenticator: Authenticator) -> None:
    enter(admin, "wrong password")
    enter(admin, code="000000")
    enter(admin, code=authenticator.code())
    rows = admin.login_attempts.filter(method="admin").order_by("created_at").values_list("success", "reason")
    assert list(rows) == [(False, "invalid_credentials"), (False, "two_factor_code_invalid"), (True, "")]


def test_one_step_of_drift(admin: User, authenticator: Authenticator) -> None:
    now = timezone.now()
    for seconds, fine in ((-60, False), (60, False), (-30, True), (30, True)):
        AuthenticatorApp.objects.update(last_step=-1)
        code = authenticator.code(now + timedelta(seconds=seconds))
        if fine:
            two_factor.check_code(user=admin, code=code, now=now)
        else:
            with pytest.raises(CodeInvalid):
                two_factor.check_code(user=admin, code=code, now=now)


def test_five_failures_lock_the_factor_for_fifteen_minutes(admin: User, authenticator: Authenticator) -> None:
    now = timezone.now()
    for _ in range(5):
        with pytest.raises(CodeInvalid):
            two_factor.check_code(user=admin, code="000000", now=now)
    with pytest.raises(SecondFactorLocked):
        two_factor.check_code(user=admin, code=authenticator.code(now), now=now)
    later = now + timedelta(minutes=15)
    two_factor.check_code(user=admin, code=authenticator.code(later), now=later)


def test_the_secret_is_sealed(admin: User, authenticator: Authenticator) -> None:
    assert authenticator.secret.encode() not in bytes(AuthenticatorApp.objects.get().secret)


def test_the_command_sets_it_up(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    shown = lambda: re.findall(r"secret=(\w+)", out.getvalue())[-1]  # noqa: E731
    monkeypatch.setattr("builtins.input", lambda _prompt: totp_code(shown(), timezone.now()))
    call_command("enroll_two_factor", admin.email, stdout=out)
    admin.refresh_from_db()
    assert admin.two_factor_enabled
    first = shown()
    call_command("enroll_two_factor", admin.email, stdout=out)
    assert shown() != first
    assert len(set(re.findall(r"\b\w{5}-\w{5}\b", out.getvalue()))) == 20
    with pytest.raises(CommandError):
        call_command("enroll_two_factor", "nobody@example.com")


def test_the_admin_offers_no_way_around_our_services(admin: User) -> None:
    browser, _ = enter(admin)
    page = browser.get("/admin/").content
    assert b"Periodic tasks" not in page and b"/admin/auth/group/" not in page
    assert browser.get("/admin/auth/group/").status_code == 404
    assert browser.get("/admin/password_change/").status_code == 404
    assert browser.post("/admin/password_change/", {}).status_code == 404


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


def test_the_admin_s_browser_is_one_of_the_person_s_devices(api: Api, admin: User) -> None:
    browser, _ = enter(admin)
    devices = api.as_user(admin).get("/api/auth/sessions").json()["items"]
    (device,) = [device for device in devices if not device["current"]]
    assert is_in(browser)
    assert api.as_user(admin).delete(f"/api/auth/sessions/{device['id']}").status_code == 200
    assert not is_in(browser)


def reset(api: Api, admin: User) -> None:
    now = timezone.now()
    token = mailed_tokens.issue(user=admin, purpose=PURPOSE, lifetime=timedelta(minutes=5), now=now)
    assert api.post("/api/auth/reset-password", {"token": token, "password": "another good phrase"}).status_code == 200


def change(api: Api, admin: User) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "another good phrase"}
    assert api.as_user(admin).post("/api/auth/change-password", body).status_code == 200


def log_out_everywhere(api: Api, admin: User) -> None:
    assert api.as_user(admin).post("/api/auth/logout-all").status_code == 200


def lose_the_role(api: Api, admin: User) -> None:
    grant_role(email=admin.email, role="moderator", now=timezone.now())


def be_suspended(api: Api, admin: User) -> None:
    suspend(user_id=admin.pk, reason="", by=None, now=timezone.now())
    reinstate(user_id=admin.pk, by=None, now=timezone.now())


@pytest.mark.parametrize("cause", [log_out_everywhere, change, reset, lose_the_role, be_suspended])
def test_what_ends_every_session_ends_the_admin_s_too(api: Api, admin: User, cause: Callable[..., None]) -> None:
    browser, entered = enter(admin)
    assert entered
    cause(api, admin)
    assert not is_in(browser)
    page = browser.post("/admin/accounts/user/", {"action": "suspend"})
    assert page.status_code == 302 and page["Location"].startswith(LOGIN)


def test_logging_out_of_the_admin_ends_the_device(api: Api, admin: User) -> None:
    browser, _ = enter(admin)
    assert browser.post("/admin/logout/").status_code == 200
    assert not Session.objects.live_at(timezone.now()).filter(user=admin, method="admin").exists()


def test_the_device_lives_as_long_as_the_cookie_is_used(admin: User) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        browser, _ = enter(admin)
        for _ in range(3):
            clock.shift(timedelta(minutes=14))
            assert is_in(browser)
        session = Session.objects.get(user=admin, method="admin")
        assert session.last_seen_at > now
        clock.shift(timedelta(minutes=17))
        assert not is_in(browser)
        assert not Session.objects.live_at(timezone.now()).filter(user=admin).exists()
