"""ETag and If-Match: nobody overwrites a change they have not seen (RFC 9110 §13.1.1)."""

import re

from core.api.errors import Stale
from core.api.requests import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def if_match(request: Request) -> frozenset[str] | None:
    """
    The tags the client names, or None when it does not care: no header, or `*`.

    A weak form of our tag is the same tag (API.md, concurrency): a proxy that compresses answers makes `W/"7"` of
    `"7"`, and the client can only send back what it got. A header without any tag matches nothing.
    """
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return None
    return frozenset(_TAG.findall(header))


def require_match(expected: frozenset[str] | None, etag: str) -> None:
    """Call it after the lock. :raises Stale: the row is at another version by now"""
    if expected is not None and etag not in expected:
        raise Stale()
