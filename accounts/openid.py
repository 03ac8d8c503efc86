"""
OpenID Connect, the relying party's side: the authorization code flow with PKCE, and what an ID token is worth.

PyJWT does the cryptography and urllib3 the transport; why not a whole framework: docs/adr/0007-openid-connect.md.
Every call has timeouts and a size limit, follows no redirect, goes to the provider's own hosts only, and ends at once
while the provider is being left alone (`core.breaker`).
"""

import base64
import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import urllib3
from django.utils.crypto import constant_time_compare

from accounts.errors import IdTokenInvalid, ProviderRefused, ProviderUnavailable
from accounts.providers import Provider
from core.breaker import Breaker
from core.outbox import NotYet

logger = logging.getLogger("vectragrow.openid")

SCOPE = "openid email profile"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures of a private key only: no `none`, and no HMAC keyed with something public (RFC 8725 §3.1)."""
SKEW = 60
"""Seconds that the provider's clock may be off (SECURITY-GOALS 62)."""
KEPT = 3600.0
"""Seconds for which a provider's addresses and keys are kept."""
KEYS_AT_MOST_EVERY = 60.0
"""Seconds between two looks for new keys: unknown key ids are free to make up."""
TIMEOUT = urllib3.Timeout(connect=3, read=5)
WHOLE_CALL = 10.0
MOST_BYTES = 256 * 1024
MOST_TOKEN = 16 * 1024
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class _Fault(Exception):
    """The provider's trouble: no answer, a 5xx, too much, or not what the standard says."""


@dataclass
class _Known:
    """What a process knows about a provider."""

    breaker: Breaker
    addresses: dict[str, str] = field(default_factory=dict)
    addresses_until: float = 0.0
    keys: dict[str | None, jwt.PyJWK] = field(default_factory=dict)
    keys_at: float = float("-inf")


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for. Identity is issuer and subject; the address is only a claim."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    first_name: str
    last_name: str


def authorization_url(provider: Provider, *, state: str, nonce: str, verifier: str) -> str:
    """
    Where the browser is sent to.

    :raises ProviderUnavailable:
    """
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": SCOPE,
        "state": state,
        "nonce": nonce,
    }
    if provider.pkce:
        query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    address = _address(provider, "authorization_endpoint")
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def person_behind_code(provider: Provider, *, code: str, nonce: str, verifier: str, now: datetime) -> Person:
    """
    Exchange an authorization code and read the ID token; what it leaves out is asked from the userinfo endpoint.

    :raises ProviderRefused: the code is not good (any more)
    :raises IdTokenInvalid: as `person_in_token`
    :raises ProviderUnavailable:
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
    }
    if provider.pkce:
        form["code_verifier"] = verifier
    answer = _call(provider, "POST", _address(provider, "token_endpoint"), form=form)
    token, access = answer.get("id_token"), answer.get("access_token")
    if not isinstance(token, str) or not isinstance(access, str):
        raise IdTokenInvalid(field="token")
    claims = _claims(provider, token, nonce=nonce, nonce_required=provider.returns_nonce, now=now)
    if not claims.get("email"):
        more = _call(provider, "GET", _address(provider, "userinfo_endpoint"), bearer=access)
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core §5.3.2
            raise IdTokenInvalid(field="token")
        claims = {**more, **claims}
    return _person(provider, claims)


def person_in_token(provider: Provider, *, token: str, nonce: str = "", max_age: timedelta, now: datetime) -> Person:
    """
    Whom an ID token names that a client got by itself.

    :param nonce: the one the client had put into its request, where it did
    :raises IdTokenInvalid: signature, algorithm, issuer, audience, nonce, times: not a token for us, now
    :raises ProviderUnavailable: its keys cannot be had
    """
    claims = _claims(provider, token, nonce=nonce, nonce_required=bool(nonce), now=now)
    if claims["iat"] < (now - max_age).timestamp() - SKEW:
        raise IdTokenInvalid(field="token")
    return _person(provider, claims)


def forget() -> None:
    """Forget every provider's addresses, keys and faults."""
    _known.cache_clear()


def _claims(provider: Provider, token: str, *, nonce: str, nonce_required: bool, now: datetime) -> dict[str, Any]:
    """OpenID Connect Core §3.1.3.7."""
    if len(token) > MOST_TOKEN:
        raise IdTokenInvalid(field="token")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise IdTokenInvalid(field="token")
        key = _key(provider, header.get("kid"))
        claims = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            audience=provider.client_id,
            issuer=provider.issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                # Against the caller's clock, below.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        logger.warning("ID token refused", extra={"provider": provider.platform, "because": type(error).__name__})
        raise IdTokenInvalid(field="token") from None
    moment = now.timestamp()
    sound = (
        _is_number(claims["exp"])
        and claims["exp"] > moment - SKEW
        and _is_number(claims["iat"])
        and claims["iat"] <= moment + SKEW
        and (_is_number(claims.get("nbf", 0)) and claims.get("nbf", 0) <= moment + SKEW)
        and isinstance(claims["sub"], str)
        and 0 < len(claims["sub"]) <= 255
        and "\0" not in claims["sub"]
        and claims.get("azp", provider.client_id) == provider.client_id
        and (isinstance(claims["aud"], str) or len(claims["aud"]) == 1 or "azp" in claims)
    )
    told = claims.get("nonce")
    if nonce and (told is not None or nonce_required):
        sound = sound and isinstance(told, str) and constant_time_compare(told, nonce)
    if not sound:
        raise IdTokenInvalid(field="token")
    return claims


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _person(provider: Provider, claims: dict[str, Any]) -> Person:
    def text(name: str) -> str:
        value = claims.get(name)
        return " ".join(value.replace("\0", "").split()) if isinstance(value, str) else ""

    first, _, last = text("name").partition(" ")
    return Person(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=text("email"),
        email_verified=claims.get("email_verified") in (True, "true"),  # LinkedIn documents it as text
        first_name=text("given_name") or first,
        last_name=text("family_name") or last,
    )


