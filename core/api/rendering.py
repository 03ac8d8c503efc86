"""Bodies out, by msgspec: outputs (`core.api.outputs`), dictionaries and lists; moments as RFC 3339 in UTC with `Z`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


def _other(value: Any) -> Any:
    if isinstance(value, str | Promise):  # subclasses, and text that is translated when it is written
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here; money goes out as text")


_encoder = msgspec.json.Encoder(enc_hook=_other)


def to_json(value: Any) -> bytes:
    """JSON bytes. Refuses `Decimal`: an amount is text (core.money)."""
    return _encoder.encode(value)


def utc_text(moment: datetime) -> str:
    """`2026-11-23T10:00:00.123456Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_json(data)
