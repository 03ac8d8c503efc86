"""
CBOR as authenticators may write it (FIDO CTAP 2.2 §8, "CTAP2 canonical CBOR encoding form"): no tags, no indefinite
lengths, four levels at most.

It is checked before a library decodes it, since decoders act on tags: one of them compiles regular expressions.
"""

LEVELS = 4
_ATTESTED, _EXTENSIONS = 0x40, 0x80


def check(data: bytes) -> None:
    """:raises ValueError: not a sequence of plain items"""
    at = 0
    while at < len(data):
        at = _end_of_item(data, at, LEVELS)


def check_authenticator_data(data: bytes) -> None:
    """
    The CBOR inside of authenticator data (WebAuthn Level 3 §6.1): the public key and the extensions.

    :raises ValueError: as `check`
    """
    if len(data) < 37:
        raise ValueError("too short")
    at = 37
    if data[32] & _ATTESTED:
        at += 18 + int.from_bytes(data[53:55], "big")
    if data[32] & (_ATTESTED | _EXTENSIONS):
        check(data[at:])


def _end_of_item(data: bytes, at: int, levels: int) -> int:
    """Where the item that begins at `at` ends (RFC 8949 §3)."""
    if at >= len(data) or levels < 0:
        raise ValueError("cut short, or too deep")
    kind, argument = data[at] >> 5, data[at] & 31
    at += 1
    if argument > 27 or kind == 6:
        raise ValueError("a tag, or no length")
    if argument > 23:
        width = 1 << (argument - 24)
        argument = int.from_bytes(data[at : at + width], "big")
        at += width
    if kind in (2, 3):
        at += argument
    elif kind in (4, 5):
        for _ in range(argument * (kind - 3)):
            at = _end_of_item(data, at, levels - 1)
    if at > len(data):
        raise ValueError("cut short")
    return at
