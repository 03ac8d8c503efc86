"""docs/investor-rights.md: every rule of every set with its value, a worked example and the paragraph it comes from."""

from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns.rules.calendar import Place
from campaigns.rules.sets import Rule, Rules, RuleSet, Unit, every_version

_INTRODUCTION = """\
# What investors may do, and until when

Made from the data in `campaigns/rules/data` by `manage.py investor_rights_doc`; do not edit.

A campaign says which set of rules holds for it (`rules`), and keeps the version that was in force when it was submitted
(`rulesVersion`). The sets are **defaults for operators and not legal advice**: whoever runs the platform checks with
counsel which law holds, and changes the data where it says something else. What is asked of an investor before a
commitment, and how limits are computed, is told in [eligibility](eligibility.md).

How periods are counted: hours are exact. Days, months and years end at the same time on the clocks of the campaign's
time zone, whose clocks may change meanwhile; in a month that is too short, on its last day. Calendar and business
days do not count the day on which they begin and end with the last second of their last day there; weekends and
public holidays of the campaign's country are no business days (in the United States: the federal ones). A period of
calendar days that would end on such a day ends with the next business day, and has two business days at least.
Amounts are exact to the cent. Each example is computed by the platform's own code."""

_HEADINGS = {
    Rules.NONE: "Most campaigns: no special law has been chosen, and the platform's own rules hold.",
    Rules.US_REG_CF: "Investors who are not accredited are limited; everybody acknowledges what the law asks for. "
    "Amounts are in US dollars.",
    Rules.EU_ECSPR: "What protects a non-sophisticated investor does not hold for one whom a reviewer has confirmed as "
    "sophisticated. Amounts are in euros.",
}

_PLACES = {
    Rules.NONE: Place(ZoneInfo("UTC"), ""),
    Rules.US_REG_CF: Place(ZoneInfo("America/New_York"), "US"),
    Rules.EU_ECSPR: Place(ZoneInfo("Europe/Berlin"), "DE"),
}
_BEFORE = {"cancel_before_deadline", "investor_limit_window", "issuer_cap_window"}
"""Rules that count backwards from a moment."""

_UNITS = {
    Unit.HOURS: "hours",
    Unit.DAYS: "days",
    Unit.CALENDAR_DAYS: "calendar days",
    Unit.BUSINESS_DAYS: "business days",
    Unit.MONTHS: "months",
    Unit.YEARS: "years",
    Unit.PERCENT: "percent",
    Unit.PAGES: "pages of A4",
}


def markdown() -> str:
    """The page."""
    newest = sorted(every_version().items(), key=lambda one: (list(Rules).index(one[0][0]), one[0][1]))
    sections = [_section(rules) for _, rules in newest]
    return "\n\n".join([_INTRODUCTION, *sections]) + "\n"


def _section(rules: RuleSet) -> str:
    lines = [
        f"## {rules.title} (`{rules.name}`)",
        "",
        f"{_HEADINGS[rules.name]} Version `{rules.version}`, in force from that day on. Source: {rules.source}.",
        "",
        "| right or duty | value | example | source |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {rule.text} | {_value(rule, rules.currency)} | {_example(rule, _PLACES[rules.name])} | {rule.source} |"
        for rule in rules.rules.values()
    ]
    return "\n".join(lines)


def _value(rule: Rule, currency: str) -> str:
    if rule.unit == Unit.REQUIRED:
        return "required"
    if rule.unit == Unit.MINOR_UNITS:
        return f"{currency} {rule.value // 100:,}"
    return f"{rule.value} {_UNITS[rule.unit]}"


def _example(rule: Rule, place: Place) -> str:
    """From Friday noon, 20 November 2026, which has a holiday of the United States in the week after it."""
    if rule.unit in (Unit.REQUIRED, Unit.MINOR_UNITS, Unit.PERCENT, Unit.PAGES):
        return "–"
    moment = datetime(2026, 11, 20, 12, tzinfo=place.zone)
    if rule.id in _BEFORE:
        return f"up to {_text(moment, place)}: from {_text(rule.before(moment, place), place)}"
    return f"from {_text(moment, place)}: until {_text(rule.after(moment, place), place)}"


def _text(moment: datetime, place: Place) -> str:
    return f"{moment.astimezone(place.zone):%a %Y-%m-%d %H:%M %Z}"
