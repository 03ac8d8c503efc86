"""Small secrets at rest: sealed with AES-256-GCM under a key made from SECRET_KEY, one key per purpose."""

import hmac
import os
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class CannotOpen(Exception):
    """Sealed under a secret that is gone, for another purpose, or damaged."""


def seal(value: Any, *, purpose: str) -> bytes:
    """`value` (anything JSON) as nonce and ciphertext; nobody who reads only the database can open it."""
    nonce = os.urandom(12)
    return nonce + AESGCM(_key(settings.SECRET_KEY, purpose)).encrypt(nonce, orjson.dumps(value), None)


def unseal(sealed: bytes | memoryview, *, purpose: str) -> Any:
    """
    The value again; secrets that were rotated out into SECRET_KEY_FALLBACKS still open.

    :raises CannotOpen:
    """
    data = bytes(sealed)
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return orjson.loads(AESGCM(_key(secret, purpose)).decrypt(data[:12], data[12:], None))
        except (InvalidTag, ValueError):
            continue
    raise CannotOpen(purpose)


def _key(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"sealed: {purpose}".encode(), "sha256")
