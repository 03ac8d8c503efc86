"""
The two secrets of a session: a short access JWT and a refresh token; and the tokens that travel by mail.

Access: HS256 only, issuer, audience and type pinned (RFC 8725 §3); a key per purpose, derived from SECRET_KEY, with
SECRET_KEY_FALLBACKS accepted while a secret is rotated. Refresh: 256 random bits, kept as SHA-256.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from accounts.errors import TokenExpired, TokenInvalid
from accounts.models import Session
from core.crypto import aes
from core.crypto.keys import derive, keys_for

ALGORITHM = "HS256"
MAX_LENGTH = 1000
ACCESS = "access"
PURPOSE = "access token"


@cache
def _backend(key: bytes) -> TokenBackend:
    return TokenBackend(ALGORITHM, key.hex(), audience=settings.TOKEN_AUDIENCE, issuer=settings.TOKEN_ISSUER)


def _signing_backend() -> TokenBackend:
    return _backend(keys_for(PURPOSE)[0])


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token of ours says."""

    session_id: UUID
    person_id: UUID
    issued_with: UUID | None
    """The id of the refresh token that it was handed out with."""
    expires: int
    """Unix seconds."""


def access_token(session: Session, issued_with: UUID, now: datetime) -> str:
    """
    A JWT that names the session; valid for ACCESS_TOKEN_LIFETIME (seconds in `expiresIn`).

    :param issued_with: the id of the refresh token beside it, so that its first use shows that the answer arrived
    """
    issued = int(now.timestamp())
    return _signing_backend().encode(
        {
            "typ": ACCESS,
            "sub": str(session.user_id),
            "sid": str(session.pk),
            "rid": str(issued_with),
            "jti": secrets.token_hex(8),
            "iat": issued,
            "exp": issued + int(settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
        }
    )


def read_access(token: str, now: datetime) -> AccessClaims:
    """
    What an access token says.

    :raises TokenExpired: it was ours once
    :raises TokenInvalid: any other token, of any kind
    """
    if len(token) > MAX_LENGTH:
        raise TokenInvalid()
    claims = _read(token, tuple(keys_for(PURPOSE)))
    if claims.expires <= now.timestamp():
        raise TokenExpired()
    return claims


@lru_cache(maxsize=10_000)
def _read(token: str, keys: tuple[bytes, ...]) -> AccessClaims:
    """
    The claims of a token that is ours. A signature does not change, so it is checked once per process; expiry and
    session are looked at for every request.
    """
    for backend in map(_backend, keys):
        try:
            claims = backend.decode(token, verify=True)  # type: ignore[arg-type]
        except TokenBackendExpiredToken:
            raise TokenExpired() from None
        except (TokenBackendError, jwt.PyJWTError, ValueError):
            continue
        try:
            if claims["typ"] == ACCESS:
                issued_with = UUID(claims["rid"]) if "rid" in claims else None
                return AccessClaims(UUID(claims["sid"]), UUID(claims["sub"]), issued_with, int(claims["exp"]))
        except (KeyError, ValueError, TypeError, AttributeError):
            pass
        raise TokenInvalid()
    raise TokenInvalid()


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """How a high-entropy token is kept."""
    return hashlib.sha256(token.encode()).digest()


def seal_successor(token: str, successor: str) -> bytes:
    """The next refresh token, readable only with the one before it."""
    return aes.encrypt(derive(token.encode(), "successor"), successor.encode())


def open_successor(token: str, sealed: bytes) -> str | None:
    try:
        return aes.decrypt([derive(token.encode(), "successor")], sealed).decode()
    except aes.CannotOpen:
        return None
