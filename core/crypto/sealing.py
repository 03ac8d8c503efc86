"""Small secrets of the platform at rest: sealed under a key made from SECRET_KEY, one key per purpose."""

from typing import Any

import orjson

from core.crypto import aes
from core.crypto.aes import CannotOpen
from core.crypto.keys import keys_for

__all__ = ["CannotOpen", "seal", "unseal"]


def seal(value: Any, *, purpose: str) -> bytes:
    """`value` (anything JSON), so that nobody who reads only the database can open it."""
    return aes.encrypt(keys_for(f"sealed: {purpose}")[0], orjson.dumps(value))


def unseal(sealed: bytes | memoryview, *, purpose: str) -> Any:
    """
    The value again; what was sealed under a secret of SECRET_KEY_FALLBACKS still opens.

    :raises CannotOpen: sealed under a secret that is gone, for another purpose, or damaged
    """
    return orjson.loads(aes.decrypt(keys_for(f"sealed: {purpose}"), bytes(sealed)))
