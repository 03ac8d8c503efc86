"""Resetting and changing a password, old hashes, and what must not be told apart."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import passwords as rules
from accounts.errors import MailedTokenInvalid
from accounts.models import MailedToken, Session, Status, User
from accounts.services import mailed_tokens, passwords
from accounts.testing import PASSWORD, make_person, with_two_factor
from core.models import OutboxEvent
from core.testing import Api, together
from vectragrow.settings import base

FORGOT, RESET, CHANGE = (f"/api/auth/{call}" for call in ("forgot-password", "reset-password", "change-password"))
NEW = "a fine long phrase"


def log_in(api: Api, person: User, password: str) -> Any:
    return api.post("/api/auth/login", {"email": person.email, "password": password})


def forgot(api: Api, email: str) -> Any:
    return api.post(FORGOT, {"email": email})


def reset(api: Api, token: str, password: str = NEW) -> Any:
    return api.post(RESET, {"token": token, "password": password})


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada")


@pytest.fixture
def link(
    api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]], token_in: Callable[[str], str]
) -> Callable[..., str]:
    """Asks for a reset and takes the token out of the mail."""

    def ask() -> str:
        assert forgot(api, f" {ada.email.upper()}").status_code == 200
        return token_in(mails(ada)[-1][1])

    return ask


# --- Reset ------------------------------------------------------------------------------------------------------------


def test_reset_sets_the_password_and_ends_every_session(
    api: Api, ada: User, link: Callable[..., str], mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    me = api.as_user(ada)
    token = link()
    assert mails(ada)[-1][0] == "Set a new password"
    done = reset(api, token)
    assert (done.status_code, done.json()) == (200, {"message": "Password successfully reset"})
    assert me.get("/api/auth/me").status_code == 401
    assert not Session.objects.live_at(timezone.now()).exists(), "and logs nobody in"
    assert log_in(api, ada, PASSWORD).status_code == 401
    assert log_in(api, ada, NEW).status_code == 200
    assert mails(ada)[-1][0] == "Your password was changed"


def test_after_a_reset_the_tries_start_afresh(api: Api, ada: User, link: Callable[..., str]) -> None:
    assert log_in(api, ada, PASSWORD).status_code == 200
    assert [log_in(api, ada, "forgotten it").status_code for _ in range(6)] == [401] * 5 + [429]
    assert reset(api, link()).status_code == 200
    assert log_in(api, ada, NEW).status_code == 200


def test_the_link_is_stored_nowhere(api: Api, link: Callable[..., str], stored_text: Callable[[], str]) -> None:
    token = link()
    assert reset(api, token).status_code == 200
    stored = stored_text()
    for secret in (token, NEW):
        assert secret not in stored and secret.encode().hex() not in stored


def test_a_link_works_once_and_only_the_newest(api: Api, link: Callable[..., str]) -> None:
    older, newer = link(), link()
    assert reset(api, older).json()["code"] == "token_invalid_or_expired"
    assert reset(api, newer).status_code == 200
    assert reset(api, newer, "another long phrase").json()["code"] == "token_invalid_or_expired"


def test_a_link_lasts_thirty_minutes(api: Api, link: Callable[..., str]) -> None:
    before, token, after = timezone.now(), link(), timezone.now()
    with time_machine.travel(after + timedelta(minutes=30, seconds=1)):
        assert reset(api, token).status_code == 400
    with time_machine.travel(before + timedelta(minutes=29, seconds=59), tick=False):
        assert reset(api, token).status_code == 200


@pytest.mark.parametrize(
    "password, code",
    [
        ("short", "password_too_short"),
        ("p" * 129, "password_too_long"),
        ("password123", "password_too_common"),
        ("VectraGrow1", "password_too_guessable"),
        ("x" * 1001, "max_length"),
    ],
)
def test_a_refused_password_does_not_use_the_link_up(
    api: Api, link: Callable[..., str], password: str, code: str
) -> None:
    token = link()
    refused = reset(api, token, password)
    assert refused.status_code == 400
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [("password", code)]
    assert reset(api, token).status_code == 200


def test_a_reset_does_not_get_around_the_second_factor(api: Api, ada: User, link: Callable[..., str]) -> None:
    phone = with_two_factor(ada)
    assert reset(api, link()).status_code == 200
    first = log_in(api, ada, NEW).json()
    assert first["twoFactorRequired"] is True and "token" not in first
    done = api.post("/api/auth/login/2fa", {"twoFactorToken": first["twoFactorToken"], "code": phone.code()})
    assert done.status_code == 200


def test_who_never_verified_an_address_cannot_keep_its_owner_out(
    api: Api,
    person: Callable[..., User],
    mails: Callable[[User], list[tuple[str, str]]],
    token_in: Callable[[str], str],
) -> None:
    squatter = person("squatter", verified=False)
    with_two_factor(squatter)
    forgot(api, squatter.email)
    assert reset(api, token_in(mails(squatter)[-1][1])).status_code == 200
    assert "token" in log_in(api, squatter, NEW).json()


def test_tokens_of_other_kinds_are_refused(
    api: Api,
    person: Callable[..., User],
    mails: Callable[[User], list[tuple[str, str]]],
    token_in: Callable[[str], str],
    link: Callable[..., str],
) -> None:
    newcomer = person("newcomer", verified=False)
    assert api.as_user(newcomer).post("/api/auth/resend-verification").status_code == 200
    verification, reset_token = token_in(mails(newcomer)[-1][1]), link()
    assert reset(api, verification).json()["code"] == "token_invalid_or_expired"
    assert api.post("/api/auth/verify-email", {"token": reset_token}).json()["code"] == "token_invalid_or_expired"
    assert reset(api, log_in(api, newcomer, PASSWORD).json()["refreshToken"]).status_code == 400
    assert reset(api, reset_token).status_code == 200


def test_known_and_unknown_accounts_look_alike(
    api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    with CaptureQueriesContext(connection) as for_known:
        known = forgot(api, ada.email)
    with CaptureQueriesContext(connection) as for_unknown:
        unknown = forgot(api, "nobody@example.com")

    def shape(answer: Any) -> Any:
        return answer.status_code, answer.content, answer["RateLimit-Limit"], answer["RateLimit-Remaining"]

    assert shape(known) == shape(unknown)
    assert known.json() == {"message": "Password reset email sent"}
    assert len(for_known) == len(for_unknown)
    assert len(mails(ada)) == 1
    assert MailedToken.objects.count() == 1
    assert all(ada.email not in str(event.facts) for event in OutboxEvent.objects.filter(topic__startswith="accounts"))


def test_resets_are_limited_per_account_known_or_not(api: Api, ada: User) -> None:
    for email in (ada.email, "nobody@example.com"):
        assert [forgot(api, email).status_code for _ in range(6)] == [200] * 5 + [429]
        limited = forgot(Api(address="192.0.2.9"), email)
        assert limited.json()["code"] == "rate_limited" and int(limited["Retry-After"]) > 0


def test_resets_are_limited_per_address(api: Api) -> None:
    answers = [forgot(api, f"nobody{n}@example.com").status_code for n in range(21)]
    assert answers == [200] * 20 + [429]


@pytest.mark.parametrize(
    "email",
    ["", "nobody", "a@b\r\nBcc: c@example.com", "аda@example.com", "a" * 250 + "@example.com", 7, None, "a\x00@b.c"],
)
def test_malformed_addresses_are_refused(api: Api, email: Any) -> None:
    assert forgot(api, email).status_code == 400
    assert not OutboxEvent.objects.filter(topic="accounts.mail_reset_link").exists()


def test_nobody_mails_a_deleted_account(
    api: Api, person: Callable[..., User], mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    gone = person("gone", status=Status.DELETED)
    assert forgot(api, gone.email).status_code == 200
    assert mails(gone) == []


def test_a_mail_that_is_delivered_twice_leaves_one_link(
    ada: User, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    from accounts.jobs import mail_reset_link

    passwords.ask_for_reset(email=ada.email, address="192.0.2.1", now=timezone.now())
    event = OutboxEvent.objects.get(topic="accounts.mail_reset_link")
    mails(ada)
    mail_reset_link(event_id=event.pk, **event.facts)
    assert MailedToken.objects.filter(used_at__isnull=True).count() == 1


# --- Change -----------------------------------------------------------------------------------------------------------


def change(me: Api, current: str = PASSWORD, new: str = NEW) -> Any:
    return me.post(CHANGE, {"currentPassword": current, "newPassword": new})


def test_change_ends_the_other_sessions_and_is_mailed(
    api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    here, there = api.as_user(ada), api.as_user(ada)
    assert change(here).status_code == 200
    assert here.get("/api/auth/me").status_code == 200
    assert there.get("/api/auth/me").status_code == 401
    assert (log_in(api, ada, PASSWORD).status_code, log_in(api, ada, NEW).status_code) == (401, 200)
    assert [subject for subject, _ in mails(ada)] == ["Your password was changed"]


def test_change_needs_the_present_password_and_counts_guesses(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    answers = [change(me, "wrong password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["code"] == "invalid_credentials"
    assert User.objects.get(pk=ada.pk).password == ada.password


def test_a_weak_new_password_is_named(api: Api, ada: User) -> None:
    refused = change(api.as_user(ada), new="example-ada")
    [row] = refused.json()["errors"]
    assert (row["field"], row["code"]) == ("newPassword", "password_too_personal")
    assert refused.status_code == 400


def test_a_change_kills_links_on_their_way(api: Api, ada: User, link: Callable[..., str]) -> None:
    token = link()
    assert change(api.as_user(ada)).status_code == 200
    assert reset(api, token, "another long phrase").status_code == 400


# --- Hashes and time --------------------------------------------------------------------------------------------------


@pytest.fixture
def real_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS


def test_hashes_are_argon2id_and_old_ones_follow_at_login(
    api: Api, person: Callable[..., User], real_hashes: None
) -> None:
    ada = person("ada")
    assert ada.password.startswith("argon2$argon2id$v=19$m=47104,t=1,p=1$")
    for old in (make_password(PASSWORD, hasher="pbkdf2_sha256"), weaker_argon2(PASSWORD)):
        User.objects.filter(pk=ada.pk).update(password=old)
        assert log_in(api, ada, "wrong password").status_code == 401
        assert User.objects.get(pk=ada.pk).password == old
        assert log_in(api, ada, PASSWORD).status_code == 200
        assert User.objects.get(pk=ada.pk).password.startswith("argon2$argon2id$v=19$m=47104,t=1,p=1$")


def weaker_argon2(password: str) -> str:
    class Weaker(rules.Argon2id):
        memory_cost = 8 * 1024

    return Weaker().encode(password, Weaker().salt())


def test_an_upgrade_does_not_bring_a_changed_password_back(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The owner resets while somebody logs in with the old password, whose hash is due for an upgrade."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    check = check_password

    def slow_check(password: str, encoded: Any, setter: Any) -> bool:
        user = User.objects.get(pk=ada.pk)
        user.set_password(NEW)
        user.save()
        return check(password, encoded, setter)

    monkeypatch.setattr(rules, "check_password", slow_check)
    late = log_in(api, ada, PASSWORD)
    assert (late.status_code, late.json()["code"]) == (401, "invalid_credentials")
    assert not Session.objects.exists()
    assert User.objects.get(pk=ada.pk).check_password(NEW)


def test_a_failed_login_costs_one_hash_whether_or_not_there_is_an_account(
    api: Api, person: Callable[..., User], real_hashes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long both take is measured in bench/accounts.py."""
    ada, hashed = person("ada"), []

    def counted(original: Any) -> Callable[..., Any]:
        def call(self: Any, password: str, *args: Any) -> Any:
            hashed.append(password)
            return original(self, password, *args)

        return call

    for name in ("encode", "verify"):
        monkeypatch.setattr(rules.Argon2id, name, counted(getattr(rules.Argon2id, name)))
    for email in (ada.email, "nobody@example.com"):
        refused = api.post("/api/auth/login", {"email": email, "password": "wrong password"})
        assert (refused.status_code, hashed) == (401, ["wrong password"])
        hashed.clear()


