"""A staff member's first second factor: password and mailbox together, in the admin."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from accounts.models import AuthenticatorApp, MailedToken, User
from accounts.services import two_factor
from accounts.testing import PASSWORD, totp_code, with_two_factor
from core.models import Event
from core.testing import Api, commits, drain_outbox

LOGIN, PAGE = "/admin/login/", "/admin/second-factor/"


@pytest.fixture(autouse=True)
def demanded(settings: Settings) -> None:
    settings.ADMIN_TWO_FACTOR_REQUIRED = True


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


def enter(user: User, password: str = PASSWORD, code: str = "", browser: Client | None = None) -> Any:
    with commits():
        return (browser or Client()).post(LOGIN, {"username": user.email, "password": password, "code": code})


def mailed_token(api: Api, user: User) -> str:
    drain_outbox()
    mails = api.get("/mailbox/messages", {"to": user.email}).json()["items"]
    return re.search(r"/admin/second-factor/\?token=(\S+)", mails[0]["text"]).group(1)


@pytest.fixture
def token(api: Api, admin: User) -> str:
    enter(admin)
    return mailed_token(api, admin)


def post(browser: Client, **form: Any) -> Any:
    with commits():
        return browser.post(PAGE, form)


def secret_on(page: Any) -> str:
    return re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode()).group(1).replace(" ", "")


def test_the_first_sign_in_mails_a_link_and_opens_nothing(admin: User, api: Api) -> None:
    browser = Client()
    page = enter(admin, browser=browser)
    assert page.status_code == 200 and b"Look into your mail" in page.content
    assert browser.get("/admin/").status_code == 302
    assert browser.get(PAGE, {"token": mailed_token(api, admin)}).status_code == 200


def test_from_the_link_to_the_admin(admin: User, token: str) -> None:
    browser = Client()
    for _ in range(2):
        page = browser.get(PAGE, {"token": token})
        assert b'autocomplete="current-password"' in page.content, "looking uses nothing up and shows no secret"
        assert page["Referrer-Policy"] == "same-origin" and "no-store" in page["Cache-Control"]
    secret = secret_on(post(browser, token=token, password=PASSWORD))
    wrong = post(browser, token=token, code="000000")
    assert wrong.status_code == 400 and secret_on(wrong) == secret, "nothing has to be scanned again"
    done = post(browser, token=token, code=totp_code(secret, timezone.now()))
    codes = re.findall(r"<code>(\w{5}-\w{5})</code>", done.content.decode())
    assert done.status_code == 200 and len(codes) == 10
    assert browser.get("/admin/").status_code == 200
    admin.refresh_from_db()
    assert admin.two_factor_enabled
    again = browser.get(PAGE, {"token": token})
    assert again["Location"] == "/admin/", "the codes are not shown twice"
    assert b"does not work any more" in Client().get(PAGE, {"token": token}).content
    assert enter(admin, code=codes[0]).status_code == 302
    acts = set(Event.objects.filter(actor_id=admin.pk).values_list("kind", flat=True))
    assert {"account.staff_factor_offered", "account.two_factor_enabled", "admin.signed_in"} <= acts


@pytest.mark.parametrize("password", ["wrong password", ""])
def test_the_link_alone_sets_up_nothing(admin: User, token: str, password: str) -> None:
    browser = Client()
    refused = post(browser, token=token, password=password)
    assert refused.status_code == 401 and b'class="qr"' not in refused.content
    secret = two_factor.enroll(user=admin, now=timezone.now()).secret
    assert post(browser, token=token, code=totp_code(secret, timezone.now())).status_code == 400
    admin.refresh_from_db()
    assert not admin.two_factor_enabled


def test_a_proven_password_counts_for_its_person_and_ten_minutes(
    admin: User, token: str, person: Callable[..., User], api: Api, time_machine: TimeMachineFixture
) -> None:
    browser, other = Client(), person("olga", role="reviewer")
    enter(other)
    secret = secret_on(post(browser, token=mailed_token(api, other), password=PASSWORD))
    assert post(browser, token=token, code=totp_code(secret, timezone.now())).status_code == 400
    secret = secret_on(post(browser, token=token, password=PASSWORD))
    time_machine.move_to(timezone.now() + timedelta(minutes=10, seconds=1))
    late = post(browser, token=token, code=totp_code(secret, timezone.now()))
    assert late.status_code == 400 and b"password once more" in late.content


def test_links_end(api: Api, admin: User, token: str, time_machine: TimeMachineFixture) -> None:
    assert post(Client(), token="made-up", password=PASSWORD).status_code == 400
    enter(admin)
    newer = mailed_token(api, admin)
    assert newer != token and b"does not work any more" in Client().get(PAGE, {"token": token}).content
    time_machine.move_to(timezone.now() + timedelta(minutes=31))
    assert b"does not work any more" in Client().get(PAGE, {"token": newer}).content


def test_a_link_of_somebody_who_is_no_staff_any_more(admin: User, token: str) -> None:
    type(admin).objects.filter(pk=admin.pk).update(role="user")
    assert post(Client(), token=token, password=PASSWORD).status_code == 400


def test_mails_are_limited_and_go_to_staff_alone(admin: User, person: Callable[..., User]) -> None:
    for _ in range(5):
        enter(admin)
    assert b"Too many" in enter(admin).content
    pat = person("pat")
    assert b"no access to the admin" in enter(pat).content
    assert not MailedToken.objects.filter(user=pat).exists()


def test_a_thief_of_the_password_adds_no_factor_through_the_api(api: Api, admin: User) -> None:
    thief = api.as_user(admin)
    secret = two_factor.enroll(user=admin, now=timezone.now()).secret
    for path, body in (
        ("/api/profile/2fa/setup", None),
        ("/api/profile/2fa/verify", {"code": totp_code(secret, timezone.now())}),
        ("/api/profile/passkeys/options", None),
    ):
        refused = thief.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "staff_factor_by_mail")
    admin.refresh_from_db()
    assert not admin.two_factor_enabled


def test_where_no_factor_is_demanded_staff_use_the_api_as_everybody(api: Api, admin: User, settings: Settings) -> None:
    settings.ADMIN_TWO_FACTOR_REQUIRED = False
    assert api.as_user(admin).post("/api/profile/2fa/setup").status_code == 200


def test_a_sign_in_without_its_code_says_that_one_is_needed(admin: User) -> None:
    with_two_factor(admin)
    for _ in range(6):
        page = enter(admin).content.decode()
        assert "This account has a second factor" in page and admin.email in page
        assert re.search(r'name="password"[^>]* autofocus', page)
    assert "code is wrong" in enter(admin, code="000000").content.decode()
    assert AuthenticatorApp.objects.get(user=admin).failures == 1, "a code left out is no wrong code"
    reasons = set(admin.login_attempts.values_list("reason", flat=True))
    assert reasons == {"two_factor_required", "two_factor_code_invalid"}
