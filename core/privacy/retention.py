"""Deleting what is past its time: one job for all apps, from their declarations."""

from datetime import datetime

from django.db.models import Model

from core.data.transactions import delete_in_batches
from core.jobs.runner import each
from core.privacy.declarations import Declaration, DeleteAfter, Retention, every_declaration


def run_retention(*, now: datetime, only: type[Model] | None = None) -> dict[str, int]:
    """
    Delete the rows whose time is over, in short statements. Safe to repeat and to run side by side; a rule that fails
    is logged and the others go on.

    :param only: only the rules of this model
    :returns: how many rows were taken out, by the declaration's name
    """
    counts: dict[str, int] = {}

    def carry_out(step: tuple[Declaration, Retention]) -> None:
        declaration, rule = step
        if isinstance(rule, DeleteAfter):
            count = delete_in_batches(rule.due(declaration.model, now))
        elif callable(rule):
            count = rule(now=now)
        else:
            return
        counts[declaration.name] = counts.get(declaration.name, 0) + count

    declarations = [declaration for declaration in every_declaration() if only in (None, declaration.model)]
    steps = [(declaration, rule) for declaration in declarations for rule in declaration.retention]
    each(steps, carry_out, what="retention rule")
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
