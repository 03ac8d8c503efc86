"""
Keys made from SECRET_KEY, one per purpose (HKDF-SHA-256, RFC 5869).

Keys of different purposes are independent: what was sealed or signed for one purpose is of no use for another.
While SECRET_KEY is rotated, keys of SECRET_KEY_FALLBACKS still open and check; the first key seals and signs.
"""

import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def keys_for(purpose: str) -> list[bytes]:
    """Keys of 32 bytes for this purpose: of the present secret first, then of each earlier one."""
    return [_own_key(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def keys_bound_to(context: bytes, purpose: str) -> list[bytes]:
    """As `keys_for`, of 32 bytes that only somebody who knows `context` as well can make again."""
    return [hmac.digest(key, context, "sha256") for key in keys_for(purpose)]


@lru_cache(1000)
def _own_key(secret: str, purpose: str) -> bytes:
    return derive(secret.encode(), purpose)


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes. `secret` has at least 128 random bits; never a password."""
    return HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


def fingerprint(value: bytes, kind: str) -> bytes:
    """HMAC-SHA-256: equal values of a kind give equal fingerprints, which cannot be reversed without the secret."""
    return fingerprints(value, kind)[0]


def fingerprints(value: bytes, kind: str) -> list[bytes]:
    """The fingerprint under the present secret and under each earlier one, for searching."""
    return keys_bound_to(value, f"fingerprint: {kind}")
