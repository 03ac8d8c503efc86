"""The second half of a flow of several commits: continue, then answer with the present state."""

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from core.api.errors import OutcomeUnknown

logger = logging.getLogger("vectragrow.payments")
T = TypeVar("T")


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
