"""Passkeys: registering them, signing in with them, as a second factor, and everything that is not one."""

import inspect
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, Event
from typing import Any

import cbor2
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import passkeys as protocol
from accounts.errors import PasskeyInvalid
from accounts.models import AuthenticatorApp, LoginAttempt, Passkey, PasskeyChallenge, RecoveryCode, Session, User
from accounts.services import login, passkeys, two_factor
from accounts.services.login import Challenge
from accounts.services.sessions import Tokens
from accounts.testing import PASSWORD, make_person, sign_in, totp_code, with_two_factor
from accounts.tests.security_key import BACKED_UP, ELIGIBLE, PRESENT, USUAL, SecurityKey, packed
from core.testing import WAIT_LIMIT, Api, another_connection_waits, eventually, together

MINE, NEW = "/api/profile/passkeys", "/api/profile/passkeys/options"
LOGIN, QUESTION = "/api/auth/passkey", "/api/auth/passkey/options"
SECOND, SECOND_QUESTION = "/api/auth/login/2fa", "/api/auth/login/2fa/passkey"
STEP_UP, STEP_UP_QUESTION = "/api/auth/step-up", "/api/auth/step-up/passkey"


def result(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


def ask(api: Api, path: str, body: Any = None) -> dict[str, Any]:
    answer = api.post(path, body)
    assert answer.status_code == 200, answer.content
    return answer.json()["publicKey"]


def register(api: Api, key: SecurityKey, name: str = "My key", **lies: Any) -> Any:
    return api.post(MINE, {"credential": key.create(ask(api, NEW), **lies), "name": name})


def log_in(api: Api, key: SecurityKey, **lies: Any) -> Any:
    return api.post(LOGIN, {"credential": key.get(ask(api, QUESTION), **lies)})


def first_step(api: Api, person: User) -> dict[str, Any]:
    return api.post("/api/auth/login", {"email": person.email, "password": PASSWORD}).json()


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada")


@pytest.fixture
def key(ada: User, passkey_of: Callable[[User], SecurityKey]) -> SecurityKey:
    return passkey_of(ada)


# --- Registering ------------------------------------------------------------------------------------------------------


def test_register_list_rename_remove(api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]]) -> None:
    me, key = api.as_user(ada), SecurityKey(flags=USUAL | ELIGIBLE | BACKED_UP)
    options = ask(me, NEW)
    assert options["rp"] == {"id": "localhost", "name": "VECTRAGrow"}
    assert options["user"]["name"] == ada.email and options["user"]["id"] == packed(ada.pk.bytes)
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none" and options["excludeCredentials"] == []
    made = me.post(MINE, {"credential": key.create(options), "name": "Ada’s phone"})
    assert made.status_code == 201, made.content
    shown = made.json()
    assert set(shown) == {"id", "name", "synced", "createdAt", "lastUsedAt", "recoveryCodes"}
    assert (shown["name"], shown["synced"], shown["lastUsedAt"]) == ("Ada’s phone", True, None)
    assert len(set(shown.pop("recoveryCodes"))) == 10
    assert me.get("/api/auth/me").json()["twoFactorEnabled"] is True
    assert me.get(MINE).json()["items"] == [shown]
    assert [known["id"] for known in ask(me, NEW)["excludeCredentials"]] == [packed(key.id)]

    second = register(me, SecurityKey(), name="Spare key").json()
    assert second["recoveryCodes"] is None, "shown with the first factor only"
    renamed = me.put(f"{MINE}/{second['id']}", {"name": "Drawer"})
    assert renamed.json()["name"] == "Drawer"
    assert me.delete(f"{MINE}/{shown['id']}").status_code == 200
    assert [item["name"] for item in me.get(MINE).json()["items"]] == ["Drawer"]
    assert me.get("/api/auth/me").json()["twoFactorEnabled"] is True
    assert me.delete(f"{MINE}/{second['id']}").status_code == 200
    assert me.get("/api/auth/me").json()["twoFactorEnabled"] is False
    assert not RecoveryCode.objects.exists()
    assert [subject for subject, _ in mails(ada)] == [
        "A passkey was added",
        "A passkey was added",
        "A passkey was removed",
        "A passkey was removed",
        "Two-factor sign-in is off",
    ]
    assert "“Ada’s phone”" in mails(ada)[0][1]


