"""Contents sealed in pieces: any part opens without the rest, and nothing can be swapped, cut or taken for another."""

from io import BytesIO

import pytest
from hypothesis import given, settings, strategies as st

from core.crypto import envelopes
from core.crypto.aes import CannotOpen
from core.crypto.pieces import PIECE, SEALED_PIECE, Part, open_pieces, seal_pieces

ABOUT = "file:1"
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 5]


def sealed(content: bytes) -> tuple[bytes, bytes]:
    key = envelopes.new_key(ABOUT)
    return key, b"".join(seal_pieces(BytesIO(content), key, ABOUT))


def opened(whole: bytes, key: bytes, part: Part, about: str = ABOUT) -> bytes:
    cut = whole[part.sealed_start : part.sealed_end]
    chunks = (cut[start : start + 100_000] for start in range(0, len(cut), 100_000))
    return b"".join(open_pieces(chunks, key, about, part))


@pytest.mark.parametrize("size", SIZES)
def test_the_whole_comes_back(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    key, whole = sealed(content)
    assert opened(whole, key, Part(0, size, size)) == content
    assert len(whole) == size + 28 * max(1, -(-size // PIECE))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIZES[1:]), st.data())
def test_every_part_comes_back(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    content = bytes(index * 7 % 251 for index in range(1000)) * (size // 1000 + 1)
    content = content[:size]
    key, whole = sealed(content)
    assert opened(whole, key, Part(start, end, size)) == content[start:end]


def test_pieces_are_bound_to_their_place_and_to_the_end() -> None:
    size = 2 * PIECE + 5
    key, whole = sealed(b"a" * size)
    one, two, three = whole[:SEALED_PIECE], whole[SEALED_PIECE : 2 * SEALED_PIECE], whole[2 * SEALED_PIECE :]
    everything = Part(0, size, size)
    for changed in (
        two + one + three,
        one + two,
        one + three,
        whole[:-1],
        whole + b"x",
        b"",
        one + two + three + three,
    ):
        with pytest.raises(CannotOpen):
            opened(changed, key, everything)
    for shorter in (Part(0, PIECE, PIECE), Part(0, 2 * PIECE, 2 * PIECE)):
        with pytest.raises(CannotOpen):
            opened(whole, key, shorter)
    with pytest.raises(CannotOpen):
        opened(whole, key, everything, about="file:2")
