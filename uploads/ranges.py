"""Answering with a part of a file, which players of videos ask for (RFC 9110, section 14)."""

import re

from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.request import Request

from uploads import stores
from uploads.errors import RangeNotSatisfiable
from uploads.models import KeptBytes

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def asked_range(header: str, size: int) -> tuple[int, int] | None:
    """
    The bytes that `Range: bytes=…` asks for, as start and end (excluded); None for the whole file, also where the
    header is one that a server may ignore: another unit, several ranges, nonsense.

    :raises RangeNotSatisfiable: the file has none of these bytes
    """
    asked = _ONE_RANGE.fullmatch(header.strip())
    if asked is None or asked[1] == asked[2] == "":
        return None
    if asked[1] == "":  # the last so many
        start, end = max(size - int(asked[2]), 0), size
    else:
        start, end = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
        if asked[2] and int(asked[2]) < start:
            return None
    if start >= size or start == end:
        raise RangeNotSatisfiable(size=size)
    return start, end


def stream(request: HttpRequest | Request, kept: KeptBytes) -> StreamingHttpResponse:
    """
    The content, or the part that is asked for: 206. Read in chunks from the store.

    :raises FileNotFoundError: the store has lost it
    :raises RangeNotSatisfiable:
    """
    # There is no validator that `If-Range` could name, so whoever sends one gets the whole file.
    header = "" if "If-Range" in request.headers else request.headers.get("Range", "")
    part = asked_range(header, kept.size) if request.method == "GET" else None
    start, end = part or (0, kept.size)
    chunks = iter(()) if request.method == "HEAD" else stores.read(kept, start, end)
    response = StreamingHttpResponse(chunks, status=206 if part else 200, content_type=kept.content_type)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(end - start)
    if part:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{kept.size}"
    return response
