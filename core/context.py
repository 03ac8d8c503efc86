"""What is known about the request at hand anywhere below it: its id, the address it came from, its limits."""

from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
limits_met: ContextVar[dict[str, Any] | None] = ContextVar("limits_met", default=None)
"""How the request's caller stands with each limit that was asked (`core.api.limits.Standing` by name)."""