@pytest.mark.parametrize(
    "body, status",
    [
        ({"email": "ada@example.com", "password": "x" * 1_100_000}, 413),
        ({"email": "ada@example.com", "password": "x" * 100_000}, 400),
        ({"email": "ada@example.com", "password": "nul\x00inside"}, 400),
        ({"email": "ada@example.com\r\nX: y", "password": "some password"}, 400),
        ({"email": "ada@example.com", "password": ["some password"]}, 400),
        ({"email": {"$ne": ""}, "password": "some password"}, 400),
        ({"email": "ada@example.com"}, 400),
    ],
)
def test_bad_logins_are_refused_clearly(api: Api, body: dict[str, Any], status: int) -> None:
    answer = api.post("/api/auth/login", body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/login", {"email": "ada@example.com", "password": ...}),
        ("/api/auth/register", {"email": "n@example.com", "firstName": "N", "lastName": "N", "password": ...}),
        (RESET, {"token": "x", "password": ...}),
        (CHANGE, {"currentPassword": ..., "newPassword": NEW}),
        (CHANGE, {"currentPassword": PASSWORD, "newPassword": ...}),
        ("/api/auth/step-up", {"password": ...}),
    ],
)
def test_a_megabyte_is_never_hashed(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    me = api.as_user(ada)
    for name in ("make_password", "check_password"):
        monkeypatch.setattr(rules, name, lambda *_: pytest.fail("hashed"))
    monkeypatch.setattr("django.contrib.auth.base_user.make_password", lambda *_: pytest.fail("hashed"))
    for length, status in ((1_000_000, 400), (1_100_000, 413)):
        sent = {name: "x" * length if value is ... else value for name, value in body.items()}
        refused = me.post(path, sent)
        assert (refused.status_code, refused["Content-Type"]) == (status, "application/problem+json")
    assert User.objects.get(pk=ada.pk).password == ada.password


# --- Races ------------------------------------------------------------------------------------------------------------


def reset_twice(rivals_meet: Callable[..., None]) -> list[object]:
    ada, now = make_person(first_name="Ada"), timezone.now()
    with transaction.atomic():
        token = mailed_tokens.issue(user=ada, purpose=passwords.PURPOSE, lifetime=timedelta(minutes=30), now=now)
    rivals_meet(mailed_tokens, "_live", call=2)
    attempt = lambda word: partial(  # noqa: E731
        passwords.reset_password, token=token, password=f"{word} long phrase", address=None, device="", now=now
    )
    return together(attempt("one fine"), attempt("two fine"))


@pytest.mark.django_db(transaction=True)
def test_a_link_used_twice_at_the_same_time_works_once(rivals_meet: Callable[..., None]) -> None:
    outcomes = reset_twice(rivals_meet)
    assert sorted(isinstance(outcome, MailedTokenInvalid) for outcome in outcomes) == [False, True], outcomes


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_link_works_twice(rivals_meet: Callable[..., None], no_locks: None) -> None:
    outcomes = reset_twice(rivals_meet)
    assert outcomes == [None, None]
