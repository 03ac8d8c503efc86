"""Signing up and proving the address."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import MailedToken, User
from accounts.services import verification
from core.api.errors import Refusal
from core.crypto.sealing import unseal
from core.testing import Api, drain_outbox, together
from notifications.models import MailboxMessage

BODY = {
    "email": "Ada@Example.com",
    "password": "a fine long phrase",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "phoneNumber": "+12025550123",
}


def mails_to(address: str) -> list[MailboxMessage]:
    drain_outbox()
    return list(MailboxMessage.objects.filter(to=address).order_by("created_at"))


def text_of(mail: MailboxMessage) -> str:
    return unseal(bytes(mail.content), purpose="mailbox")["text"]


def token_in(mail: MailboxMessage) -> str:
    found = re.search(r"/verify-email\?token=([\w-]+)", text_of(mail))
    assert found, text_of(mail)
    return found[1]


def test_register_answers_tokens_and_mails_a_link(api: Api) -> None:
    answer = api.post("/api/auth/register", BODY)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"token", "refreshToken", "expiresIn", "user"}
    assert body["expiresIn"] == 900
    assert body["user"] == {
        "id": body["user"]["id"],
        "email": "ada@example.com",
        "firstName": "Ada",
        "lastName": "Lovelace",
    }
    [mail] = mails_to("ada@example.com")
    me = api.with_token(body["token"])
    assert me.get("/api/auth/me").json()["emailVerified"] is False
    verified = api.post("/api/auth/verify-email", {"token": token_in(mail)})
    assert (verified.status_code, verified.json()) == (200, {"message": "Email successfully verified"})
    assert me.get("/api/auth/me").json()["emailVerified"] is True


def test_a_link_works_once_and_only_the_newest(api: Api) -> None:
    token = api.post("/api/auth/register", BODY).json()["token"]
    me = api.with_token(token)
    assert me.post("/api/auth/resend-verification").status_code == 200
    first, second = map(token_in, mails_to("ada@example.com"))
    verify = lambda value: api.post("/api/auth/verify-email", {"token": value})  # noqa: E731
    assert verify(first).json()["code"] == "token_invalid_or_expired"
    assert verify(second).status_code == 200
    assert me.post("/api/auth/resend-verification").json()["code"] == "email_already_verified"


def test_a_used_link_tells_a_confirmed_person_that_all_is_well(api: Api) -> None:
    api.post("/api/auth/register", BODY)
    [mail] = mails_to("ada@example.com")
    verify = lambda: api.post("/api/auth/verify-email", {"token": token_in(mail)})  # noqa: E731
    first, again = verify(), verify()
    assert (again.status_code, again.json()) == (200, first.json()) == (200, {"message": "Email successfully verified"})
    User.objects.update(email_verified_at=None)
    assert verify().json()["code"] == "token_invalid_or_expired", "not while the address counts as unproven"
    User.objects.update(email_verified_at=timezone.now(), email="other@example.com")
    assert verify().json()["code"] == "token_invalid_or_expired", "it proved another address"


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_both_hear_that_all_is_well(api: Api) -> None:
    api.post("/api/auth/register", BODY)
    [mail] = mails_to("ada@example.com")
    answers = together(*[lambda: Api().post("/api/auth/verify-email", {"token": token_in(mail)}).status_code] * 8)
    assert answers == [200] * 8


def test_a_link_expires_after_a_day(person: Callable[..., User]) -> None:
    ada = person("ada", verified=False)
    now = timezone.now()
    verification.mail_link(user=ada, now=now)
    [mail] = mails_to(ada.email)
    with pytest.raises(Refusal) as refused:
        verification.verify_email(token=token_in(mail), now=now + timedelta(hours=24))
    assert refused.value.code == "token_invalid_or_expired"
    assert verification.verify_email(token=token_in(mail), now=now + timedelta(hours=24, seconds=-1)) == ada


def test_resend_is_limited(api: Api) -> None:
    me = api.with_token(api.post("/api/auth/register", BODY).json()["token"])
    assert me.post("/api/auth/resend-verification").status_code == 200
    limited = me.post("/api/auth/resend-verification")
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited")
    assert 0 < int(limited["Retry-After"]) <= 360


@pytest.mark.parametrize("key", [None, "k-1"])
def test_a_taken_address_is_refused_and_its_owner_told(api: Api, key: str | None) -> None:
    assert api.post("/api/auth/register", BODY).status_code == 201
    headers = {"idempotency_key": key} if key else {}
    refused = api.post("/api/auth/register", {**BODY, "email": " ada@EXAMPLE.com"}, **headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "email_taken")
    assert [mail.subject for mail in mails_to("ada@example.com")][1:] != []
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "member, value, code",
    [
        ("email", "not an address", "invalid"),
        ("email", "ada@example.com\r\nBcc: x@example.com", "invalid"),
        ("email", "аda@example.com", "not_ascii"),
        ("email", "ada＠example.com", "not_ascii"),
        ("email", "ada@exam\u200bple.com", "not_ascii"),
        ("email", "\u212aay@example.com", "not_ascii"),
        ("email", "ada@example.com.", "invalid"),
        ("email", '"\x01ada"@example.com', "invalid"),
        ("email", "ada@[127.0.0.1]", "invalid"),
        ("email", "ada@localhost", "invalid"),
        ("email", "ada@example.com,eve@example.com", "invalid"),
        ("email", "<ada@example.com>", "invalid"),
        ("email", "a" * 250 + "@example.com", "max_length"),
        ("password", "short", "password_too_short"),
        ("password", "p" * 129, "password_too_long"),
        ("password", "password123", "password_too_common"),
        ("password", "!Sunshine24!", "password_too_common"),
        ("password", "VectraGrow1", "password_too_guessable"),
        ("password", "Lovelace99", "password_too_personal"),
        ("password", "x" * 100_000, "max_length"),
        ("firstName", "", "blank"),
        ("firstName", "A\nB", "invalid_name"),
        ("firstName", "A\r\nBcc: eve@example.com", "invalid_name"),
        ("firstName", "A\u202eB", "invalid_name"),
        ("firstName", "\u0301\u0301", "invalid_name"),
        ("phoneNumber", "12345", "invalid_phone_number"),
        ("phoneNumber", "+1 202 555 0123", "invalid_phone_number"),
    ],
)
def test_bad_members_are_named(api: Api, member: str, value: str, code: str) -> None:
    refused = api.post("/api/auth/register", {**BODY, member: value})
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    assert (member, code) in [(row["field"], row["code"]) for row in refused.json()["errors"]]
    assert not User.objects.exists()


@pytest.mark.parametrize("member", ["email", "password", "firstName", "lastName", "phoneNumber", "inviteToken"])
def test_nul_is_refused_wherever_it_stands(api: Api, member: str) -> None:
    refused = api.post("/api/auth/register", {**BODY, member: f"{BODY.get(member, 'x')}\x00"})
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_body")
    assert not User.objects.exists()


def test_a_subaddress_and_another_case_are_told_apart_as_mail_does(api: Api) -> None:
    assert api.post("/api/auth/register", BODY).status_code == 201
    assert api.post("/api/auth/register", {**BODY, "email": "ada+vectra@example.com"}).status_code == 201
    assert api.post("/api/auth/register", {**BODY, "email": "ADA@EXAMPLE.COM"}).json()["code"] == "email_taken"


def test_twenty_registrations_an_hour_from_one_address(api: Api) -> None:
    statuses = [api.post("/api/auth/register", {**BODY, "email": f"n{n}@example.com"}).status_code for n in range(21)]
    assert statuses == [201] * 20 + [429]
    elsewhere = Api(address="203.0.113.9").post("/api/auth/register", {**BODY, "email": "other@example.com"})
    assert elsewhere.status_code == 201 and elsewhere["RateLimit-Limit"] == "20"


def test_missing_members_are_all_named(api: Api) -> None:
    problem = api.post("/api/auth/register", {}).json()
    assert {row["field"] for row in problem["errors"]} == {"email", "password", "firstName"}
    assert problem["code"] == "invalid_input"


def test_a_repeated_key_registers_once(api: Api) -> None:
    first = api.post("/api/auth/register", BODY, idempotency_key="once")
    again = api.post("/api/auth/register", BODY, idempotency_key="once")
    assert again.status_code == 201
    assert again["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    other = api.post("/api/auth/register", {**BODY, "firstName": "Eve"}, idempotency_key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert User.objects.count() == 1


def test_nothing_secret_is_stored(api: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    from django.db import connection

    answer = api.post("/api/auth/register", BODY, idempotency_key="secret-key-1").json()
    [mail] = mails_to("ada@example.com")
    secrets = [answer["token"], answer["refreshToken"], BODY["password"], token_in(mail), "secret-key-1"]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table == MailboxMessage._meta.db_table:
                continue  # the development mailbox is the recipient's side
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            text = "\n".join(row[0] for row in cursor.fetchall())
            for secret in secrets:
                assert secret not in text, table
                assert secret.encode().hex() not in text, table
    assert MailedToken.objects.count() == 1