def test_without_a_name_it_is_called_like_the_device(api: Api, ada: User) -> None:
    me, key = api.as_user(ada), SecurityKey()
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    made = me.post(MINE, {"credential": key.create(ask(me, NEW)), "name": ""}, user_agent=agent)
    assert made.json()["name"] == "Firefox on Linux"


def test_registering_and_removing_ask_for_a_fresh_proof(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    credential = SecurityKey().create(ask(me, NEW))
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert result(me.post(NEW)) == result(me.post(MINE, {"credential": credential})) == (403, "step_up_required")
    assert me.post(STEP_UP, {"password": PASSWORD}).status_code == 200
    made = me.post(MINE, {"credential": credential})
    assert made.status_code == 201
    Session.objects.update(second_factor_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert result(me.delete(f"{MINE}/{made.json()['id']}")) == (403, "step_up_required")
    assert me.put(f"{MINE}/{made.json()['id']}", {"name": "x"}).status_code == 200


def test_a_new_passkey_proves_the_session_that_made_it(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    assert register(me, SecurityKey()).status_code == 201
    assert me.post("/api/profile/2fa/recovery-codes").status_code == 200


WRONG_MAKINGS: dict[str, dict[str, Any]] = {
    "another site's page": {"origin": "https://evil.example"},
    "a page of ours under http": {"origin": "http://localhost.evil.example"},
    "in a frame of another site": {"cross_origin": True},
    "in a frame, said otherwise": {"client_data": {"topOrigin": "https://evil.example"}},
    "for another site": {"rp_id": "evil.example"},
    "a use and not a making": {"type": "webauthn.get"},
    "nobody was verified": {"flags": PRESENT},
    "nobody was there": {"flags": 0x04},
    "another challenge": {"challenge": packed(b"x" * 32)},
    "an empty challenge": {"challenge": ""},
    "a challenge that is no text": {"challenge": 7},
    "an id that is another's": {"raw_id": packed(b"y" * 32)},
    "a key of nothing": {"public_key": cbor2.dumps({})},
    "a key of an unknown kind": {"public_key": cbor2.dumps({1: 9, 3: -7})},
    "an algorithm we do not take": {"public_key": cbor2.dumps({1: 2, 3: -47, -1: 8, -2: b"x" * 32, -3: b"y" * 32})},
    "no CBOR": {"attestation": b"\xff\x00"},
    "endless nesting": {"attestation": b"\x81" * 4_000},
    "a list for an object": {"attestation": cbor2.dumps([1, 2])},
    "a made-up attestation": {"attestation": cbor2.dumps({"fmt": "fax", "attStmt": {}, "authData": b"z" * 200})},
    "cut short": {"attestation": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b"z" * 36})},
    "client data that is no JSON": {"response": {"clientDataJSON": packed(b"{")}},
    "client data that is a list": {"response": {"clientDataJSON": packed(b"[]")}},
    "client data nested without end": {"response": {"clientDataJSON": packed(b"[" * 2_500)}},
}


@pytest.mark.parametrize("wrong", WRONG_MAKINGS)
def test_what_is_no_new_passkey_is_refused(api: Api, ada: User, wrong: str) -> None:
    me = api.as_user(ada)
    assert result(register(me, SecurityKey(), **WRONG_MAKINGS[wrong])) == (400, "passkey_invalid")
    assert not Passkey.objects.exists() and not User.objects.get().two_factor_enabled
    assert register(me, SecurityKey()).status_code == 201, "the same without the lie"


BOMB = b"\xd8\x23" + cbor2.dumps("(?i)" + "[\x01-\uffff]" * 200)
"""Tag 35: a regular expression, which a decoder would compile for a second."""


def test_tags_are_refused_before_a_decoder_acts_on_them(
    api: Api, ada: User, key: SecurityKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = re.compile
    compiled: list[Any] = []

    def noted(*pattern: Any) -> Any:
        compiled.append(pattern[0])
        return original(*pattern)

    monkeypatch.setattr(re, "compile", noted)
    me = api.as_user(ada)
    me.post(STEP_UP, {"credential": key.get(ask(me, STEP_UP_QUESTION))})
    for attestation in (BOMB, cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b""})[:-1] + BOMB):
        assert result(register(me, SecurityKey(), attestation=attestation)) == (400, "passkey_invalid")
    assert result(register(me, SecurityKey(), public_key=BOMB)) == (400, "passkey_invalid")
    sent = {"response": {"authenticatorData": packed(key._auth_data(0x80, {}) + BOMB)}}
    assert result(log_in(api, key, **sent)) == (401, "passkey_refused")
    assert not [pattern for pattern in compiled if "\uffff" in str(pattern)]


