"""The request as our views see it."""

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request as DRFRequest

if TYPE_CHECKING:
    from core.api.idempotency import Ticket
    from core.api.principals import Principal


class Request(DRFRequest):
    """`user` is the person or `Anonymous`, `auth` their principal, `ticket` what a multi-phase POST binds."""

    if TYPE_CHECKING:
        user: Any
        auth: Principal
        ticket: Ticket
