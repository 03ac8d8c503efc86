"""
Long contents sealed in pieces, so that a part of one can be opened without the rest and none is ever whole in memory.

Each piece of PIECE bytes is encrypted with the content's own data key (`core.crypto.envelopes`). Its place and whether
it is the last are authenticated with it: pieces can be neither swapped nor left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from core.crypto import aes
from core.crypto.aes import CannotOpen
from core.crypto.envelopes import open_key

PIECE = 256 * 1024
"""Bytes of plaintext; the last piece may have fewer."""
SEALED_PIECE = aes.NONCE + PIECE + aes.TAG


def seal_pieces(source: IO[bytes], wrapped_key: bytes, about: str) -> Iterator[bytes]:
    """The sealed pieces of what `source` has from its position on; one even for nothing."""
    key = open_key(wrapped_key, about)
    index, piece = 0, source.read(PIECE)
    while True:
        following = source.read(PIECE)
        yield aes.encrypt(key, piece, _place(about, index, is_last=not following))
        if not following:
            return
        index, piece = index + 1, following


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` (excluded) of a content of `size` bytes, and the sealed pieces that they are in."""

    start: int
    end: int
    size: int

    @property
    def first(self) -> int:
        return self.start // PIECE

    @property
    def sealed_start(self) -> int:
        return self.first * SEALED_PIECE

    @property
    def sealed_end(self) -> int:
        """Where the last of these pieces ends, at the latest: the content's last piece is shorter."""
        return (max(self.end - 1, 0) // PIECE + 1) * SEALED_PIECE

    @property
    def last_of_content(self) -> int:
        return max(self.size - 1, 0) // PIECE


def open_pieces(sealed: Iterable[bytes], wrapped_key: bytes, about: str, part: Part) -> Iterator[bytes]:
    """
    A part of a sealed content.

    :param sealed: the bytes from `part.sealed_start` to `part.sealed_end`, in chunks of any length
    :raises CannotOpen: changed, cut short, or not under this key
    """
    key = open_key(wrapped_key, about)
    index, position = part.first, part.first * PIECE
    for piece in _in_pieces(sealed):
        content = aes.decrypt([key], piece, _place(about, index, is_last=index == part.last_of_content))
        yield content[max(part.start - position, 0) : part.end - position]
        index, position = index + 1, position + len(content)
    if position < part.end:
        raise CannotOpen(about)


def _place(about: str, index: int, *, is_last: bool) -> str:
    return f"{about}:{index}:{'last' if is_last else 'more'}"


def _in_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        rest += chunk
        while len(rest) >= SEALED_PIECE:
            yield rest[:SEALED_PIECE]
            rest = rest[SEALED_PIECE:]
    if rest:
        yield rest
