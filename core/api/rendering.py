"""Bodies out: orjson, with times as RFC 3339 in UTC with `Z`."""

from datetime import UTC, datetime
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_PASSTHROUGH_SUBCLASS


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str | Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here; money goes out as text")


def to_json(value: Any) -> bytes:
    """JSON bytes. Refuses floats' cousins such as Decimal: an amount is text (core.money)."""
    return orjson.dumps(value, default=_other, option=_OPTIONS)


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
