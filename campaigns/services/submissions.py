"""Snapshots of submitted campaigns, and what their owners changed since, for reviewers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Submission
from core.money import Money

MOST_COMPARISONS = 250_000
"""Texts whose differing parts have more pairs of words are shown one after the other: comparing would take long."""


def _money(column: str) -> Callable[[Campaign], str]:
    def text(campaign: Campaign) -> str:
        minor = getattr(campaign, column)
        return "" if minor is None else str(Money(minor, campaign.currency))

    return text


def _moment(column: str) -> Callable[[Campaign], str]:
    def text(campaign: Campaign) -> str:
        moment: datetime | None = getattr(campaign, column)
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""

    return text


def _plain(column: str) -> Callable[[Campaign], str]:
    def text(campaign: Campaign) -> str:
        value = getattr(campaign, column)
        return "" if value is None else str(value)

    return text


FIELDS: dict[str, tuple[Any, Callable[[Campaign], str]]] = {
    "title": (_("Title"), _plain("title")),
    "summary": (_("Summary"), _plain("summary")),
    "description": (_("Description"), _plain("description")),
    "category": (_("Category"), _plain("category")),
    "goal": (_("Goal"), _money("goal_minor")),
    "cap": (_("At most"), _money("max_minor")),
    "minimum": (_("Each at least"), _money("min_investment_minor")),
    "starts": (_("Starts"), _moment("starts_at")),
    "ends": (_("Ends"), _moment("ends_at")),
    "return": (_("Promised return"), _plain("expected_return_percent")),
    "rules": (_("Rules"), _plain("rules")),
    "country": (_("Country"), _plain("country")),
    "time_zone": (_("Time zone"), _plain("time_zone")),
    "fiscal_year_end": (_("End of the fiscal year"), _plain("fiscal_year_end")),
}
"""What a snapshot holds: the label for reviewers, and how its text is made."""


@dataclass(frozen=True)
class Piece:
    """Words that are in both texts (`same`), only in the old one (`gone`) or only in the new one (`new`)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Change:
    label: Any
    pieces: list[Piece]


@dataclass(frozen=True)
class Changes:
    """What differs between a submission and the campaign now."""

    fields: list[Change]
    new_pictures: frozenset[UUID]
    """Files that were not part of the submission."""
    removed_pictures: int
    pictures_moved: bool
    """The same pictures in another order."""

    def __bool__(self) -> bool:
        return bool(self.fields or self.new_pictures or self.removed_pictures or self.pictures_moved)


def keep_submission(campaign: Campaign, *, now: datetime) -> Submission:
    """Keep what is submitted, in the caller's transaction."""
    fields = {name: text(campaign) for name, (_label, text) in FIELDS.items()}
    pictures = [str(file_id) for file_id in _pictures(campaign)]
    return Submission.objects.create(campaign=campaign, fields=fields, pictures=pictures, created_at=now)


def changes_since(submission: Submission, campaign: Campaign) -> Changes:
    """What the owner changed since: words, terms and pictures."""
    fields = []
    for name, (label, text) in FIELDS.items():
        before, after = submission.fields.get(name, ""), text(campaign)
        if before != after:
            fields.append(Change(label, differences(before, after)))
    before_ids, after_ids = [UUID(one) for one in submission.pictures], _pictures(campaign)
    return Changes(
        fields=fields,
        new_pictures=frozenset(after_ids) - frozenset(before_ids),
        removed_pictures=len(frozenset(before_ids) - frozenset(after_ids)),
        pictures_moved=before_ids != after_ids and frozenset(before_ids) == frozenset(after_ids),
    )


def differences(before: str, after: str) -> list[Piece]:
    """The words of both texts in the order in which they are read, what is gone before what came for it."""
    old, new = re.findall(r"\s+|[^\s]+", before), re.findall(r"\s+|[^\s]+", after)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    pieces = [Piece("same", "".join(old[:head]))]
    if len(middle_old) * len(middle_new) > MOST_COMPARISONS:
        pieces += [Piece("gone", "".join(middle_old)), Piece("new", "".join(middle_new))]
    else:
        for kind, a, b, c, d in SequenceMatcher(None, middle_old, middle_new, autojunk=False).get_opcodes():
            if kind == "equal":
                pieces.append(Piece("same", "".join(middle_old[a:b])))
            else:
                pieces += [Piece("gone", "".join(middle_old[a:b])), Piece("new", "".join(middle_new[c:d]))]
    pieces.append(Piece("same", "".join(old[len(old) - tail :]) if tail else ""))
    return [piece for piece in pieces if piece.text]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _pictures(campaign: Campaign) -> list[UUID]:
    return list(campaign.media.order_by("position").values_list("file_id", flat=True))
