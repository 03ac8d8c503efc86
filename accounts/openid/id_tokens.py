"""
Verification of ID tokens, with PyJWT. allauth's own check is not used: it skips the signature after a code exchange,
takes any algorithm that the token names, knows neither nonce nor `azp`, and fetches the keys anew for each token.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import jwt
from django.utils.crypto import constant_time_compare

from accounts.errors import IdTokenInvalid
from accounts.providers import Registration

logger = logging.getLogger("vectragrow.openid")

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures of a private key only: no `none`, and no HMAC keyed with something public (RFC 8725 §3.1)."""
SKEW = 60
"""Seconds that the provider's clock may be off (SECURITY-GOALS 62)."""
KEPT = 3600.0
"""Seconds for which a provider's keys are kept."""
KEYS_AT_MOST_EVERY = 60.0
"""Seconds between two looks for new keys: unknown key ids are free to make up."""
MAX_TOKEN_CHARACTERS = 16 * 1024

FetchKeys = Callable[[], Any]
"""Asks the provider for the `keys` of its key set (RFC 7517 §5)."""


@dataclass
class _KeySet:
    """A provider's keys, as this process has cached them."""

    keys: dict[str | None, jwt.PyJWK] = field(default_factory=dict)
    at: float = float("-inf")


def verified_claims(
    token: Any, *, registration: Registration, fetch_keys: FetchKeys, nonce: str, nonce_required: bool, now: datetime
) -> dict[str, Any]:
    """
    OpenID Connect Core §3.1.3.7.

    :param nonce_required: whether a token that has none is refused; a wrong one always is
    :raises IdTokenInvalid: signature, algorithm, issuer, audience, nonce, times: not a token for us, now
    :raises ProviderUnavailable: its keys cannot be fetched
    """
    claims = _signed_claims(token, registration, fetch_keys)
    moment = now.timestamp()
    sound = (
        _is_number(claims["exp"])
        and claims["exp"] > moment - SKEW
        and _is_number(claims["iat"])
        and claims["iat"] <= moment + SKEW
        and (_is_number(claims.get("nbf", 0)) and claims.get("nbf", 0) <= moment + SKEW)
        and isinstance(claims["sub"], str)
        and 0 < len(claims["sub"]) <= 255
        and claims["sub"].isascii()
        and "\0" not in claims["sub"]
        and claims.get("azp", registration.client_id) == registration.client_id
        and (isinstance(claims["aud"], str) or len(claims["aud"]) == 1 or "azp" in claims)
    )
    claimed = claims.get("nonce")
    if nonce and (claimed is not None or nonce_required):
        sound = sound and isinstance(claimed, str) and constant_time_compare(claimed, nonce)
    if not sound:
        raise IdTokenInvalid(field="token")
    return claims


def forget() -> None:
    """Forget every provider's keys."""
    _key_set.cache_clear()


def _signed_claims(token: Any, registration: Registration, fetch_keys: FetchKeys) -> dict[str, Any]:
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARACTERS:
        raise IdTokenInvalid(field="token")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise IdTokenInvalid(field="token")
        return jwt.decode(
            token,
            _key(_key_set(registration), header.get("kid"), fetch_keys),
            algorithms=[header["alg"]],
            audience=registration.client_id,
            issuer=registration.issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                # Against the caller's clock, in `verified_claims`.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        logger.warning("ID token refused", extra={"provider": registration.platform, "because": type(error).__name__})
        raise IdTokenInvalid(field="token") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _key_set(registration: Registration) -> _KeySet:
    return _KeySet()


def _key(known: _KeySet, kid: Any, fetch_keys: FetchKeys) -> jwt.PyJWK:
    """
    A key that the provider signs with. An unknown id has the keys looked up again, so that a rotation goes unnoticed.

    :raises IdTokenInvalid: it has no such key
    """
    age = time.monotonic() - known.at
    if age > KEPT or (_named(known.keys, kid) is None and age > KEYS_AT_MOST_EVERY):
        found = fetch_keys()
        known.keys = {key.key_id: key for key in _usable(found if isinstance(found, list) else [])}
        known.at = time.monotonic()
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
