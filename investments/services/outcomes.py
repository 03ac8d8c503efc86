"""The second half of a flow of several commits: write an answer down, continue, then answer with the present state."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from core.api.errors import OutcomeUnknown
from core.data import sql
from investments.models import DistributionCharge, Payment
from investments.providers.base import Charge

logger = logging.getLogger("vectragrow.payments")
T = TypeVar("T")
Charged = Payment | DistributionCharge


def go_on(begun_id: UUID, *, act: Callable[[], object], look: Callable[[], T], begun: T | None) -> T:
    """
    After the first commit nothing is refused any more: what cannot be found out now is pending, and the outbox goes on.

    :param act: asks the provider and records its answer; may raise anything
    :param look: how it stands now
    :param begun: what the first commit made, if this request made it
    :raises OutcomeUnknown: a repeat that could not even look
    """
    try:
        act()
    except Exception:
        logger.exception("not finished yet; the outbox goes on", extra={"id": begun_id})
    try:
        return look()
    except (OperationalError, InterfaceError) as error:
        if begun is None:
            raise OutcomeUnknown() from error
        return begun


def write_answer(charged: Charged, status: str, answer: Charge, now: datetime, **changes: object) -> None:
    """Set the status of a locked charge and what the provider calls it, with other columns."""
    changes = {"status": status, "provider_id": answer.provider_id, "updated_at": now, **changes}
    for name, value in changes.items():
        setattr(charged, name, value)
    sql.update(charged, *changes)
