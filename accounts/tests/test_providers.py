"""Signing in with Google and LinkedIn, and everything that a dishonest provider, client or stranger may try."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import jwt
import pytest
import time_machine
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.sessions.models import Session as DjangoSession
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import providers
from accounts.access import lock_person
from accounts.models import ExternalIdentity, LoginChallenge, MailedToken, Session, SignInCode, User
from accounts.openid import calls, id_tokens
from accounts.openid.provider import forget
from accounts.providers import SCOPE
from accounts.services import identities
from accounts.testing import PASSWORD, with_two_factor
from accounts.tests.rogue_provider import CLIENT, RogueProvider, challenge, jwk_of, new_key
from core.testing import WAIT_LIMIT, Api, together

PLATFORMS = ["google", "linkedin"]
ADA = {"email": "ada@example.com", "email_verified": True, "given_name": "Ada", "family_name": "Lovelace"}


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RogueProvider]:
    monkeypatch.setattr(calls, "TIMEOUT", (WAIT_LIMIT, WAIT_LIMIT))
    rogue = RogueProvider()
    rogue.claims = dict(ADA)
    client = {"issuer": rogue.issuer, "client_id": CLIENT, "client_secret": "our-secret", "pkce": True}
    settings.OPENID_PROVIDERS = dict.fromkeys(PLATFORMS, client)
    settings.FRONTEND_URL = "https://app.example"
    settings.OAUTH_RETURN_PATHS = ["/signed-in", "/welcome"]
    forget()
    yield rogue
    rogue.stop()
    forget()


def go(api: Api, provider: RogueProvider, platform: str = "google", **query: Any) -> Any:
    """To the provider: its page's address."""
    answer = api.get(f"/api/auth/{platform}", query or None)
    assert answer.status_code == 302, answer.content
    provider.asked(answer["Location"])
    return answer


def back(api: Api, provider: RogueProvider, platform: str = "google", **changed: Any) -> Any:
    """From the provider to our callback, and to where that sends the browser: path and query."""
    query = {"code": "good-code", "state": provider.query["state"], **changed}
    answer = api.get(f"/api/auth/{platform}/callback", {name: value for name, value in query.items() if value})
    assert answer.status_code == 302, answer.content
    assert answer["Location"].startswith("https://app.example/")
    parts = urlsplit(answer["Location"])
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def sign_in(api: Api, provider: RogueProvider, platform: str = "google") -> Any:
    provider.codes.add("good-code")
    go(api, provider, platform)
    _, query = back(api, provider, platform)
    assert "code" in query, query
    return api.post("/api/auth/oauth/exchange", {"code": query["code"]})


def error_of(api: Api, provider: RogueProvider, **changed: Any) -> Any:
    go(api, provider)
    return back(api, provider, **changed)[1].get("error")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_request_carries_state_nonce_and_pkce(api: Api, provider: RogueProvider, platform: str) -> None:
    answer = go(api, provider, platform)
    asked = provider.query
    assert answer["Location"].startswith(f"{provider.issuer}/authorize?")
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == ("code", "S256", SCOPE)
    assert asked["redirect_uri"] == f"{django_settings.PUBLIC_URL}/api/auth/{platform}/callback"
    assert min(len(asked["state"]), len(asked["nonce"]), len(asked["code_challenge"])) >= 43
    cookie = answer.cookies[f"vg_{platform}"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 600)
    assert asked["state"] not in cookie.value and answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_new_person_gets_an_account(api: Api, provider: RogueProvider, platform: str) -> None:
    answer = sign_in(api, provider, platform)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert {"token", "refreshToken", "expiresIn", "user"} == body.keys()
    me = api.with_token(body["token"]).get("/api/auth/me").json()
    assert (me["email"], me["firstName"], me["lastName"], me["emailVerified"]) == (
        "ada@example.com",
        "Ada",
        "Lovelace",
        True,
    )
    assert Session.objects.get().method == platform
    assert not User.objects.get().has_usable_password()