def test_only_who_proved_their_address_adds_a_passkey(api: Api, person: Callable[..., User]) -> None:
    squatter = api.as_user(person("squatter", verified=False))
    assert result(squatter.post(NEW)) == (403, "email_not_verified")


@pytest.mark.parametrize(
    "member, value, status",
    [
        ("id", [7], 400),
        ("id", "not base64!", 400),
        ("id", "x" * 1_401, 400),
        ("rawId", None, 400),
        ("type", "password", 400),
        ("response", [], 400),
        ("response", {}, 400),
        ("response", {"clientDataJSON": "e30", "attestationObject": "A" * 32_001}, 400),
        ("response", {"clientDataJSON": "e30", "attestationObject": "\u0000"}, 400),
    ],
)
def test_a_credential_of_another_shape_is_refused(api: Api, ada: User, member: str, value: Any, status: int) -> None:
    me = api.as_user(ada)
    credential = SecurityKey().create(ask(me, NEW)) | {member: value}
    answer = me.post(MINE, {"credential": credential})
    assert answer.status_code == status and answer.json()["code"] in ("invalid_input", "malformed_body")


def test_a_challenge_is_for_its_person_its_purpose_and_once(api: Api, ada: User, person: Callable[..., User]) -> None:
    me, other, key = api.as_user(ada), api.as_user(person("bob")), SecurityKey()
    assert result(other.post(MINE, {"credential": key.create(ask(me, NEW))})) == (400, "passkey_invalid")
    for foreign in (ask(api, QUESTION),):
        foreign["user"] = {"id": packed(ada.pk.bytes)}
        assert result(me.post(MINE, {"credential": key.create(foreign)})) == (400, "passkey_invalid")
    credential = key.create(ask(me, NEW))
    assert me.post(MINE, {"credential": credential}).status_code == 201
    assert result(me.post(MINE, {"credential": credential})) == (400, "passkey_invalid")


def test_a_challenge_lasts_five_minutes(api: Api, ada: User) -> None:
    me, before = api.as_user(ada), timezone.now()
    early, late = SecurityKey().create(ask(me, NEW)), SecurityKey().create(ask(me, NEW))
    after = timezone.now()
    Session.objects.update(authenticated_at=after + timedelta(minutes=5))
    with time_machine.travel(before + timedelta(minutes=4, seconds=59), tick=False):
        assert me.post(MINE, {"credential": early}).status_code == 201
    with time_machine.travel(after + timedelta(minutes=5, seconds=1)):
        Session.objects.update(second_factor_at=timezone.now())
        assert result(me.post(MINE, {"credential": late})) == (400, "passkey_invalid")


def test_a_passkey_is_registered_once(api: Api, ada: User, key: SecurityKey, person: Callable[..., User]) -> None:
    other = api.as_user(person("bob"))
    assert result(register(other, key)) == (409, "passkey_already_registered")


