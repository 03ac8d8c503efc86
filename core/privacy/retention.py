"""Deleting what is past its time: one job for all apps, from their declarations."""

from datetime import datetime

from django.db.models import Model

from core.data.transactions import delete_in_batches
from core.jobs.runner import each
from core.privacy.declarations import DeleteAfter, every_declaration


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
        return delete_in_batches(rule.due(declaration.model, now))
    return rule(now=now) if callable(rule) else 0


def run_retention(*, now: datetime, only: type[Model] | None = None) -> dict[str, int]:
    """
    Carry out every rule. One that fails is logged and the others go on.

    :param only: only the rules of this model
    :returns: how many rows were taken out, by the declaration's name
    """
    counts: dict[str, int] = {}
    wanted = {declaration.name for declaration in every_declaration() if only in (None, declaration.model)}

    def count(name: str) -> None:
        about = name.rpartition(" ")[0]
        counts[about] = counts.get(about, 0) + carry_out(name, now=now)

    each([name for name in rules(now) if name.rpartition(" ")[0] in wanted], count, what="retention rule")
    return counts


def count_due(*, now: datetime) -> dict[str, int]:
    """How many rows `run_retention` would delete, by the declaration's name. Rules that are functions are left out."""
    counts: dict[str, int] = {}
    for declaration in every_declaration():
        for rule in declaration.retention:
            if isinstance(rule, DeleteAfter):
                due = rule.due(declaration.model, now).count()
                counts[declaration.name] = counts.get(declaration.name, 0) + due
    return counts