def test_the_same_identity_is_the_same_account_whatever_its_address(api: Api, provider: RogueProvider) -> None:
    first = sign_in(api, provider).json()["user"]["id"]
    provider.claims["email"] = "ada@elsewhere.example"
    assert sign_in(api, provider).json()["user"]["id"] == first
    provider.claims["email"], provider.claims["email_verified"] = None, None
    provider.claims["email"] = "x@example.com"
    assert sign_in(api, provider).json()["user"]["id"] == first
    assert User.objects.count() == 1


def test_a_verified_account_is_not_merged_by_address(
    api: Api, provider: RogueProvider, person: Callable[..., User]
) -> None:
    holder = person("ada", email="ada@example.com")
    assert error_of(api, provider) == "account_exists"
    assert not ExternalIdentity.objects.exists() and not SignInCode.objects.exists()
    assert api.post("/api/auth/login", {"email": holder.email, "password": PASSWORD}).status_code == 200


def test_the_proven_owner_takes_over_an_unverified_account(
    api: Api, provider: RogueProvider, person: Callable[..., User]
) -> None:
    squatter = person("mallory", email="ada@example.com", verified=False, bio="mine", phone_number="+12025550123")
    with_two_factor(squatter)
    ExternalIdentity.objects.create(user=squatter, platform="google", issuer=provider.issuer, subject="squatter")
    theirs = api.as_user(squatter)
    assert theirs.get("/api/auth/me").status_code == 200
    half_way = api.post("/api/auth/login", {"email": squatter.email, "password": PASSWORD}).json()
    assert half_way["twoFactorRequired"]

    owner = sign_in(api, provider)
    assert owner.json()["user"] == {**owner.json()["user"], "id": str(squatter.pk), "firstName": "Ada"}
    assert theirs.get("/api/auth/me").status_code == 401
    assert api.post("/api/auth/login", {"email": squatter.email, "password": PASSWORD}).status_code == 401
    assert not LoginChallenge.objects.exists() and not MailedToken.objects.exists()
    account = User.objects.get()
    assert account.email_verified and not account.two_factor_enabled and not account.bio + account.phone_number
    assert list(account.external_identities.values_list("subject", flat=True)) == ["s-1"]


@pytest.mark.parametrize("verified", [False, None, "false", 1.5])
def test_an_address_the_provider_does_not_vouch_for_opens_nothing(
    api: Api, provider: RogueProvider, person: Callable[..., User], verified: Any
) -> None:
    squatter = person("mallory", email="ada@example.com", verified=False)
    provider.claims["email_verified"] = verified
    assert error_of(api, provider) == "provider_email_unverified"
    assert api.post("/api/auth/login", {"email": squatter.email, "password": PASSWORD}).status_code == 200
    assert not ExternalIdentity.objects.exists()


def test_the_second_factor_is_still_asked_for(api: Api, provider: RogueProvider) -> None:
    sign_in(api, provider)
    app = with_two_factor(User.objects.get())
    answer = sign_in(api, provider).json()
    assert answer["twoFactorRequired"] and "token" not in answer
    finished = api.post("/api/auth/login/2fa", {"twoFactorToken": answer["twoFactorToken"], "code": app.code()})
    assert finished.status_code == 200
    assert Session.objects.latest("created_at").method == "google+totp"


def test_a_suspended_person_stays_out(api: Api, provider: RogueProvider) -> None:
    sign_in(api, provider)
    User.objects.update(status="suspended")
    answer = sign_in(api, provider)
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")


