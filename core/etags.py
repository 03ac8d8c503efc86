"""ETag and If-Match: nobody overwrites a change they have not seen (RFC 9110 §13.1.1)."""

from core.errors import Stale
from core.requests import Request


def if_match(request: Request) -> frozenset[str] | None:
    """The tags the client names, or None when it does not care: no header, or `*`."""
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return None
    return frozenset(tag.strip() for tag in header.split(","))


def require_match(expected: frozenset[str] | None, etag: str) -> None:
    """Call it after the lock. :raises Stale: the row is at another version by now"""
    if expected is not None and etag not in expected:
        raise Stale()
