"""
Papers at rest: envelopes of AES-256-GCM, and keyed fingerprints to compare what may not be read.

Every sealed thing has its own data key, which is kept beside it wrapped by one of settings.DOCUMENT_KEYS. Those keys
live outside the database. The first one wraps, all unwrap: a new key is put in front, and the old one may go when
`manage.py rewrap_keys` has run. `about` (what the thing is, and its id) is associated data of both encryptions: a
ciphertext that is moved to another row does not open. The platform's own small secrets are in `core.crypto.sealing`.
"""

import base64
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE = 12
WRAPPED_KEY = NONCE + 32 + 16
"""Bytes of a wrapped data key: nonce, key, tag."""


class SealBroken(Exception):
    """No key of ours opens this, or it was changed, or it belongs to something else."""


@dataclass(frozen=True, slots=True)
class Sealed:
    content: bytes
    key: bytes
    """The data key, wrapped."""


def seal(content: bytes, about: str) -> Sealed:
    data_key = AESGCM.generate_key(bit_length=256)
    return Sealed(content=_encrypt(data_key, content, about), key=_encrypt(_wrapping_keys()[0], data_key, about))


def unseal(sealed: Sealed, about: str) -> bytes:
    """:raises SealBroken:"""
    return _decrypt(_unwrap(sealed.key, about), sealed.content, about)


def seal_text(text: str, about: str) -> bytes:
    """A short text with its wrapped key in front, for one column."""
    sealed = seal(text.encode(), about)
    return sealed.key + sealed.content


def unseal_text(blob: bytes, about: str) -> str:
    """:raises SealBroken:"""
    return unseal(Sealed(key=bytes(blob[:WRAPPED_KEY]), content=bytes(blob[WRAPPED_KEY:])), about).decode()


def rewrap(key: bytes, about: str) -> bytes | None:
    """The same data key under the first wrapping key; None if it is under that one already. :raises SealBroken:"""
    first = _wrapping_keys()[0]
    try:
        _decrypt(first, key, about)
    except SealBroken:
        return _encrypt(first, _unwrap(key, about), about)
    return None


Rewrapper = Callable[[], int]
_rewrappers: dict[str, Rewrapper] = {}


def rewraps(what: str) -> Callable[[Rewrapper], Rewrapper]:
    """Register who goes over one kind of kept envelope: wraps each key anew and returns how many it changed."""

    def register(rewrapper: Rewrapper) -> Rewrapper:
        _rewrappers[what] = rewrapper
        return rewrapper

    return register


def rewrap_all() -> dict[str, int]:
    """Put every kept data key under the first wrapping key. Safe to repeat. How many were changed, by kind."""
    return {what: rewrapper() for what, rewrapper in sorted(_rewrappers.items())}


def fingerprint(value: bytes, kind: str) -> bytes:
    """HMAC-SHA-256 under SECRET_KEY: equal values give equal fingerprints, nobody without it guesses back."""
    return fingerprints(value, kind)[0]


def fingerprints(value: bytes, kind: str) -> list[bytes]:
    """The fingerprint under the present secret and under each of SECRET_KEY_FALLBACKS, for searching."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hmac.digest(secret.encode(), b"fingerprint:" + kind.encode(), "sha256") for secret in secrets]
    return [hmac.digest(key, value, "sha256") for key in keys]


def _wrapping_keys() -> list[bytes]:
    keys = [base64.b64decode(text, validate=True) for text in settings.DOCUMENT_KEYS]
    if not keys or any(len(key) != 32 for key in keys):
        raise ImproperlyConfigured("DOCUMENT_KEYS must hold at least one base64 key of 32 bytes.")
    return keys


def _unwrap(key: bytes, about: str) -> bytes:
    for wrapping_key in _wrapping_keys():
        try:
            return _decrypt(wrapping_key, key, about)
        except SealBroken:
            continue
    raise SealBroken(about)


def _encrypt(key: bytes, content: bytes, about: str) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, about.encode())


def _decrypt(key: bytes, content: bytes, about: str) -> bytes:
    try:
        return AESGCM(key).decrypt(content[:NONCE], content[NONCE:], about.encode())
    except (InvalidTag, ValueError):
        raise SealBroken(about) from None
