"""AES-256-GCM, the one cipher of the platform: nonce, ciphertext and tag in one piece."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE, TAG, KEY = 12, 16, 32
"""Bytes."""


class CannotOpen(Exception):
    """None of our keys decrypts this, or it was changed, or `about` is another."""


def new_key() -> bytes:
    return AESGCM.generate_key(bit_length=8 * KEY)


def encrypt(key: bytes, content: bytes, about: str = "") -> bytes:
    """:param about: what this is, authenticated with it: it does not open as anything else"""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, about.encode())


def decrypt(keys: list[bytes], sealed: bytes, about: str = "") -> bytes:
    """
    The content, by the first of these keys that opens it.

    :raises CannotOpen: none does
    """
    for key in keys:
        try:
            return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
        except (InvalidTag, ValueError):
            continue
    raise CannotOpen(about)
