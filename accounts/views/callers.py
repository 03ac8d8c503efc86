"""What the views of this app read from a request."""

from typing import Any

from core import clock, context
from core.api.requests import Request
from core.devices import sent_by


def device_of(request: Request) -> str:
    return sent_by(request.headers)


def caller_of(request: Request) -> dict[str, Any]:
    """Where a proof of identity comes from, and when."""
    return {"address": context.client_address.get(), "device": device_of(request), "now": clock.now()}
