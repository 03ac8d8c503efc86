"""
Bytes in the two stores: in the public one as they are, in the private one sealed. Nothing here holds a file whole in
memory.

A store is a Django storage; one that is across a network also has `read_range`, so that only what is asked for travels.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Protocol, TypeVar, runtime_checkable

from django.core.files.base import File
from django.core.files.storage import Storage, storages

from core.crypto import envelopes, pieces
from core.crypto.pieces import Part
from uploads.models import KeptBytes

K = TypeVar("K", bound=KeptBytes)

PUBLIC, PRIVATE = "default", "private"
"""The names of the stores in settings.STORAGES."""
CHUNK = 64 * 1024
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
"""What may be public, by content type."""


@runtime_checkable
class Ranged(Protocol):
    def read_range(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes `start` to `end` (excluded). :raises FileNotFoundError: at the call, not later"""


def new_name(content_type: str, *, is_sealed: bool, now: datetime) -> str:
    """A name that nobody can guess. It begins with its day, by which `services.orphans` finds what was left behind."""
    return f"{now:%Y/%m/%d}/{secrets.token_hex(16)}.{'sealed' if is_sealed else EXTENSIONS[content_type]}"


def elsewhere(kept: K, *, is_sealed: bool, size: int, now: datetime) -> K:
    """The same row with a new place, and a key if it is to be sealed. It is not saved, and nothing is there yet."""
    placed = type(kept)(pk=kept.pk, content_type=kept.content_type, size=size)
    if is_sealed:
        placed.wrapped_key = envelopes.new_key(placed.sealed_as)
    placed.storage_name = new_name(kept.content_type, is_sealed=is_sealed, now=now)
    return placed


def name_of_store(kept: KeptBytes) -> str:
    return PRIVATE if kept.is_sealed else PUBLIC


def save(kept: KeptBytes, content: IO[bytes]) -> None:
    """Store the content under `kept.storage_name`, sealed with its key if it has one."""
    if kept.wrapped_key is None:
        _store(kept).save(kept.storage_name, File(content))
        return
    with TemporaryFile() as sealed:
        content.seek(0)
        for piece in pieces.seal_pieces(content, bytes(kept.wrapped_key), kept.sealed_as):
            sealed.write(piece)
        sealed.seek(0)
        _store(kept).save(kept.storage_name, File(sealed))


def read(kept: KeptBytes, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """
    The content from `start` to `end` (excluded), in chunks; opened if it is sealed.

    :raises FileNotFoundError: the store has lost it; at the call
    :raises core.crypto.aes.CannotOpen: the store gives back something else; while it is read
    """
    part = Part(start, kept.size if end is None else end, kept.size)
    if kept.wrapped_key is None:
        return _read_range(_store(kept), kept.storage_name, part.start, part.end)
    sealed = _read_range(_store(kept), kept.storage_name, part.sealed_start, part.sealed_end)
    return pieces.open_pieces(sealed, bytes(kept.wrapped_key), kept.sealed_as, part)


def delete(store: str, name: str) -> None:
    """Safe to repeat."""
    storages[store].delete(name)


def _store(kept: KeptBytes) -> Storage:
    return storages[name_of_store(kept)]


def _read_range(store: Storage, name: str, start: int, end: int) -> Iterator[bytes]:
    if isinstance(store, Ranged):
        return store.read_range(name, start, end)
    handle = store.open(name)
    handle.seek(start)
    return _chunks(handle, end - start)


def _chunks(handle: "File[bytes]", left: int) -> Iterator[bytes]:
    with handle:
        while left > 0 and (chunk := handle.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