def test_the_one_time_code_works_once_and_for_a_minute(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    code = {"code": back(api, provider)[1]["code"]}
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        late = api.post("/api/auth/oauth/exchange", code)
    assert (late.status_code, late.json()["code"]) == (401, "oauth_code_invalid")
    assert api.post("/api/auth/oauth/exchange", code).status_code == 200
    assert api.post("/api/auth/oauth/exchange", code).json()["code"] == "oauth_code_invalid"


@pytest.mark.django_db(transaction=True)
def test_parallel_exchanges_of_one_code_open_one_session(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    code = {"code": back(api, provider)[1]["code"]}
    answers = together(*[lambda: Api().post("/api/auth/oauth/exchange", code).status_code] * 4)
    assert sorted(answers) == [200, 401, 401, 401] and Session.objects.count() == 1


def test_redirect_is_a_path_of_the_front_end_on_the_list(api: Api, provider: RogueProvider) -> None:
    go(api, provider, redirect="/welcome?from=mail")
    path, query = back(api, provider)
    assert path == "/welcome" and query["from"] == "mail" and "code" in query
    for bad in (
        "https://evil.example/signed-in",
        "//evil.example/signed-in",
        "/\\evil.example",
        "/other",
        "/signed-in/../x",
        "/signed-in\r\nX: y",
        "javascript:1",
        "/signed-in#x",
        "/signed-in@evil.example",
        "/signed-in?code=planted",
        "/signed-in?x=1&error=",
    ):
        answer = api.get("/api/auth/google", {"redirect": bad})
        assert (answer.status_code, answer.json()["code"]) == (400, "redirect_not_allowed"), bad


@pytest.mark.parametrize("state", ["", "forged", "x" * 43])
def test_a_foreign_state_is_refused_and_the_code_never_sent(api: Api, provider: RogueProvider, state: str) -> None:
    assert error_of(api, provider, state=state) == "oauth_state_invalid"
    assert "/token" not in provider.calls


def test_only_the_browser_that_began_may_end(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    assert back(Api(), provider)[1] == {"error": "oauth_state_invalid"}
    cookie = api.client.cookies["vg_google"]
    tampered = bytes.fromhex(cookie.value)
    api.client.cookies["vg_google"] = (tampered[:-1] + bytes([tampered[-1] ^ 1])).hex()
    assert back(api, provider)[1] == {"error": "oauth_state_invalid"}
    api.client.cookies["vg_google"] = "not hex"
    assert back(api, provider)[1] == {"error": "oauth_state_invalid"}


def test_a_flow_of_one_provider_does_not_end_at_the_other(api: Api, provider: RogueProvider) -> None:
    go(api, provider, "google")
    api.client.cookies["vg_linkedin"] = api.client.cookies["vg_google"].value
    assert back(api, provider, "linkedin")[1] == {"error": "oauth_state_invalid"}


def test_a_flow_lasts_ten_minutes(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        assert back(api, provider)[1] == {"error": "oauth_state_invalid"}


def test_a_state_works_once(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    assert "code" in back(api, provider)[1]
    provider.codes.add("good-code")
    assert back(api, provider)[1] == {"error": "oauth_state_invalid"}
    assert provider.calls["/token"] == 1


def test_the_address_to_come_back_to_is_ours_whatever_host_was_named(api: Api, provider: RogueProvider) -> None:
    answer = api.client.get("/api/auth/google", HTTP_HOST="localhost:1234")
    provider.asked(answer["Location"])
    assert provider.redirect_uri == f"{django_settings.PUBLIC_URL}/api/auth/google/callback"


def test_pkce_is_left_out_for_a_provider_that_refuses_it(api: Api, provider: RogueProvider, settings: Settings) -> None:
    client = {**settings.OPENID_PROVIDERS["linkedin"], "pkce": False}
    settings.OPENID_PROVIDERS = {**settings.OPENID_PROVIDERS, "linkedin": client}
    asked = parse_qs(urlsplit(api.get("/api/auth/linkedin")["Location"]).query)
    assert "nonce" in asked and not {"code_challenge", "code_challenge_method"} & asked.keys()


def test_an_answer_in_the_name_of_another_issuer_is_refused(api: Api, provider: RogueProvider) -> None:
    assert error_of(api, provider, iss="https://evil.example") == "oauth_state_invalid"


def test_whoever_denies_comes_back_with_an_error(api: Api, provider: RogueProvider) -> None:
    assert error_of(api, provider, code="", error="access_denied") == "oauth_denied"


def test_a_used_or_foreign_code_is_refused(api: Api, provider: RogueProvider) -> None:
    assert error_of(api, provider, code="stolen") == "provider_refused"
    go(api, provider)
    assert "code" in back(api, provider)[1]
    assert error_of(api, provider) == "provider_refused"


def test_a_wrong_verifier_is_refused_by_the_provider(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    provider.challenge = challenge("another verifier")
    assert back(api, provider)[1] == {"error": "provider_refused"}


def unsigned(provider: RogueProvider, **claims: Any) -> str:
    part = [
        {"alg": "none", "kid": provider.kid},
        jwt.decode(provider.token(**claims), options={"verify_signature": False}),
    ]
    return ".".join(base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode() for x in part) + "."


def hmac_with_the_public_key(provider: RogueProvider) -> str:
    """Key confusion: HS256 under what everybody may read."""
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = provider.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    part = [{"alg": "HS256", "kid": provider.kid}, claims]
    signed = ".".join(base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode() for x in part)
    signature = hmac.digest(public, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def by_a_stranger(provider: RogueProvider, **header: str | bytes | None) -> str:
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    return jwt.encode(claims, new_key(), "RS256", {"kid": provider.kid, **header})


def with_own_key(provider: RogueProvider) -> str:
    key = new_key()
    return jwt.encode(
        jwt.decode(provider.token(), options={"verify_signature": False}),
        key,
        "RS256",
        {"kid": "mine", "jwk": jwk_of(key, "mine"), "jku": f"{provider.issuer}/elsewhere"},
    )


FORGERIES: dict[str, Callable[[RogueProvider], str]] = {
    "foreign issuer": lambda p: p.token(iss="https://evil.example"),
    "wrong audience": lambda p: p.token(aud="another-client"),
    "ours among others, for another": lambda p: p.token(aud=[CLIENT, "other"], azp="other"),
    "several audiences, no azp": lambda p: p.token(aud=[CLIENT, "other"]),
    "expired": lambda p: p.token(exp=int(time.time()) - 61),
    "from the future": lambda p: p.token(iat=int(time.time()) + 300),
    "not yet": lambda p: p.token(nbf=int(time.time()) + 300),
    "no expiry": lambda p: p.token(exp=None),
    "expiry as text": lambda p: unsigned(p, exp=None),
    "no subject": lambda p: p.token(sub=None),
    "empty subject": lambda p: p.token(sub=""),
    "endless subject": lambda p: p.token(sub="s" * 256),
    "half a character for a subject": lambda p: p.token(sub="\ud800"),
    "alg none": unsigned,
    "HS256 with the public key": hmac_with_the_public_key,
    "another key under the same id": by_a_stranger,
    "a key of its own": with_own_key,
    "not a token": lambda p: "a.b.c",
    "megabytes": lambda p: "a" * 200_000,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_id_token_signs_nobody_in(api: Api, provider: RogueProvider, forgery: str) -> None:
    go(api, provider)
    provider.claims["nonce"] = provider.nonce
    provider.forged = FORGERIES[forgery](provider)
    assert back(api, provider)[1] == {"error": "id_token_invalid"}
    assert not User.objects.exists()
    # The same way in, with the token it should be.
    provider.forged = provider.token(nonce=None)
    del provider.claims["nonce"]
    provider.codes.add("good-code")
    provider.forged = None
    go(api, provider)
    assert "code" in back(api, provider)[1]


@pytest.mark.parametrize("nonce", [None, "another", "", 7])
def test_a_token_with_another_nonce_is_refused(api: Api, provider: RogueProvider, nonce: str | int | None) -> None:
    provider.claims["nonce"] = nonce
    assert error_of(api, provider) == "id_token_invalid"


@pytest.mark.parametrize("nonce, error", [(None, None), ("another", "id_token_invalid")])
def test_an_issuer_known_to_lack_the_nonce_may_leave_it_out(
    api: Api, provider: RogueProvider, monkeypatch: pytest.MonkeyPatch, nonce: str | None, error: str | None
) -> None:
    monkeypatch.setattr(providers, "LACKS_NONCE", {provider.issuer})
    provider.claims["nonce"] = nonce
    assert error_of(api, provider) == error


@pytest.mark.parametrize(
    "junk, error",
    [
        ({"expires_in": "soon"}, None),
        ({"expires_in": 10**30}, None),
        ({"access_token": None}, "id_token_invalid"),
        ({"access_token": 7}, "id_token_invalid"),
        ({"id_token": ["a"]}, "id_token_invalid"),
    ],
)
def test_a_strange_answer_to_a_code_is_borne(
    api: Api, provider: RogueProvider, junk: dict[str, Any], error: str | None
) -> None:
    provider.junk = junk
    assert error_of(api, provider) == error


@pytest.mark.parametrize("claims", [{"given_name": 7, "family_name": "\ud800\0"}, {"sub": "s" * 255}])
def test_strange_claims_are_borne(api: Api, provider: RogueProvider, claims: dict[str, Any]) -> None:
    provider.claims |= claims
    assert sign_in(api, provider).status_code == 200
    identity = ExternalIdentity.objects.get()
    assert (identity.subject, identity.issuer) == (claims.get("sub", "s-1"), provider.issuer)


@pytest.mark.parametrize("email", [7, ["ada@example.com"], "ada@", "a" * 250 + "@example.com", "ad\u00e4@example.com"])
def test_what_is_no_address_opens_nothing(api: Api, provider: RogueProvider, email: Any) -> None:
    provider.claims["email"] = email
    assert error_of(api, provider) == "provider_email_unverified"


def test_what_the_token_leaves_out_is_asked_for(api: Api, provider: RogueProvider) -> None:
    claims = {"sub": "s-1", "email": "ada@example.com", "email_verified": True}
    provider.claims, provider.routes["/userinfo"] = {}, lambda _: (200, claims)
    assert sign_in(api, provider).json()["user"]["email"] == "ada@example.com"


def test_userinfo_about_somebody_else_is_refused(api: Api, provider: RogueProvider) -> None:
    provider.claims["email"] = None
    assert error_of(api, provider) == "id_token_invalid"
    assert provider.calls["/userinfo"] == 1


def test_rotated_keys_are_found_and_made_up_ids_do_not_hammer(
    api: Api, provider: RogueProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(api, provider).status_code == 200
    provider.kid, provider.key = "second", new_key()
    provider.keys.append(jwk_of(provider.key, "second"))
    monkeypatch.setattr(id_tokens, "KEYS_AT_MOST_EVERY", 0.0)
    assert sign_in(api, provider).status_code == 200
    assert provider.calls["/jwks"] == 2 and provider.calls["/.well-known/openid-configuration"] == 1
    monkeypatch.setattr(id_tokens, "KEYS_AT_MOST_EVERY", 60.0)
    provider.kid = "made-up"
    for _ in range(3):
        provider.codes.add("good-code")
        assert error_of(api, provider) == "id_token_invalid"
    assert provider.calls["/jwks"] == 2


def test_a_provider_in_trouble_is_answered_and_then_left_alone(api: Api, provider: RogueProvider) -> None:
    provider.status = 503
    answers = [api.get("/api/auth/google") for _ in range(7)]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "provider_unavailable")}
    assert provider.calls["/.well-known/openid-configuration"] == 5
    assert int(answers[-1]["Retry-After"]) > 20


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 302},
        {"document": {"issuer": "https://evil.example"}},
        {"document": {"padding": "x" * 300_000}},
        {"document": {"authorization_endpoint": None}},
    ],
)
def test_redirects_foreign_and_endless_documents_are_refused(
    api: Api, provider: RogueProvider, trouble: dict[str, Any]
) -> None:
    for name, value in trouble.items():
        setattr(provider, name, value)
    answer = api.get("/api/auth/google")
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert "/elsewhere" not in provider.calls


def test_reading_is_tried_again_and_a_code_is_sent_once(api: Api, provider: RogueProvider) -> None:
    provider.drops = {"/.well-known/openid-configuration": 1, "/token": 1}
    assert error_of(api, provider) == "provider_unavailable"
    assert (provider.calls["/.well-known/openid-configuration"], provider.calls["/token"]) == (2, 1)


def test_only_the_providers_own_hosts_are_called(api: Api, provider: RogueProvider) -> None:
    provider.document = {"token_endpoint": f"http://localhost:{provider.server.server_port}/token"}
    assert error_of(api, provider) == "provider_unavailable"
    assert "/token" not in provider.calls


def test_a_provider_that_is_not_configured_is_not_there(api: Api, db: None) -> None:
    for path in ("/api/auth/google", "/api/auth/linkedin/callback"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "provider_not_configured")


def test_allauth_writes_nothing_logs_nobody_in_and_shows_no_page(
    api: Api, provider: RogueProvider, person: Callable[..., User]
) -> None:
    person("mallory", email="ada@example.com", verified=False)
    answer = sign_in(api, provider)
    assert answer.status_code == 200 and "sessionid" not in api.client.cookies
    theirs: list[Any] = [
        model for label in ("account", "socialaccount") for model in apps.get_app_config(label).get_models()
    ]
    assert len(theirs) == 5 and not any(model.objects.exists() for model in (*theirs, DjangoSession))
    assert not [model for model in admin.site._registry if model in theirs]
    with pytest.raises(NoReverseMatch):
        reverse("socialaccount_connections")


# --- Linking --------------------------------------------------------------------------------------------------------


def test_link_sign_in_and_unlink(
    api: Api, provider: RogueProvider, person: Callable[..., User], mails: Callable[[User], list[tuple[str, str]]]
) -> None:
    ada = person("ada", email="ada@home.example")
    own = api.as_user(ada)
    assert own.get("/api/profile/social").json() == {"password": True, "items": []}
    linked = own.post("/api/profile/social/link", {"platform": "google", "token": provider.token()})
    assert linked.status_code == 200, linked.content
    assert linked.json() == {"platform": "google", "linked": True, "email": "ada@example.com"}
    again = own.post("/api/profile/social/link", {"platform": "google", "token": provider.token()})
    assert again.json() == linked.json()
    assert own.get("/api/profile/social").json()["items"] == [linked.json()]
    assert sign_in(api, provider).json()["user"]["id"] == str(ada.pk)
    assert own.delete("/api/profile/social/google").status_code == 200
    assert own.delete("/api/profile/social/google").status_code == 404
    assert own.delete("/api/profile/social/fax%00").status_code == 404
    assert [subject for subject, _ in mails(ada) if "Google" in subject] == [
        "Google can sign you in now",
        "Google no longer signs you in",
    ]


def test_an_identity_has_one_account_and_an_account_one_per_platform(
    api: Api, provider: RogueProvider, person: Callable[..., User]
) -> None:
    body = {"platform": "google", "token": provider.token()}
    first, second = api.as_user(person("first")), api.as_user(person("second"))
    assert first.post("/api/profile/social/link", body).status_code == 200
    taken = second.post("/api/profile/social/link", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "identity_taken")
    other = first.post("/api/profile/social/link", {**body, "token": provider.token(sub="s-2")})
    assert (other.status_code, other.json()["code"]) == (409, "platform_already_linked")


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_links_nothing(
    api: Api, provider: RogueProvider, person: Callable[..., User], forgery: str
) -> None:
    token = FORGERIES[forgery](provider)
    answer = api.as_user(person()).post("/api/profile/social/link", {"platform": "google", "token": token})
    assert answer.status_code == 400 and not ExternalIdentity.objects.exists()


def test_linking_compares_the_nonce_and_wants_a_fresh_token(
    api: Api, provider: RogueProvider, person: Callable[..., User]
) -> None:
    own = api.as_user(person())

    def link(nonce: Any = None, **claims: Any) -> Any:
        body = {"platform": "google", "token": provider.token(**claims), **({"nonce": nonce} if nonce else {})}
        return own.post("/api/profile/social/link", body).json().get("code")

    assert link(nonce="n-1") == link(nonce="n-1", iat=1) == "id_token_invalid"
    assert link(iat=int(time.time()) - 700) == "id_token_invalid"


def test_the_only_way_in_cannot_be_unlinked(api: Api, provider: RogueProvider) -> None:
    own = api.with_token(sign_in(api, provider).json()["token"])
    refused = own.delete("/api/profile/social/google")
    assert (refused.status_code, refused.json()["code"]) == (409, "only_way_in")
    user = User.objects.get()
    user.set_password(PASSWORD)
    user.save()
    assert own.delete("/api/profile/social/google").status_code == 200


def test_unlinking_asks_for_a_fresh_proof(api: Api, provider: RogueProvider, person: Callable[..., User]) -> None:
    ada = person("ada")
    own = api.as_user(ada)
    own.post("/api/profile/social/link", {"platform": "google", "token": provider.token()})
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    refused = own.delete("/api/profile/social/google")
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")


# --- What a provider may say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [1, 1.0, "True", "yes", None, [True]])
def test_only_a_plain_yes_vouches_for_an_address(api: Api, provider: RogueProvider, told: Any) -> None:
    provider.claims["email_verified"] = told
    assert error_of(api, provider) == "provider_email_unverified"


@pytest.mark.parametrize("address", ["a@[127.0.0.1]", "a@localhost", "a\u0007@example.com", "ädä@example.com"])
def test_an_address_has_to_be_one_that_could_register(api: Api, provider: RogueProvider, address: str) -> None:
    provider.claims["email"] = address
    assert error_of(api, provider) == "provider_email_unverified" and not User.objects.exists()


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({"given_name": "\u202eA\u0007da\u202c", "family_name": "\u200bKing\n"}, ("Ada", "King")),
        ({"given_name": "علی\u200cرضا", "family_name": "👨\u200d👩\u200d👧"}, ("علی\u200cرضا", "👨\u200d👩\u200d👧")),
        ({"given_name": "\u00a0Jean\u00a0\u2028Paul", "family_name": "x" * 300}, ("Jean Paul", "x" * 80)),
        ({"given_name": "\u200b", "family_name": "Sukarno"}, ("Sukarno", "")),
        ({"given_name": "Mary Ann", "family_name": None, "name": "Mary Ann"}, ("Mary Ann", "")),
        ({"given_name": None, "family_name": None, "name": "Ada\u0000 Lovelace"}, ("Ada", "Lovelace")),
        ({"given_name": None, "family_name": None}, ("Member", "")),
        ({"given_name": "\u3164", "family_name": "\u200d"}, ("Member", "")),
    ],
)
def test_a_name_that_nobody_could_register_with_is_cleaned(
    api: Api, provider: RogueProvider, claims: dict[str, Any], names: Any
) -> None:
    provider.claims |= claims
    assert sign_in(api, provider).status_code == 200
    ada = User.objects.get()
    assert (ada.first_name, ada.last_name) == names
    assert api.as_user(ada).put("/api/profile", {"firstName": names[0], "lastName": names[1]}).status_code == 200


def test_an_identity_that_is_being_unlinked_signs_nobody_in(
    api: Api, provider: RogueProvider, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person("ada", email="ada@example.com")
    api.as_user(ada).post("/api/profile/social/link", {"platform": "google", "token": provider.token()})

    def lock_after_a_rival(user_id: UUID) -> User:
        ExternalIdentity.objects.all().delete()
        return lock_person(user_id)

    monkeypatch.setattr(identities, "lock_person", lock_after_a_rival)
    assert error_of(api, provider) == "account_exists"


def test_coming_back_again_and_again_is_limited(api: Api, provider: RogueProvider) -> None:
    go(api, provider)
    answers = [api.get("/api/auth/google/callback", {"state": "x"}).status_code for _ in range(31)]
    assert answers == [302] * 30 + [429]
