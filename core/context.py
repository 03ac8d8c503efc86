"""Context of the current request, readable from any layer: its id, client address and limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
limits_met: ContextVar[dict[str, Any] | None] = ContextVar("limits_met", default=None)
"""The state of each limit that this request was counted against (`core.api.limits.LimitState` by name)."""

counted_if_accepted: ContextVar[list[Any] | None] = ContextVar("counted_if_accepted", default=None)
"""What this request was counted for only if it is not refused: limit, key and cost (`core.api.limits`)."""


@contextmanager
def under_request(id: str) -> Iterator[None]:
    """What happens inside is logged and recorded as caused by this request."""
    token = request_id.set(id)
    try:
        yield
    finally:
        request_id.reset(token)