@cache
def _known(provider: Provider) -> _Known:
    return _Known(Breaker(provider.platform, is_fault=lambda error: isinstance(error, _Fault)))


def _address(provider: Provider, name: str) -> str:
    """One of the provider's endpoints, out of its discovery document (OpenID Connect Discovery §4)."""
    known = _known(provider)
    if time.monotonic() > known.addresses_until:
        document = _call(provider, "GET", f"{provider.issuer}/.well-known/openid-configuration")
        if document.get("issuer") != provider.issuer:
            logger.error("discovery document of another issuer", extra={"provider": provider.platform})
            raise ProviderUnavailable()
        known.addresses = {key: value for key, value in document.items() if isinstance(value, str)}
        known.addresses_until = time.monotonic() + KEPT
    if name not in known.addresses:
        raise ProviderUnavailable()
    return known.addresses[name]


def _key(provider: Provider, kid: Any) -> jwt.PyJWK:
    """
    A key that the provider signs with. An unknown id has the keys looked up again, so that a rotation goes unnoticed.

    :raises IdTokenInvalid: it has no such key
    """
    known = _known(provider)
    age = time.monotonic() - known.keys_at
    if age > KEPT or (_named(known.keys, kid) is None and age > KEYS_AT_MOST_EVERY):
        found = _call(provider, "GET", _address(provider, "jwks_uri")).get("keys")
        known.keys = {key.key_id: key for key in _usable(found if isinstance(found, list) else [])}
        known.keys_at = time.monotonic()
    key = _named(known.keys, kid)
    if key is None:
        raise IdTokenInvalid(field="token")
    return key


def _named(keys: dict[str | None, jwt.PyJWK], kid: Any) -> jwt.PyJWK | None:
    if kid is None:  # allowed while there is only one
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid) if isinstance(kid, str) else None


def _usable(keys: list[Any]) -> list[jwt.PyJWK]:
    usable = []
    for key in keys:
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig":
            try:
                usable.append(jwt.PyJWK(key))
            except (jwt.PyJWTError, ValueError, TypeError):
                continue  # a kind that we do not know; others may do
    return usable


def _call(
    provider: Provider, method: str, address: str, *, form: dict[str, str] | None = None, bearer: str = ""
) -> dict[str, Any]:
    """
    One call of the provider, answered with a JSON object.

    :raises ProviderRefused: a 4xx to a form
    :raises ProviderUnavailable: no answer, trouble, or it is being left alone
    """
    parts = urlsplit(address)
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if parts.netloc not in provider.hosts or not (parts.scheme == "https" or plain):
        logger.error("address refused", extra={"provider": provider.platform, "host": parts.netloc})
        raise ProviderUnavailable()
    try:
        with _known(provider).breaker.guard():
            status, body = _send(method, address, form, bearer)
    except NotYet as pause:
        raise ProviderUnavailable(retry_after=pause.after or timedelta(seconds=1)) from None
    except _Fault as fault:
        logger.warning("provider call failed", extra={"provider": provider.platform, "because": str(fault)})
        raise ProviderUnavailable() from None
    if status != 200:
        logger.warning("provider refused", extra={"provider": provider.platform, "status": status})
        raise ProviderRefused() if form else ProviderUnavailable()
    return body


def _send(method: str, address: str, form: dict[str, str] | None, bearer: str) -> tuple[int, dict[str, Any]]:
    deadline = time.monotonic() + WHOLE_CALL
    headers = {"Accept": "application/json", "User-Agent": "VECTRAGrow"}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    body = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form)
    # Reading twice changes nothing; a code is spent by its first use, so sending that is never repeated.
    again = urllib3.Retry(1, redirect=0, backoff_factor=0.1, backoff_jitter=0.2) if form is None else False
    try:
        answer = _http().request(
            method,
            address,
            body=body,
            headers=headers,
            redirect=False,
            retries=again,
            timeout=TIMEOUT,
            preload_content=False,
            decode_content=True,
        )
        try:
            content = b""
            for chunk in answer.stream(16 * 1024):
                content += chunk
                if len(content) > MOST_BYTES or time.monotonic() > deadline:
                    raise _Fault("too large or too slow")
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _Fault(type(error).__name__) from error
    if answer.status >= 500 or answer.status == 429 or 300 <= answer.status < 400:
        raise _Fault(f"status {answer.status}")
    if answer.status != 200:
        return answer.status, {}
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _Fault("not JSON") from error
    if not isinstance(document, dict):
        raise _Fault("not an object")
    return answer.status, document


@cache
def _http() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=8)
