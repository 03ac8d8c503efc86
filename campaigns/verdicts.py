"""What a check says at a moment: allowed or not, by which rule, and when that changes by the clock alone."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from core.api.errors import Refusal


class Verdict(NamedTuple):
    refusal: Refusal | None = None
    """None: nothing is against it."""
    rule: str = ""
    """The rule of the campaign's set that decides it, if one does."""
    changes_at: datetime | None = None
    """When the answer changes by the clock alone; None: never."""

    def require(self) -> None:
        """:raises Refusal: the one that it says"""
        if self.refusal is not None:
            raise self.refusal


ALLOWED = Verdict()


def first_refusal(checks: Iterable[Callable[[], Verdict]]) -> Verdict:
    """
    The first verdict that refuses; else an allowance until the first of them changes.

    :param checks: asked one after the other, in the order in which the call itself checks
    """
    until: Verdict = ALLOWED
    for check in checks:
        verdict = check()
        if verdict.refusal is not None:
            return verdict
        if verdict.changes_at is not None and (until.changes_at is None or verdict.changes_at < until.changes_at):
            until = verdict
    return until
