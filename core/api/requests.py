"""The request as our views see it."""

from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from rest_framework.request import Request as DRFRequest

from core.api.principals import Principal


class Ticket(Protocol):
    """What a POST of several commits binds its `Idempotency-Key` with (core.api.idempotency)."""

    result_id: UUID | None

    def bind(self, result_id: UUID) -> None: ...

    def leave_open(self) -> None: ...


class Request(DRFRequest):
    """`user` is the person or `Anonymous`, `auth` their principal, `ticket` what a multi-phase POST binds."""

    if TYPE_CHECKING:
        user: Any
        auth: Principal
        ticket: Ticket
