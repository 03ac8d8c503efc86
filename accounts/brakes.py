"""
How much somebody new may do: the rules are data, and `require_brake` is what the apps above ask (docs/moderation.md).

They are for accounts that were made to send spam. Whoever has been here for a month, or has proven their identity, has
the limits that everybody has.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from accounts.errors import SlowDown, TooManyLinks
from core.api import limits
from core.api.limits import Limit, RateLimited


class Action(StrEnum):
    POSTS = "posts"
    COMMENTS = "comments"
    MENTIONS = "mentions"
    FOLLOWS = "follows"
    INVITATIONS = "invitations"
    GROUPS = "groups"
    CHANNELS = "channels"
    CONVERSATIONS = "conversations"


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Brake:
    """What somebody may do whose account is younger than `younger_than`."""

    younger_than: timedelta
    links: int
    """Links in one post or comment."""
    most: dict[Action, tuple[int, timedelta]]
    """How often in which time."""


RULES = (
    Brake(
        younger_than=timedelta(days=1),
        links=3,
        most={
            Action.POSTS: (30, HOUR),
            Action.COMMENTS: (60, HOUR),
            Action.MENTIONS: (40, HOUR),
            Action.FOLLOWS: (100, HOUR),
            Action.INVITATIONS: (20, HOUR),
            Action.GROUPS: (10, DAY),
            Action.CHANNELS: (10, DAY),
            Action.CONVERSATIONS: (30, HOUR),
        },
    ),
    Brake(
        younger_than=timedelta(days=7),
        links=5,
        most={
            Action.POSTS: (60, HOUR),
            Action.COMMENTS: (120, HOUR),
            Action.MENTIONS: (80, HOUR),
            Action.FOLLOWS: (150, HOUR),
            Action.INVITATIONS: (40, HOUR),
            Action.GROUPS: (15, DAY),
            Action.CHANNELS: (15, DAY),
            Action.CONVERSATIONS: (40, HOUR),
        },
    ),
    Brake(
        younger_than=timedelta(days=30),
        links=10,
        most={
            Action.MENTIONS: (200, HOUR),
            Action.CONVERSATIONS: (50, HOUR),
        },
    ),
)
"""The first one that fits counts: youngest first."""

_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE | re.ASCII)


def brake_of(person: Any, now: datetime) -> Brake | None:
    """The rule for a person; None: no brake."""
    if person.kyc_verified:
        return None
    age = now - person.created_at
    return next((rule for rule in RULES if age < rule.younger_than), None)


def require_brake(person: Any, action: Action, amount: int, now: datetime) -> None:
    """
    Count what somebody new is about to do. Call it before the transaction: it counts in Redis. A request that is
    refused for another reason is not counted; the limits that everybody has count it.

    :param amount: how many: people named, follows
    :raises SlowDown: it is too much for so new an account; nothing is counted
    """
    brake = brake_of(person, now)
    if brake is None or amount <= 0 or action not in brake.most:
        return
    most, window = brake.most[action]
    # Each rule counts for itself, so whoever grows out of one begins the next at zero.
    limit = Limit(f"brake:{action}:{brake.younger_than.days}", most, window)
    try:
        limits.hit_if_accepted(limit, person.pk, cost=amount)
    except RateLimited as reached:
        raise SlowDown(retry_after=reached.retry_after) from None


def require_few_links(person: Any, text: str, now: datetime) -> None:
    """:raises TooManyLinks: more links than so new an account may write in one text"""
    brake = brake_of(person, now)
    if brake is not None and len(_LINK.findall(text)) > brake.links:
        raise TooManyLinks(field="content", most=brake.links)


BEGIN, END = "<!-- brakes: accounts/brakes.py -->", "<!-- end of brakes -->"


def table() -> str:
    """The rules as the Markdown table of docs/moderation.md, between its two marks."""
    heads = [f"younger than {_days(rule.younger_than)}" for rule in RULES]
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    lines.append(f"| links in a text | {' | '.join(str(rule.links) for rule in RULES)} |")
    for action in Action:
        cells = [_rate(rule.most.get(action)) for rule in RULES]
        lines.append(f"| {action} | {' | '.join(cells)} |")
    return "\n".join([BEGIN, *lines, END])


def _days(age: timedelta) -> str:
    return "a day" if age.days == 1 else f"{age.days} days"


def _rate(rate: tuple[int, timedelta] | None) -> str:
    return "–" if rate is None else f"{rate[0]} {'an hour' if rate[1] == HOUR else 'a day'}"
