"""Tokens where they do not belong: every kind at every door, forged ones, another person's, and junk."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.core import signing
from django.db import connection
from django.utils import timezone

from accounts import tokens
from accounts.models import ExternalIdentity, Session, SignInCode, User
from accounts.testing import PASSWORD, sign_in, with_two_factor
from accounts.tests.test_invitations import token_for
from core.data.ids import uuid7
from core.testing import Api, drain_outbox
from notifications.messages import Category
from notifications.models import Recipient
from notifications.services import unsubscribing

NEW = "a fine long phrase"


def submit(api: Api, path: str, **fields: str) -> Any:
    """As a browser sends a form."""
    return api.client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")


DOORS: dict[str, Any] = {
    "verify_email": lambda api, token: api.post("/api/auth/verify-email", {"token": token}),
    "reset_password": lambda api, token: api.post("/api/auth/reset-password", {"token": token, "password": NEW}),
    "refresh": lambda api, token: api.post("/api/auth/refresh", {"refreshToken": token}),
    "login_2fa": lambda api, token: api.post("/api/auth/login/2fa", {"twoFactorToken": token, "code": "123456"}),
    "oauth_exchange": lambda api, token: api.post("/api/auth/oauth/exchange", {"code": token}),
    "unsubscribe": lambda api, token: api.post(f"/api/notifications/unsubscribe/{token}"),
    "invitation": lambda api, token: api.post(
        "/api/auth/register",
        {"email": "new@example.com", "password": NEW, "firstName": "N", "lastName": "N", "inviteToken": token},
    ),
    "share": lambda api, token: api.get(f"/p/{token}"),
    "access": lambda api, token: api.with_token(token).get("/api/auth/me"),
    "verify_page": lambda api, token: submit(api, "/verify-email", token=token),
    "reset_page": lambda api, token: submit(api, "/reset-password", token=token, password=NEW),
    "unsubscribe_page": lambda api, token: submit(api, "/unsubscribe", token=token),
}
"""What takes a token, by the kind it takes."""
OPENS = {"verify_email": {"verify_page"}, "reset_password": {"reset_page"}, "unsubscribe": {"unsubscribe_page"}}
"""The pages for people take the same tokens as the call."""
JUNK = [
    "",
    "x",
    "a.b.c",
    "x" * 5000,
    "../../etc/passwd",
    "' OR 1=1--",
    "<script>",
    "%00",
    "é",
    "🦊",
    "\r\nX: y",
    "null",
]


@pytest.fixture
def handed_out(
    api: Api,
    person: Callable[..., User],
    mails: Callable[[User], list[tuple[str, str]]],
    token_in: Callable[[str], str],
) -> dict[str, str]:
    """One good token of every kind, all of one person but for the link to verify an address."""
    ada, newcomer, guarded = person("ada"), person("newcomer", verified=False), person("guarded")
    api.as_user(newcomer).post("/api/auth/resend-verification")
    verify = token_in(mails(newcomer)[-1][1])
    invitation = token_for(api, ada)
    me = api.as_user(ada)
    code = tokens.new_token()
    now = timezone.now()
    SignInCode.objects.create(
        user=ada, digest=tokens.digest(code), method="google", created_at=now, expires_at=now + timedelta(minutes=1)
    )
    with_two_factor(guarded)
    signed_in = api.post("/api/auth/login", {"email": ada.email, "password": PASSWORD}).json()
    challenge = api.post("/api/auth/login", {"email": guarded.email, "password": PASSWORD}).json()["twoFactorToken"]
    api.post("/api/auth/forgot-password", {"email": ada.email})
    return {
        "verify_email": verify,
        "reset_password": token_in(mails(ada)[-1][1]),
        "refresh": signed_in["refreshToken"],
        "access": signed_in["token"],
        "login_2fa": challenge,
        "oauth_exchange": code,
        "unsubscribe": unsubscribing.token_for(Recipient.objects.get(pk=ada.pk), "", Category.CAMPAIGNS),
        "invitation": invitation,
        "share": me.get("/api/profile/share").json()["link"].rpartition("/")[2],
    }


KEPT_TABLES = ("accounts_user", "accounts_session", "accounts_refreshtoken", "accounts_mailedtoken",
               "accounts_loginchallenge", "accounts_signincode", "accounts_invitation",
               "notifications_recipient", "notifications_silencedaddress")  # fmt: skip


def state() -> dict[str, list[str]]:
    """All that a token could change."""
    rows = {}
    with connection.cursor() as cursor:
        for table in KEPT_TABLES:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            rows[table] = [text for (text,) in cursor.fetchall()]
    return rows


def refused(answer: Any) -> bool:
    return 400 <= answer.status_code < 500


@pytest.mark.parametrize("door", DOORS)
def test_a_door_takes_its_own_kind_and_no_other(api: Api, handed_out: dict[str, str], door: str) -> None:
    before = state()
    for kind, token in handed_out.items():
        if kind != door and door not in OPENS.get(kind, ()):
            answer = DOORS[door](api, token)
            assert refused(answer), (kind, answer.status_code)
    assert state() == before
    own = next((token for kind, token in handed_out.items() if kind == door or door in OPENS.get(kind, ())), None)
    answer = DOORS[door](api, own)
    if door == "login_2fa":
        assert answer.json()["code"] == "two_factor_code_invalid", "it was let in as far as the code"
    else:
        assert answer.status_code in (200, 201)


@pytest.mark.parametrize("door", DOORS)
def test_junk_is_refused_and_changes_nothing(api: Api, handed_out: dict[str, str], door: str) -> None:
    before = state()
    for junk in [*JUNK, *([] if door in ("share", "unsubscribe", "access") else ["a\x00b"])]:
        answer = DOORS[door](api, junk)
        assert refused(answer) or (door == "share" and answer.status_code == 301), (junk, answer.status_code)
    assert state() == before


@pytest.mark.parametrize("door", ["verify_email", "reset_password", "oauth_exchange", "invitation"])
def test_single_use_tokens_do_nothing_when_replayed(api: Api, handed_out: dict[str, str], door: str) -> None:
    assert DOORS[door](api, handed_out[door]).status_code in (200, 201)
    before = state()
    again = DOORS[door](api, handed_out[door])
    assert again.status_code == 200 if door == "verify_email" else refused(again)
    assert state() == before


def test_what_we_sign_for_another_purpose_unsubscribes_nobody(
    api: Api, handed_out: dict[str, str], person: Callable[..., User]
) -> None:
    bob = person("bob")
    before = state()
    for salt in ("notifications.unsubscribe ", "django.core.signing", "accounts.oauth", ""):
        token = signing.Signer(salt=salt or None).sign_object([bob.pk.hex, "campaign_updates"])
        assert DOORS["unsubscribe"](api, token).status_code == 404
    assert DOORS["unsubscribe"](api, signing.dumps([bob.pk.hex, "campaign_updates"])).status_code == 404
    assert state() == before


# --- Access tokens ----------------------------------------------------------------------------------------------------


def good_claims(person: User) -> tuple[dict[str, Any], Any]:
    claims = jwt.decode(sign_in(person), options={"verify_signature": False})
    return claims, tokens._signing_backend().signing_key


def forgeries(claims: dict[str, Any], key: str, other_session: str) -> dict[str, str]:
    def signed(headers: dict[str, Any] | None = None, without: str = "", **changes: Any) -> str:
        content = {name: value for name, value in {**claims, **changes}.items() if name != without}
        return jwt.encode(content, key, algorithm="HS256", headers=headers)

    def by_hand(secret: bytes, **header: str) -> str:
        """What PyJWT declines to make: any header, HMAC with any key, such as a public one that everybody knows."""
        parts = [json.dumps({"typ": "JWT", **header}), json.dumps(claims)]
        said = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
        mac = hmac.digest(secret, said.encode(), "sha256")
        return f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    public = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
    return {
        "alg none": jwt.encode(claims, "", algorithm="none"),
        "alg None": by_hand(b"", alg="None").rpartition(".")[0] + ".",
        "another key": jwt.encode(claims, "k" * 64, algorithm="HS256"),
        "an empty key": by_hand(b"", alg="HS256"),
        "HS512 with our key": jwt.encode(claims, key, algorithm="HS512"),
        "RS256 named, HMAC made": by_hand(key.encode(), alg="RS256"),
        "RS256 named, HMAC of a public key": by_hand(public, alg="RS256"),
        "HMAC of a public key": by_hand(public, alg="HS256"),
        "kid of a path": by_hand(b"", alg="HS256", kid="../../../../dev/null"),
        "kid of SQL": by_hand(b"x", alg="HS256", kid="' UNION SELECT 'x'--"),
        "jku": jwt.encode(claims, "k" * 64, algorithm="HS256", headers={"jku": "https://evil.example/jwks"}),
        "jwk": jwt.encode(claims, "k" * 64, algorithm="HS256", headers={"jwk": {"kty": "oct", "k": "a2tr"}}),
        "x5u": jwt.encode(claims, "k" * 64, algorithm="HS256", headers={"x5u": "https://evil.example/c.pem"}),
        "another typ": signed(typ="refresh"),
        "no typ": signed(without="typ"),
        "another aud": signed(aud="someone"),
        "no aud": signed(without="aud"),
        "another iss": signed(iss="https://evil.example"),
        "no iss": signed(without="iss"),
        "no exp": signed(without="exp"),
        "exp of text": signed(exp="soon"),
        "nbf in the future": signed(nbf=claims["iat"] + 600),
        "no sid": signed(without="sid"),
        "no sub": signed(without="sub"),
        "sid of nobody": signed(sid=str(uuid7())),
        "sid of another person": signed(sid=other_session),
        "rid of text": signed(rid="the newest"),
        "rid of a list": signed(rid=[claims["rid"]]),
        "sid of a list": signed(sid=[claims["sid"]]),
        "sid with NUL": signed(sid="a\x00b"),
        "cut": signed()[:-4],
        "flipped": signed()[:-1] + ("A" if signed()[-1] != "A" else "B"),
        "two parts": ".".join(signed().split(".")[:2]),
        "huge": signed() + "x" * 10_000,
    }  # fmt: skip


def test_forged_access_tokens_open_nothing(api: Api, person: Callable[..., User]) -> None:
    ada, bob = person("ada"), person("bob")
    sign_in(bob)
    claims, key = good_claims(ada)
    for name, token in forgeries(claims, key, str(Session.objects.get(user=bob).pk)).items():
        answer = api.with_token(token).get("/api/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), name
    assert api.with_token(jwt.encode(claims, key, algorithm="HS256")).get("/api/auth/me").status_code == 200


def test_an_expired_access_token_says_so(api: Api, person: Callable[..., User]) -> None:
    claims, key = good_claims(person("ada"))
    answer = api.with_token(jwt.encode({**claims, "exp": claims["iat"] - 1}, key, algorithm="HS256")).get(
        "/api/auth/me"
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


@pytest.mark.parametrize("scheme", ["Basic {}", "Token {}", "Bearer", "Bearer  ", "bearer{}", "Bearer {} {}"])
def test_only_one_bearer_token_is_read(api: Api, person: Callable[..., User], scheme: str) -> None:
    claims, key = good_claims(person("ada"))
    good = jwt.encode(claims, key, algorithm="HS256")
    assert Api().get("/api/auth/me", authorization=scheme.format(good, good)).status_code == 401
    assert Api().get("/api/auth/me", authorization=f"bearer {good}").status_code == 200


def test_another_persons_things_are_not_there(api: Api, person: Callable[..., User]) -> None:
    ada, eve = person("ada"), person("eve")
    me, stranger = api.as_user(ada), api.as_user(eve)
    session = me.get("/api/auth/sessions").json()["items"][0]["id"]
    export = me.post("/api/profile/export").json()["id"]
    drain_outbox()
    inbox = me.get("/api/notifications").json()["items"][0]["id"]
    ExternalIdentity.objects.create(user=ada, platform="google", issuer="https://x.example", subject="1")
    for refusal in (
        stranger.delete(f"/api/auth/sessions/{session}"),
        stranger.get(f"/api/profile/export/{export}"),
        stranger.put(f"/api/notifications/{inbox}/read"),
        stranger.delete("/api/profile/social/google"),
    ):
        assert refusal.status_code == 404
    assert me.get("/api/auth/me").status_code == 200
    assert me.get(f"/api/profile/export/{export}").json()["link"]
