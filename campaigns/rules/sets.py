"""Rule sets: what they say, read from their data files, and the moments that follow from it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from django.db import models

from campaigns.rules.calendar import (
    Place,
    add_days,
    add_hours,
    add_months,
    end_of_business_days,
    end_of_calendar_days,
)

_DATA = Path(__file__).parent / "data"


class Rules(models.TextChoices):
    NONE = "none"
    US_REG_CF = "us_reg_cf"
    EU_ECSPR = "eu_ecspr"


class Unit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    """The same time on the wall."""
    CALENDAR_DAYS = "calendar_days"
    """To the end of the last day."""
    BUSINESS_DAYS = "business_days"
    """To the end of the last working day."""
    MONTHS = "months"
    YEARS = "years"
    MINOR_UNITS = "minor_units"
    PERCENT = "percent"
    PAGES = "pages"
    REQUIRED = "required"
    """No number: it is asked for, or it is not."""


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    value: int
    unit: Unit
    source: str
    """The paragraph that it comes from, or `platform` for one of our own."""
    text: str
    """For people who read docs/investor-rights.md."""

    def after(self, start: datetime, place: Place) -> datetime:
        """
        The end of the period that begins with `start`, in UTC.

        :raises ValueError: a rule that is not about time
        """
        match self.unit:
            case Unit.HOURS:
                return add_hours(start, self.value)
            case Unit.DAYS:
                return add_days(start, self.value, place)
            case Unit.MONTHS:
                return add_months(start, self.value, place)
            case Unit.YEARS:
                return add_months(start, self.value * 12, place)
            case Unit.CALENDAR_DAYS:
                return end_of_calendar_days(start, self.value, place)
            case Unit.BUSINESS_DAYS:
                return end_of_business_days(start, self.value, place)
        raise ValueError(f"{self.id} is not about time")

    def before(self, end: datetime, place: Place) -> datetime:
        """
        When the period begins that ends with `end`, in UTC. For hours, days, months and years.

        :raises ValueError: any other unit
        """
        match self.unit:
            case Unit.HOURS:
                return add_hours(end, -self.value)
            case Unit.DAYS:
                return add_days(end, -self.value, place)
            case Unit.MONTHS:
                return add_months(end, -self.value, place)
            case Unit.YEARS:
                return add_months(end, -self.value * 12, place)
        raise ValueError(f"{self.id} does not count backwards")


@dataclass(frozen=True, slots=True)
class RuleSet:
    name: Rules
    version: str
    """The day from which on it is in force, `YYYY-MM-DD`."""
    title: str
    source: str
    currency: str
    """Of its amounts, ISO 4217; empty without any."""
    country: str
    """Whose public holidays count; empty: those of the campaign's country."""
    rules: Mapping[str, Rule]

    def __contains__(self, rule_id: str) -> bool:
        return rule_id in self.rules

    def __getitem__(self, rule_id: str) -> Rule:
        """:raises KeyError: this set has no such rule"""
        rule = self.rules[rule_id]
        if self.name == Rules.NONE and rule_id == "cancel_before_deadline":
            hours = int(settings.CANCEL_WINDOW.total_seconds() // 3600)
            return Rule(rule.id, hours, rule.unit, rule.source, rule.text)
        return rule

    def cancellation_end(self, *, invested_at: datetime, ends_at: datetime, place: Place, protected: bool) -> datetime:
        """
        Until when a commitment can be taken back, in UTC; from that moment on it cannot.

        :param protected: whether the investor counts as non-sophisticated (only they have a reflection period)
        """
        if "reflection" in self:
            return self["reflection"].after(invested_at, place) if protected else invested_at
        return self["cancel_before_deadline"].before(ends_at, place)


def rule_set(name: str, version: str) -> RuleSet:
    """
    One version of a set.

    :raises KeyError: there is none
    """
    return every_version()[Rules(name), version]


@lru_cache(1000)
def version_on(name: str, day: date) -> str:
    """The version of a set that is in force on a day; of a day before the first one, the first."""
    versions = sorted(version for of, version in every_version() if of == name)
    return max((one for one in versions if one <= day.isoformat()), default=versions[0])


@cache
def every_version() -> Mapping[tuple[Rules, str], RuleSet]:
    """All sets in all their versions, by both."""
    found = {}
    for path in sorted(_DATA.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        rules = [
            Rule(one["id"], one.get("value", 0), Unit(one["unit"]), one["source"], one["text"]) for one in data["rules"]
        ]
        one = RuleSet(
            name=Rules(data["name"]),
            version=data["version"],
            title=data["title"],
            source=data["source"],
            currency=data.get("currency", ""),
            country=data.get("country", ""),
            rules={rule.id: rule for rule in rules},
        )
        found[one.name, one.version] = one
    return found
