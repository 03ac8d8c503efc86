"""Deleting what is past its time: one job for all apps, from their declarations."""

import logging
from datetime import datetime

from core.data.transactions import delete_in_batches
from core.privacy.declarations import DeleteAfter, every_declaration

logger = logging.getLogger("vectragrow.privacy")


def rules(now: datetime) -> list[str]:
    """The names of all rules that delete, for the job: the declaration's name and the rule's place in it."""
    return [
        f"{declaration.name} {place}"
        for declaration in every_declaration()
        for place, rule in enumerate(declaration.retention)
        if isinstance(rule, DeleteAfter) or callable(rule)
    ]


def carry_out(name: str, *, now: datetime) -> int:
    """
    Delete what one rule says, in short statements. Safe to repeat and to run side by side.

    :returns: how many rows were taken out
    """
    about, _, place = name.rpartition(" ")
    declaration = next(each for each in every_declaration() if each.name == about)
    rule = declaration.retention[int(place)]
    if isinstance(rule, DeleteAfter):
        count = delete_in_batches(rule.due(declaration.model, now))
    else:
        count = rule(now=now) if callable(rule) else 0
    logger.info("retention", extra={"rule": name, "count": count})
    return count


def count_due(*, now: datetime) -> dict[str, int]:
    """How many rows the job would delete, by the declaration's name. Rules that are functions are left out."""
    counts: dict[str, int] = {}
    for declaration in every_declaration():
        for rule in declaration.retention:
            if isinstance(rule, DeleteAfter):
                due = rule.due(declaration.model, now).count()
                counts[declaration.name] = counts.get(declaration.name, 0) + due
    return counts
