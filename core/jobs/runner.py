"""Work over many items, where one bad item stops nothing (SECURITY-GOALS 59)."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection

logger = logging.getLogger("vectragrow.jobs")
T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How many items are `done`, how many are `left` for the next time, and how many `failed`."""

    done: int = 0
    left: int = 0
    failed: int = 0


def each(items: Iterable[T], work: Callable[[T], object], *, what: str) -> Tally:
    """
    Do `work` for every item, each in transactions of its own. What an item raises is logged and counted, and the rest
    go on; the caller's schedule brings the item back.

    :param items: ids, read to the end before the work begins
    :param work: returns False when the item is not finished yet
    :param what: what an item is, for the log
    """
    tally = Tally()
    for item in list(items):
        try:
            finished = work(item)
        except Exception:
            logger.exception("an item failed; the others go on", extra={"what": what, "item": str(item)})
            tally.failed += 1
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        else:
            if finished is False:
                tally.left += 1
            else:
                tally.done += 1
    return tally