def test_twenty_are_enough(api: Api, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MAX_PASSKEYS", 2)
    me = api.as_user(ada)
    waiting = SecurityKey().create(ask(me, NEW))
    assert [register(me, SecurityKey()).status_code for _ in range(2)] == [201, 201]
    assert result(me.post(NEW)) == result(me.post(MINE, {"credential": waiting})) == (409, "too_many_passkeys")


def test_the_list_costs_the_same_for_one_and_for_ten(
    api: Api, ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me = api.as_user(ada)
    register(me, SecurityKey())
    me.get(MINE)

    def queries() -> int:
        with django_assert_num_queries(2):
            return len(me.get(MINE).json()["items"])

    assert queries() == 1
    for _ in range(9):
        register(me, SecurityKey())
    assert queries() == 10


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_a_passkey_signs_in_alone_and_counts_as_both_steps(api: Api, ada: User, key: SecurityKey) -> None:
    options = ask(api, QUESTION)
    assert options["rpId"] == "localhost" and options["userVerification"] == "required"
    assert options["allowCredentials"] == [], "tells nobody who has an account"
    signed_in = api.post(LOGIN, {"credential": key.get(options)})
    assert signed_in.status_code == 200, signed_in.content
    assert set(signed_in.json()) == {"token", "refreshToken", "expiresIn", "user"}
    assert signed_in.json()["user"]["id"] == str(ada.pk)
    me = api.with_token(signed_in.json()["token"])
    assert me.post("/api/profile/2fa/recovery-codes").status_code == 200, "a fresh proof of the second factor too"
    assert Session.objects.get().method == "passkey"
    assert me.get("/api/profile/login-history").json()["items"][0]["method"] == "passkey"
    assert me.get(MINE).json()["items"][0]["lastUsedAt"] is not None


def test_a_synced_passkey_does_not_count_its_uses(api: Api, ada: User) -> None:
    key = SecurityKey(counts=False)
    register(api.as_user(ada), key)
    assert [log_in(api, key).status_code for _ in range(3)] == [200] * 3


WRONG_USES: dict[str, dict[str, Any]] = {
    "another site's page": {"origin": "https://evil.example"},
    "in a frame of another site": {"cross_origin": True},
    "for another site": {"rp_id": "evil.example"},
    "a making and not a use": {"type": "webauthn.create"},
    "nobody was verified": {"flags": PRESENT},
    "nobody was there": {"flags": 0x04},
    "another challenge": {"challenge": packed(b"x" * 32)},
    "another key's signature": {"pair": ec.generate_private_key(ec.SECP256R1())},
    "an empty signature": {"response": {"signature": ""}},
    "a signature of nothing": {"response": {"signature": packed(b"0" * 70)}},
    "another person's handle": {"user_handle": b"\x01" * 16},
    "an unknown key": {"id": b"u" * 32},
    "cut short": {"response": {"authenticatorData": packed(b"z" * 36)}},
    "client data that is no JSON": {"response": {"clientDataJSON": packed(b"\xff\xfe")}},
}


@pytest.mark.parametrize("wrong", WRONG_USES)
def test_what_is_no_use_of_a_passkey_signs_nobody_in(api: Api, ada: User, key: SecurityKey, wrong: str) -> None:
    refused = log_in(api, key, **WRONG_USES[wrong])
    assert refused.status_code in (400, 401) and refused.json()["code"] in ("passkey_refused", "invalid_input")
    assert not Session.objects.exists()
    assert log_in(api, key).status_code == 200, "the same without the lie"


def test_all_failures_look_alike(api: Api, ada: User, key: SecurityKey) -> None:
    wrong, unknown = log_in(api, key, origin="https://evil.example"), log_in(api, SecurityKey())
    for answer in (wrong, unknown):
        assert result(answer) == (401, "passkey_refused")
    assert {**wrong.json(), "requestId": ""} == {**unknown.json(), "requestId": ""}
    tried = LoginAttempt.objects.filter(success=False).values_list("user_id", "method", "reason")
    assert list(tried) == [(ada.pk, "passkey", "passkey_refused")], "for an owner to see; the other has none"


def test_an_answer_signs_in_once_even_after_a_failure(api: Api, ada: User, key: SecurityKey) -> None:
    options = ask(api, QUESTION)
    credential = key.get(options)
    assert api.post(LOGIN, {"credential": credential}).status_code == 200
    assert result(api.post(LOGIN, {"credential": credential})) == (401, "passkey_refused")
    options = ask(api, QUESTION)
    assert api.post(LOGIN, {"credential": key.get(options, flags=PRESENT)}).status_code == 401
    assert api.post(LOGIN, {"credential": key.get(options)}).status_code == 401, "the question is used up"


def test_a_wrong_answer_uses_the_question_up_whosever_key_it_is(
    api: Api, ada: User, key: SecurityKey, person: Callable[..., User]
) -> None:
    options = ask(api, QUESTION)
    assert api.post(LOGIN, {"credential": SecurityKey().get(options)}).status_code == 401
    assert api.post(LOGIN, {"credential": key.get(options)}).status_code == 401
    bob = api.as_user(person("bob"))
    credential = key.create(ask(bob, NEW))
    for _ in range(2):
        assert bob.post(MINE, {"credential": credential}).status_code in (409, 400)
    assert not PasskeyChallenge.objects.filter(purpose="register").exists()


def test_an_answer_to_another_purpose_signs_nobody_in(api: Api, ada: User, key: SecurityKey) -> None:
    token = first_step(api, ada)["twoFactorToken"]
    credential = key.get(ask(api, SECOND_QUESTION, {"twoFactorToken": token}))
    assert result(api.post(LOGIN, {"credential": credential})) == (401, "passkey_refused")
    token = first_step(api, ada)["twoFactorToken"]
    body = {"twoFactorToken": token, "credential": key.get(ask(api, QUESTION))}
    assert result(api.post(SECOND, body)) == (400, "passkey_invalid")


def test_a_counter_that_goes_back_is_told(
    api: Api, ada: User, key: SecurityKey, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    assert log_in(api, key).status_code == 200
    assert result(log_in(api, key, counter=1)) == (401, "passkey_refused")
    subject, text = mails(ada)[-1]
    assert subject == "A passkey was refused" and "“My key”" in text
    assert log_in(api, key).status_code == 200


def test_the_suspended_and_the_erased_stay_out(api: Api, ada: User, key: SecurityKey) -> None:
    User.objects.filter(pk=ada.pk).update(status="suspended")
    assert result(log_in(api, key)) == (403, "account_suspended")
    assert not Session.objects.exists()


def test_guessing_is_limited_per_address(api: Api, ada: User, key: SecurityKey) -> None:
    options = ask(api, QUESTION)
    answers = [api.post(LOGIN, {"credential": SecurityKey().get(options)}).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert log_in(Api(address="192.0.2.7"), key).status_code == 200


def test_questions_are_limited_per_address(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    assert [(api.post(QUESTION), me.post(NEW))[1].status_code for _ in range(16)] == [200] * 15 + [429]
    assert api.post(QUESTION).status_code == 429


def test_a_person_who_leaves_comes_back_with_a_passkey(api: Api, ada: User, key: SecurityKey) -> None:
    me = api.with_token(log_in(api, key).json()["token"])
    assert me.delete("/api/profile").status_code == 202
    assert log_in(api, key).status_code == 200
    ada.refresh_from_db()
    assert ada.deletion_due_at is None


# --- As a second factor -----------------------------------------------------------------------------------------------


def test_the_second_step_by_passkey(api: Api, ada: User, key: SecurityKey) -> None:
    first = first_step(api, ada)
    assert first["methods"] == ["passkey", "recovery_code"]
    options = ask(api, SECOND_QUESTION, {"twoFactorToken": first["twoFactorToken"]})
    [allowed] = options["allowCredentials"]
    assert allowed == {"id": packed(key.id), "type": "public-key", "transports": ["internal", "hybrid"]}
    signed_in = api.post(SECOND, {"twoFactorToken": first["twoFactorToken"], "credential": key.get(options)})
    assert signed_in.status_code == 200, signed_in.content
    assert Session.objects.get().method == "password+passkey"
    again = api.post(SECOND, {"twoFactorToken": first["twoFactorToken"], "credential": key.get(options)})
    assert result(again) == (401, "two_factor_token_invalid")


def test_a_wrong_answer_leaves_the_login_open(api: Api, ada: User, key: SecurityKey) -> None:
    token = first_step(api, ada)["twoFactorToken"]

    def second(credential: Any) -> Any:
        return api.post(SECOND, {"twoFactorToken": token, "credential": credential})

    lie = key.get(ask(api, SECOND_QUESTION, {"twoFactorToken": token}), origin="https://evil.example")
    assert result(second(lie)) == (400, "passkey_invalid")
    assert second(key.get(ask(api, SECOND_QUESTION, {"twoFactorToken": token}))).status_code == 200


def test_one_persons_passkey_does_not_finish_anothers_login(
    api: Api, ada: User, key: SecurityKey, person: Callable[..., User]
) -> None:
    bob, his = person("bob"), SecurityKey()
    register(api.as_user(bob), his)
    token = first_step(api, ada)["twoFactorToken"]
    options = ask(api, SECOND_QUESTION, {"twoFactorToken": token})
    assert result(api.post(SECOND, {"twoFactorToken": token, "credential": his.get(options)})) == (
        400,
        "passkey_invalid",
    )


def test_a_question_for_a_second_step_needs_a_first(
    api: Api, ada: User, key: SecurityKey, person: Callable[..., User]
) -> None:
    assert result(api.post(SECOND_QUESTION, {"twoFactorToken": "not-ours"})) == (401, "two_factor_token_invalid")
    app_only = person("eve")
    with_two_factor(app_only)
    token = first_step(api, app_only)["twoFactorToken"]
    assert result(api.post(SECOND_QUESTION, {"twoFactorToken": token})) == (409, "no_passkey")


def test_a_code_of_an_app_is_wrong_without_one_and_recovery_codes_stand_in(api: Api, ada: User) -> None:
    codes = register(api.as_user(ada), SecurityKey()).json()["recoveryCodes"]
    token = first_step(api, ada)["twoFactorToken"]
    for code in ("123456", "aaaaa-aaaaa"):
        body = {"twoFactorToken": token, "code": code}
        assert result(api.post(SECOND, body)) == (400, "two_factor_code_invalid")
    assert api.post(SECOND, {"twoFactorToken": token, "code": codes[0]}).status_code == 200


def test_a_second_step_without_a_proof_asks_for_the_code(api: Api, ada: User, key: SecurityKey) -> None:
    refused = api.post(SECOND, {"twoFactorToken": first_step(api, ada)["twoFactorToken"]})
    assert result(refused) == (400, "invalid_input")
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("code", "required")]


@pytest.mark.parametrize("proofs", [{}, {"code": None, "credential": None}, "both"])
def test_a_second_step_takes_exactly_one_proof(api: Api, ada: User, key: SecurityKey, proofs: Any) -> None:
    token = first_step(api, ada)["twoFactorToken"]
    if proofs == "both":
        proofs = {"code": "123456", "credential": key.get(ask(api, SECOND_QUESTION, {"twoFactorToken": token}))}
    assert result(api.post(SECOND, {"twoFactorToken": token, **proofs})) == (400, "invalid_input")


def test_step_up_by_passkey(api: Api, ada: User, key: SecurityKey) -> None:
    me = api.as_user(ada)  # a session that has not seen the factor
    codes = "/api/profile/2fa/recovery-codes"
    assert result(me.post(codes)) == (403, "step_up_required")
    assert result(me.post(STEP_UP, {"password": PASSWORD})) == (403, "two_factor_required")
    assert result(me.post(STEP_UP, {"credential": key.get(ask(api, QUESTION))})) == (400, "passkey_invalid")
    assert result(me.post(codes)) == (403, "step_up_required")
    assert me.post(STEP_UP, {"credential": key.get(ask(me, STEP_UP_QUESTION))}).status_code == 200
    assert me.post(codes).status_code == 200


def test_step_up_by_passkey_needs_one(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    assert result(me.post(STEP_UP_QUESTION)) == (409, "no_passkey")


def test_app_and_passkey_side_by_side(api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]]) -> None:
    me = api.as_user(ada)
    phone = with_two_factor(ada)
    assert me.post(STEP_UP, {"code": phone.code()}).status_code == 200
    key = SecurityKey()
    assert register(me, key).json()["recoveryCodes"] is None
    assert first_step(api, ada)["methods"] == ["passkey", "totp", "recovery_code"]
    assert me.delete("/api/profile/2fa/totp").json() == {"twoFactorEnabled": True}
    assert first_step(api, ada)["methods"] == ["passkey", "recovery_code"]
    assert result(me.delete("/api/profile/2fa/totp")) == (409, "two_factor_not_set_up")
    secret = me.post("/api/profile/2fa/setup").json()["secret"]
    assert secret != phone.secret, "the app can come again while the passkey stays"
    assert me.delete("/api/profile/2fa").json() == {"twoFactorEnabled": False}
    assert not Passkey.objects.exists() and "token" in first_step(api, ada)
    assert result(log_in(api, key)) == (401, "passkey_refused")
    assert [subject for subject, _ in mails(ada)] == [
        "Two-factor sign-in is on",
        "A passkey was added",
        "Your authenticator app was removed",
        "Two-factor sign-in is off",
    ]


def test_an_app_alone_goes_off_with_its_removal(api: Api, ada: User) -> None:
    phone = with_two_factor(ada)
    me = api.as_user(ada)
    me.post(STEP_UP, {"code": phone.code()})
    assert me.delete("/api/profile/2fa/totp").json() == {"twoFactorEnabled": False}
    assert "token" in first_step(api, ada)


def test_the_only_way_in_stays(api: Api, ada: User, key: SecurityKey) -> None:
    ada.set_unusable_password()
    ada.save()
    me = api.with_token(log_in(api, key).json()["token"])
    [mine] = me.get(MINE).json()["items"]
    assert result(me.delete(f"{MINE}/{mine['id']}")) == (409, "only_way_in")
    assert result(me.delete("/api/profile/2fa")) == (409, "only_way_in")
    assert register(me, SecurityKey()).status_code == 201
    assert me.delete(f"{MINE}/{mine['id']}").status_code == 200


def test_somebody_elses_passkey_is_not_there(
    api: Api, ada: User, key: SecurityKey, person: Callable[..., User]
) -> None:
    mine = Passkey.objects.get()
    other = api.as_user(person("bob"))
    assert other.put(f"{MINE}/{mine.pk}", {"name": "Mine"}).status_code == 404
    assert other.delete(f"{MINE}/{mine.pk}").status_code == 404
    assert other.get(MINE).json()["items"] == []


def test_challenges_are_kept_as_hashes(api: Api, ada: User, key: SecurityKey, stored_text: Callable[[], str]) -> None:
    options = ask(api, QUESTION)
    assert options["challenge"] not in stored_text()
    assert PasskeyChallenge.objects.filter(purpose="sign_in").count() == 1


def test_an_app_that_somebody_planted_before_the_passkey_is_worth_nothing(api: Api, ada: User) -> None:
    thief, me = api.as_user(ada), api.as_user(ada)
    secret = thief.post("/api/profile/2fa/setup").json()["secret"]
    assert register(me, SecurityKey()).status_code == 201
    planted = thief.post("/api/profile/2fa/verify", {"code": totp_code(secret, timezone.now())})
    assert result(planted) == (409, "two_factor_not_set_up")


def test_an_app_beside_a_passkey_asks_for_a_fresh_proof(
    api: Api, ada: User, key: SecurityKey, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    me, other = api.as_user(ada), api.as_user(ada)
    assert me.post(STEP_UP, {"credential": key.get(ask(me, STEP_UP_QUESTION))}).status_code == 200
    code = totp_code(me.post("/api/profile/2fa/setup").json()["secret"], timezone.now())
    assert result(other.post("/api/profile/2fa/verify", {"code": code})) == (403, "step_up_required")
    assert len(me.post("/api/profile/2fa/verify", {"code": code}).json()["recoveryCodes"]) == 10
    assert [subject for subject, _ in mails(ada)][-2:] == [
        "An authenticator app was added",
        "You have new recovery codes",
    ]


def test_without_any_factor_left_no_planted_app_stays(api: Api, ada: User, key: SecurityKey) -> None:
    me = api.as_user(ada)
    me.post(STEP_UP, {"credential": key.get(ask(me, STEP_UP_QUESTION))})
    assert me.post("/api/profile/2fa/setup").status_code == 200
    [mine] = me.get(MINE).json()["items"]
    assert me.delete(f"{MINE}/{mine['id']}").status_code == 200
    assert not AuthenticatorApp.objects.exists()


def test_removing_a_factor_ends_logins_half_way(api: Api, ada: User, key: SecurityKey) -> None:
    me = api.with_token(log_in(api, key).json()["token"])
    assert register(me, SecurityKey(), name="Spare").status_code == 201
    waiting = first_step(api, ada)["twoFactorToken"]
    spare = next(item["id"] for item in me.get(MINE).json()["items"] if item["name"] == "Spare")
    assert me.delete(f"{MINE}/{spare}").status_code == 200
    assert result(api.post(SECOND_QUESTION, {"twoFactorToken": waiting})) == (401, "two_factor_token_invalid")


def test_guessing_recovery_codes_at_step_up_is_limited(api: Api, ada: User, key: SecurityKey) -> None:
    me = api.as_user(ada)
    assert [me.post(STEP_UP, {"code": "aaaaa-aaaaa"}).status_code for _ in range(11)] == [400] * 10 + [429]


def test_the_suspended_find_their_second_step_in_the_history(api: Api, ada: User, key: SecurityKey) -> None:
    token = first_step(api, ada)["twoFactorToken"]
    answer = key.get(ask(api, SECOND_QUESTION, {"twoFactorToken": token}))
    User.objects.filter(pk=ada.pk).update(status="suspended")
    assert result(api.post(SECOND, {"twoFactorToken": token, "credential": answer})) == (403, "account_suspended")
    assert LoginAttempt.objects.latest("created_at").reason == "account_suspended"


# --- Races ------------------------------------------------------------------------------------------------------------


def answer_twice(rivals_meet: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Two answers to one question, each right, of a key whose counter does not give the second away."""
    ada, key, now = make_person(first_name="Ada"), SecurityKey(counts=False), timezone.now()
    session = Session.objects.get(user=ada, pk=_session_of(ada))
    credential = key.create(passkeys.ask_for_new(user=ada, now=now))
    passkeys.register(user=ada, credential=credential, name="Key", session=session, now=now)
    answer = key.get(passkeys.ask(user=ada, purpose="step_up", now=now))
    rivals_meet(protocol, "challenge_in")
    check = partial(passkeys.check, user=ada, credential=answer, purpose="step_up", now=now)
    return together(check, check)


def _session_of(person: User) -> Any:
    sign_in(person)
    return Session.objects.filter(user=person).values_list("pk", flat=True).first()


@pytest.mark.django_db(transaction=True)
def test_one_answer_at_the_same_time_twice_counts_once(
    rivals_meet: Callable[..., None], monkeypatch: pytest.MonkeyPatch, no_locks: None
) -> None:
    """The lock is off here: the DELETE alone decides."""
    outcomes = answer_twice(rivals_meet, monkeypatch)
    assert sorted(isinstance(outcome, PasskeyInvalid) for outcome in outcomes) == [False, True], outcomes


@pytest.mark.django_db(transaction=True)
def test_looking_before_deleting_would_take_it_twice(
    rivals_meet: Callable[..., None], monkeypatch: pytest.MonkeyPatch, no_locks: None
) -> None:
    meeting = Barrier(2)

    def look_then_delete(credential: Any, purpose: str, user: User, now: datetime) -> Any:
        challenge = protocol.challenge_in(credential)
        waiting = PasskeyChallenge.objects.filter(digest=passkeys._digest(challenge), purpose=purpose, user=user)
        if not waiting.exists():
            raise PasskeyInvalid()
        if purpose == "step_up":  # the first answer, which registers the key, comes alone
            meeting.wait(WAIT_LIMIT)
        waiting.delete()
        return challenge

    monkeypatch.setattr(passkeys, "use_up", look_then_delete)
    outcomes = answer_twice(rivals_meet, monkeypatch)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes


def remove_while_signing_in(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A sign-in that has just proved its key, and somebody who removes that key at this very moment."""
    ada, key, now = make_person(first_name="Ada"), SecurityKey(), timezone.now()
    session = Session.objects.get(user=ada, pk=_session_of(ada))
    credential = key.create(passkeys.ask_for_new(user=ada, now=now))
    passkeys.register(user=ada, credential=credential, name="Key", session=session, now=now)
    answer = key.get(passkeys.ask_for_any(now=now))
    proved, removed, original = Event(), Event(), login.complete_first_step

    def slowly(**proven: Any) -> Tokens | Challenge:
        proved.set()
        eventually(lambda: removed.is_set() or another_connection_waits())
        return original(**proven)

    def sign_in_with_it() -> Tokens:
        return login.log_in_with_passkey(credential=answer, address=None, device="", now=now)

    def remove_it() -> None:
        proved.wait(WAIT_LIMIT)
        two_factor.switch_off(user=ada, now=now, by=ada)
        removed.set()

    monkeypatch.setattr(login, "complete_first_step", slowly)
    together(sign_in_with_it, remove_it)
    signed_in = Session.objects.filter(user=ada, method="passkey").values_list("created_at", flat=True)
    return [bool(signed_in), removed.is_set()]


def seen_by_the_remover(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the sign-in was there when the removal was done."""
    seen, original = [], two_factor.switch_off

    def watched(**who: Any) -> None:
        original(**who)
        seen.append(Session.objects.filter(method="passkey").exists())

    monkeypatch.setattr(two_factor, "switch_off", watched)
    assert remove_while_signing_in(monkeypatch) == [True, True]
    return seen


@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_removed_before_a_sign_in_or_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen_by_the_remover(monkeypatch) == [True]


@pytest.mark.django_db(transaction=True)
def test_proof_and_session_in_two_transactions_would_let_a_removed_passkey_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "_sign_holder_in", inspect.unwrap(login._sign_holder_in))
    assert seen_by_the_remover(monkeypatch) == [False]
