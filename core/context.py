"""What is known about the request at hand anywhere below it: its id, the address it came from, and the device."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
