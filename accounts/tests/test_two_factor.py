"""The second factor: setting it up, logging in with it, its recovery codes, and what a fresh proof means then."""

import base64
import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine
import zxingcpp
from django.utils import timezone
from PIL import Image

from accounts.errors import CodeInvalid
from accounts.models import RecoveryCode, Session, User
from accounts.services import login, recovery, two_factor
from accounts.services.sessions import Tokens
from accounts.testing import PASSWORD, Authenticator, make_person, totp_code, with_two_factor
from core.testing import Api, together

LOGIN, SECOND = "/api/auth/login", "/api/auth/login/2fa"
SETUP, VERIFY, CODES, OFF = (f"/api/profile/2fa{part}" for part in ("/setup", "/verify", "/recovery-codes", ""))


def first_step(api: Api, person: User) -> dict[str, Any]:
    answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD})
    assert answer.status_code == 200
    return answer.json()


def second_step(api: Api, token: str, code: str) -> Any:
    return api.post(SECOND, {"twoFactorToken": token, "code": code})


def result(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada")


@pytest.fixture
def phone(ada: User) -> Authenticator:
    return with_two_factor(ada)


# --- Setting up -------------------------------------------------------------------------------------------------------


def test_set_up_scan_verify(api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]]) -> None:
    me = api.as_user(ada)
    set_up = me.post(SETUP).json()
    assert set(set_up) == {"secret", "otpauthUrl", "qrCode"}
    kind, _, data = set_up["qrCode"].partition(",")
    assert kind == "data:image/png;base64"
    [scanned] = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))
    assert scanned.text == set_up["otpauthUrl"]
    address = urlsplit(scanned.text)
    assert (address.scheme, address.netloc, unquote(address.path)) == ("otpauth", "totp", f"/VECTRAGrow:{ada.email}")
    assert parse_qs(address.query) == {"secret": [set_up["secret"]], "issuer": ["VECTRAGrow"]}
    assert me.get("/api/auth/me").json()["twoFactorEnabled"] is False
    assert first_step(api, ada)["token"], "not asked for before a first right code"

    assert result(me.post(VERIFY, {"code": "000000"})) == (400, "two_factor_code_invalid")
    on = me.post(VERIFY, {"code": totp_code(set_up["secret"], timezone.now())})
    assert on.status_code == 200
    assert on.json()["twoFactorEnabled"] is True and len(set(on.json()["recoveryCodes"])) == 10
    assert me.get("/api/auth/me").json()["twoFactorEnabled"] is True
    assert [subject for subject, _ in mails(ada)][-1] == "Two-factor sign-in is on"


