"""
Papers at rest: each in an envelope, sealed with a data key of its own.

The data key is kept beside it, wrapped by one of settings.DOCUMENT_KEYS. Those keys live outside the database. The
first one wraps, all unwrap: a new key is put in front, and the old one may go when `manage.py rewrap_keys` has run.
`about` (what the thing is, and its id) is associated data of both encryptions: a ciphertext moved to another row does
not open. The platform's own small secrets are in `core.crypto.sealing`.
"""

import base64
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.crypto import aes
from core.crypto.aes import CannotOpen

WRAPPED_KEY = aes.NONCE + aes.KEY + aes.TAG
"""Bytes of a wrapped data key."""


def new_key(about: str) -> bytes:
    """A data key, wrapped."""
    return aes.encrypt(_wrapping_keys()[0], aes.new_key(), about)


def open_key(wrapped_key: bytes, about: str) -> bytes:
    """The data key itself. :raises CannotOpen:"""
    return aes.decrypt(_wrapping_keys(), wrapped_key, about)


def seal_text(text: str, about: str) -> bytes:
    """A short text with its wrapped key in front, for one column. Files are sealed by `core.crypto.pieces`."""
    wrapped = new_key(about)
    return wrapped + aes.encrypt(open_key(wrapped, about), text.encode(), about)


def unseal_text(blob: bytes, about: str) -> str:
    """:raises CannotOpen:"""
    key = open_key(bytes(blob[:WRAPPED_KEY]), about)
    return aes.decrypt([key], bytes(blob[WRAPPED_KEY:]), about).decode()


def rewrap(key: bytes, about: str) -> bytes | None:
    """The same data key under the first wrapping key; None if it is under that one already. :raises CannotOpen:"""
    keys = _wrapping_keys()
    try:
        aes.decrypt(keys[:1], key, about)
    except CannotOpen:
        return aes.encrypt(keys[0], aes.decrypt(keys[1:], key, about), about)
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


def _wrapping_keys() -> list[bytes]:
    keys = [base64.b64decode(text, validate=True) for text in settings.DOCUMENT_KEYS]
    if not keys or any(len(key) != aes.KEY for key in keys):
        raise ImproperlyConfigured("DOCUMENT_KEYS must hold at least one base64 key of 32 bytes.")
    return keys
