"""How many declined payments are too many, as data (docs/velocity.md)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_DATA = Path(__file__).parent / "data"
LONGEST_WINDOW = timedelta(days=30)
"""Far less than declines are kept."""


class Counts(StrEnum):
    """Whose declines a rule counts."""

    CARD = "card"
    PERSON = "person"
    ADDRESS = "address"
    CAMPAIGN = "campaign"


class Consequence(StrEnum):
    SUSPEND_METHOD = "suspend_method"
    """The payment method of the decline that was too many."""
    HOLD = "hold"
    """Every payment of its person."""


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    counts: Counts
    failures: int
    """The decline with this number within the window is the hit."""
    window: timedelta
    consequence: Consequence
    text: str
    """For the staff who decide on the case."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    version: str
    """The day from which on it is used, `YYYY-MM-DD`."""
    rules: tuple[Rule, ...]


def rule_set() -> RuleSet:
    """
    The rules in force: those of VELOCITY_RULES_FILE, else the latest of this release.

    :raises ImproperlyConfigured: the file cannot be read, or says something that is no rule
    """
    return _read(settings.VELOCITY_RULES_FILE or str(max(_DATA.glob("velocity-*.toml"))))


@cache
def _read(path: str) -> RuleSet:
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        found = RuleSet(str(data["version"])[:20], tuple(_rule(one) for one in data["rules"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImproperlyConfigured(f"The velocity rules of {path} cannot be used: {error!r}") from error
    if len({rule.id for rule in found.rules}) != len(found.rules):
        raise ImproperlyConfigured(f"The velocity rules of {path} have one id twice.")
    return found


def _rule(one: Mapping[str, Any]) -> Rule:
    """:raises ValueError: :raises KeyError: :raises TypeError: it is no rule"""
    rule = Rule(
        id=str(one["id"]),
        counts=Counts(one["counts"]),
        failures=int(one["failures"]),
        window=timedelta(minutes=int(one["window_minutes"])),
        consequence=Consequence(one["consequence"]),
        text=str(one["text"]).strip(),
    )
    if not (1 <= len(rule.id) <= 40 and rule.failures >= 1 and timedelta(0) < rule.window <= LONGEST_WINDOW):
        raise ValueError(f"{rule.id}: an id of 1 to 40 letters, failures from 1, a window of at most 30 days")
    return rule