def test_the_factor_changes_only_in_order(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    assert result(me.post(VERIFY, {"code": "123456"})) == (409, "two_factor_not_set_up")
    assert result(me.post(CODES)) == result(me.delete(OFF)) == (409, "two_factor_not_enabled")
    older = me.post(SETUP).json()["secret"]
    secret = me.post(SETUP).json()["secret"]
    assert result(me.post(VERIFY, {"code": totp_code(older, timezone.now())})) == (400, "two_factor_code_invalid")
    assert me.post(VERIFY, {"code": totp_code(secret, timezone.now())}).status_code == 200
    assert result(me.post(SETUP)) == (409, "two_factor_already_enabled")
    assert result(me.post(VERIFY, {"code": "123456"})) == (409, "two_factor_already_enabled")


def test_setup_needs_a_fresh_proof(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert result(me.post(SETUP)) == (403, "step_up_required")
    assert me.post("/api/auth/step-up", {"password": PASSWORD}).status_code == 200
    assert me.post(SETUP).status_code == 200


def test_switching_off(
    api: Api, ada: User, phone: Authenticator, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    token = second_step(api, first_step(api, ada)["twoFactorToken"], phone.code()).json()["token"]
    waiting = first_step(api, ada)["twoFactorToken"]
    me = api.with_token(token)
    assert me.delete(OFF).json() == {"twoFactorEnabled": False}
    assert "token" in first_step(api, ada)
    assert not RecoveryCode.objects.exists()
    assert result(second_step(api, waiting, phone.recovery_codes[0])) == (401, "two_factor_token_invalid")
    assert [subject for subject, _ in mails(ada)][-1] == "Two-factor sign-in is off"


# --- Logging in -------------------------------------------------------------------------------------------------------


def test_two_steps(api: Api, ada: User, phone: Authenticator) -> None:
    first = first_step(api, ada)
    assert first == {
        "twoFactorRequired": True,
        "twoFactorToken": first["twoFactorToken"],
        "methods": ["totp", "recovery_code"],
        "expiresIn": 300,
    }
    assert not Session.objects.exists()
    token = first["twoFactorToken"]
    assert result(second_step(api, token, "000000")) == (400, "two_factor_code_invalid")
    signed_in = second_step(api, token, phone.code())
    assert set(signed_in.json()) == {"token", "refreshToken", "expiresIn", "user"}
    assert api.with_token(signed_in.json()["token"]).get("/api/auth/me").status_code == 200
    again = second_step(api, token, phone.recovery_codes[0])
    assert result(again) == (401, "two_factor_token_invalid"), "used once"


def test_a_code_works_once_and_with_spaces(api: Api, ada: User, phone: Authenticator) -> None:
    code = phone.code()
    assert second_step(api, first_step(api, ada)["twoFactorToken"], f"{code[:3]} {code[3:]}").status_code == 200
    assert second_step(api, first_step(api, ada)["twoFactorToken"], code).status_code == 400


def test_five_failures_rest_the_app_and_a_recovery_code_still_opens(
    api: Api, ada: User, phone: Authenticator, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    token = first_step(api, ada)["twoFactorToken"]
    assert [second_step(api, token, "000000").status_code for _ in range(5)] == [400] * 5
    locked = second_step(api, token, phone.code())
    assert result(locked) == (429, "two_factor_locked") and 0 < int(locked["Retry-After"]) <= 900
    assert result(second_step(api, token, "aaaaa-aaaaa")) == (429, "two_factor_locked")
    assert second_step(api, token, phone.recovery_codes[3]).status_code == 200
    subject, text = mails(ada)[-1]
    assert subject == "A recovery code was used" and "Codes left: 9" in text


def test_recovery_codes_work_once_each_and_disarm_nothing(api: Api, ada: User, phone: Authenticator) -> None:
    for code in phone.recovery_codes:
        token = first_step(api, ada)["twoFactorToken"]
        assert second_step(api, token, code.upper()).status_code == 200
    assert second_step(api, first_step(api, ada)["twoFactorToken"], phone.recovery_codes[0]).status_code == 400
    assert first_step(api, ada)["methods"] == ["totp"]
    assert second_step(api, first_step(api, ada)["twoFactorToken"], phone.code()).status_code == 200


def test_new_recovery_codes_replace_the_old(
    api: Api, ada: User, phone: Authenticator, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    me = api.with_token(second_step(api, first_step(api, ada)["twoFactorToken"], phone.code()).json()["token"])
    fresh = me.post(CODES).json()["recoveryCodes"]
    assert len(set(fresh) | set(phone.recovery_codes)) == 20
    assert second_step(api, first_step(api, ada)["twoFactorToken"], phone.recovery_codes[0]).status_code == 400
    assert second_step(api, first_step(api, ada)["twoFactorToken"], fresh[0]).status_code == 200
    assert "You have new recovery codes" in [subject for subject, _ in mails(ada)]


def test_the_first_step_lasts_five_minutes(api: Api, ada: User, phone: Authenticator) -> None:
    before = timezone.now()
    early, late = first_step(api, ada)["twoFactorToken"], first_step(api, ada)["twoFactorToken"]
    after = timezone.now()
    with time_machine.travel(before + timedelta(minutes=4, seconds=59), tick=False):
        assert second_step(api, early, phone.recovery_codes[0]).status_code == 200
    with time_machine.travel(after + timedelta(minutes=5, seconds=1)):
        assert result(second_step(api, late, phone.recovery_codes[1])) == (401, "two_factor_token_invalid")


def test_each_token_is_good_for_its_own_purpose_only(api: Api, ada: User, phone: Authenticator) -> None:
    first = first_step(api, ada)["twoFactorToken"]
    signed_in = second_step(api, first_step(api, ada)["twoFactorToken"], phone.code()).json()
    for foreign in (signed_in["token"], signed_in["refreshToken"], "x", "x" * 200):
        if len(foreign) <= 200:
            assert result(second_step(api, foreign, phone.recovery_codes[0])) == (401, "two_factor_token_invalid")
    assert api.with_token(first).get("/api/auth/me").status_code == 401
    assert api.post("/api/auth/refresh", {"refreshToken": first}).status_code == 401
    assert api.post("/api/auth/verify-email", {"token": first}).status_code == 400
    reset = api.post("/api/auth/reset-password", {"token": first, "password": "a fine long phrase"})
    assert reset.status_code == 400
    assert second_step(api, first, phone.recovery_codes[0]).status_code == 200


def test_one_persons_code_does_not_finish_anothers_login(
    api: Api, ada: User, phone: Authenticator, person: Callable[..., User]
) -> None:
    bob = person("bob")
    his = with_two_factor(bob)
    for code in (his.code(), his.recovery_codes[0]):
        assert second_step(api, first_step(api, ada)["twoFactorToken"], code).status_code == 400


def test_a_new_password_ends_logins_half_way(api: Api, ada: User, phone: Authenticator) -> None:
    waiting = first_step(api, ada)["twoFactorToken"]
    me = api.as_user(ada)
    changed = me.post("/api/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "a fine long phrase"})
    assert changed.status_code == 200
    assert result(second_step(api, waiting, phone.code())) == (401, "two_factor_token_invalid")


def test_guessing_codes_is_limited_per_address(api: Api, ada: User, phone: Authenticator) -> None:
    codes = [second_step(api, "not-ours", "123456").status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    token = first_step(Api(address="192.0.2.7"), ada)["twoFactorToken"]
    assert second_step(Api(address="192.0.2.7"), token, phone.code()).status_code == 200


def test_nothing_that_opens_a_door_is_stored_in_clear(
    api: Api, ada: User, phone: Authenticator, stored_text: Callable[[], str]
) -> None:
    token = first_step(api, ada)["twoFactorToken"]
    assert second_step(api, token, phone.recovery_codes[0]).status_code == 200
    stored = stored_text()
    for secret in [
        token,
        phone.secret,
        *phone.recovery_codes,
        *(code.replace("-", "") for code in phone.recovery_codes),
    ]:
        assert secret not in stored
        assert secret.encode().hex() not in stored


# --- A fresh proof ----------------------------------------------------------------------------------------------------


def test_with_a_second_factor_only_its_code_is_a_fresh_proof(api: Api, ada: User, phone: Authenticator) -> None:
    me = api.as_user(ada)  # a session from before the factor
    assert result(me.post(CODES)) == (403, "step_up_required")
    assert result(me.post("/api/auth/step-up", {"password": PASSWORD})) == (403, "two_factor_required")
    assert result(me.post("/api/auth/step-up", {"code": "000000"})) == (400, "two_factor_code_invalid")
    assert result(me.post(CODES)) == (403, "step_up_required")
    assert me.post("/api/auth/step-up", {"code": phone.code()}).status_code == 200
    assert me.post(CODES).status_code == 200
    Session.objects.update(second_factor_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert result(me.delete(OFF)) == (403, "step_up_required")
    assert me.post("/api/auth/step-up", {"code": phone.recovery_codes[0]}).status_code == 400, "replaced"


def test_a_login_with_the_code_is_a_fresh_proof(api: Api, ada: User, phone: Authenticator) -> None:
    signed_in = second_step(api, first_step(api, ada)["twoFactorToken"], phone.recovery_codes[0]).json()
    me = api.with_token(signed_in["token"])
    assert me.delete(OFF).status_code == 200


@pytest.mark.parametrize("body", [{}, {"password": PASSWORD, "code": "123456"}, {"code": ""}, {"code": "1" * 41}])
def test_step_up_takes_one_of_the_two(api: Api, ada: User, body: dict[str, Any]) -> None:
    assert result(api.as_user(ada).post("/api/auth/step-up", body)) == (400, "invalid_input")


def test_step_up_by_code_needs_a_second_factor(api: Api, ada: User) -> None:
    assert result(api.as_user(ada).post("/api/auth/step-up", {"code": "123456"})) == (409, "two_factor_not_enabled")


# --- Races ------------------------------------------------------------------------------------------------------------


def use_one_code_twice(rivals_meet: Callable[..., None], module: Any, function: str) -> list[object]:
    ada = make_person(first_name="Ada")
    phone = with_two_factor(ada)
    code = phone.recovery_codes[0] if module is recovery else phone.code()
    rivals_meet(module, function)
    check = partial(two_factor.check_code, user=ada, code=code, now=timezone.now())
    return together(check, check)


@pytest.mark.parametrize("module, function", [(recovery, "_unused"), (two_factor, "_matching_step")])
@pytest.mark.django_db(transaction=True)
def test_a_code_used_twice_at_the_same_time_works_once(
    rivals_meet: Callable[..., None], module: Any, function: str
) -> None:
    outcomes = use_one_code_twice(rivals_meet, module, function)
    assert sorted(isinstance(outcome, CodeInvalid) for outcome in outcomes) == [False, True], outcomes


@pytest.mark.parametrize("module, function", [(recovery, "_unused"), (two_factor, "_matching_step")])
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_code_works_twice(
    rivals_meet: Callable[..., None], module: Any, function: str, no_locks: None
) -> None:
    outcomes = use_one_code_twice(rivals_meet, module, function)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes


@pytest.mark.django_db(transaction=True)
def test_two_second_steps_at_the_same_time_make_one_session(rivals_meet: Callable[..., None]) -> None:
    ada = make_person(first_name="Ada")
    phone = with_two_factor(ada)
    now = timezone.now()
    challenge = login.complete_first_step(user=ada, method="password", device="", now=now)

    def finish(code: str) -> Tokens:
        return login.take_second_step(
            two_factor_token=challenge.token, proof=code, address="192.0.2.1", device="", now=now
        )

    together(partial(finish, phone.recovery_codes[0]), partial(finish, phone.recovery_codes[1]))
    assert Session.objects.count() == 1
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1
