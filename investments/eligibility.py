"""
Whether somebody may invest in a campaign under its rule set, why not, and when that changes (docs/eligibility.md).

Pure: facts and the clock go in. `services.investing` asks under the person's lock; whoever tells a person beforehand
what they may do asks the same function.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns.rules import RuleSet
from campaigns.rules.calendar import Place
from campaigns.verdicts import ALLOWED, Verdict
from core.money import minor_text
from investments.errors import (
    AcknowledgementRequired,
    ConsentRequired,
    InvestorLimitExceeded,
    InvestorProfileRequired,
    KnowledgeTestRequired,
    LossSimulationRequired,
    NamedDocument,
    NamedText,
    ProfileCurrencyMismatch,
    WarningConsentRequired,
)
from investments.models import Figures
from investments.texts import Text, current_texts

PLACE = Place(ZoneInfo("UTC"), "")
"""A person's periods run over campaigns of many zones, so they are counted in UTC."""


class Counted(NamedTuple):
    """An investment under the same rule set that is not taken back."""

    placed_at: datetime
    minor: int


class Acknowledged(NamedTuple):
    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a person, of one rule set, and of one campaign's documents."""

    protected: bool
    """Not accredited, or non-sophisticated (`investments.access.is_protected`)."""
    figures: Figures | None
    """The newest ones in the currency of the rule set."""
    declared_at: datetime | None
    declares_otherwise: bool
    """There are figures in another currency."""
    tested_at: datetime | None
    passed: bool
    acknowledged: Mapping[str, Acknowledged]
    """The newest of each text, by its id."""
    counted: Sequence[Counted]
    """The oldest first."""
    unaccepted: Sequence[NamedDocument] = ()
    """The newest versions of the campaign's documents, as far as the person has not accepted them."""


class InvestorLimit(NamedTuple):
    minor: int
    rule: str
    """The id of the rule that decides."""


def investor_limit(figures: Figures, rules: RuleSet) -> InvestorLimit:
    """How much somebody may invest in twelve months who has declared these figures (17 CFR 227.100(a)(2))."""
    greater, lesser = sorted((figures.annual_income, figures.net_worth), reverse=True)
    if lesser >= rules["investor_limit_threshold"].value:
        limit = InvestorLimit(_share(greater, rules, "investor_limit_large_share"), "investor_limit_large_share")
    else:
        share = InvestorLimit(_share(greater, rules, "investor_limit_small_share"), "investor_limit_small_share")
        limit = max(share, InvestorLimit(rules["investor_limit_floor"].value, "investor_limit_floor"))
    return min(limit, InvestorLimit(rules["investor_limit_most"].value, "investor_limit_most"))


def counted_at(facts: Facts, rules: RuleSet, now: datetime) -> list[tuple[datetime, int]]:
    """When each investment stops to count for the limit, and its minor units; those that count now, the first first."""
    window = rules["investor_limit_window"]
    ends = sorted((window.after(one.placed_at, PLACE), one.minor) for one in facts.counted)
    return [(end, minor) for end, minor in ends if now < end and minor]


def loss_simulation(figures: Figures, rules: RuleSet) -> int:
    """What the simulation shows as the loss that can be borne, in minor units."""
    return _share(figures.net_worth, rules, "loss_share")


def warning_threshold(figures: Figures, rules: RuleSet) -> int:
    """Above this many minor units an investment needs a consent of its own."""
    return max(rules["warning_above"].value, _share(figures.net_worth, rules, "warning_share"))


def may_invest(
    facts: Facts, rules: RuleSet, *, minor: int, now: datetime, accepted: Collection[tuple[str, str]] = ()
) -> Verdict:
    """
    Whether an investment of `minor` units is allowed: the first refusal, or the moment at which an allowance ends.

    :param accepted: the texts, as id and version, that are consented to together with this investment
    """
    if facts.unaccepted:
        return Verdict(ConsentRequired(documents=list(facts.unaccepted)), "documents")
    missing = [
        text
        for text in current_texts().values()
        if text.rule in ("education", "risk_acknowledgement") and text.rule in rules and not _has(facts, text)
    ]
    if missing:
        return _acknowledgement(missing)
    if not facts.protected:
        return ALLOWED
    if "investor_limit_window" in rules:
        return _within_limit(facts, rules, minor, now)
    if "knowledge_test" in rules:
        return _knows_the_risk(facts, rules, minor, now, accepted)
    return ALLOWED


def _within_limit(facts: Facts, rules: RuleSet, minor: int, now: datetime) -> Verdict:
    if facts.figures is None:
        return _undeclared(facts, rules, "investor_limit_small_share")
    limit = investor_limit(facts.figures, rules)
    counted = counted_at(facts, rules, now)
    used = facts.figures.invested_elsewhere + sum(amount for _, amount in counted)
    if used + minor <= limit.minor:
        return ALLOWED
    return Verdict(
        InvestorLimitExceeded(
            limit=minor_text(limit.minor, rules.currency),
            used=minor_text(used, rules.currency),
            remaining=minor_text(max(0, limit.minor - used), rules.currency),
            currency=rules.currency,
            window_starts_at=rules["investor_limit_window"].before(now, PLACE),
        ),
        limit.rule,
        _room_at(counted, used + minor - limit.minor),
    )


def _room_at(counted: Sequence[tuple[datetime, int]], missing: int) -> datetime | None:
    """When so much of what counts has left the window that `missing` units fit; None: it never will."""
    for end, minor in counted:
        missing -= minor
        if missing <= 0:
            return end
    return None


def _knows_the_risk(
    facts: Facts, rules: RuleSet, minor: int, now: datetime, accepted: Collection[tuple[str, str]]
) -> Verdict:
    test_ends = facts.tested_at and rules["knowledge_test"].after(facts.tested_at, PLACE)
    if facts.tested_at is None or test_ends is None or now >= test_ends:
        return Verdict(KnowledgeTestRequired(), "knowledge_test")
    if not facts.passed:
        warning = current_texts()["knowledge_warning"]
        if not _has(facts, warning, since=facts.tested_at):
            return Verdict(_acknowledgement([warning]).refusal, "knowledge_test", test_ends)
    if facts.figures is None or facts.declared_at is None:
        return _undeclared(facts, rules, "loss_simulation")
    simulation_ends = rules["loss_simulation"].after(facts.declared_at, PLACE)
    if now >= simulation_ends:
        return Verdict(LossSimulationRequired(), "loss_simulation")
    until = min(test_ends, simulation_ends)
    warning = current_texts()["large_investment"]
    threshold = warning_threshold(facts.figures, rules)
    if minor > threshold and (warning.id, warning.version) not in accepted:
        refusal = WarningConsentRequired(
            above=minor_text(threshold, rules.currency), currency=rules.currency, warning=named_text(warning)
        )
        return Verdict(refusal, warning.rule, until)
    return Verdict(changes_at=until)


def _undeclared(facts: Facts, rules: RuleSet, rule: str) -> Verdict:
    if facts.declares_otherwise:
        return Verdict(ProfileCurrencyMismatch(currency=rules.currency), rule)
    return Verdict(InvestorProfileRequired(currency=rules.currency), rule)


def _acknowledgement(missing: Sequence[Text]) -> Verdict:
    return Verdict(AcknowledgementRequired(acknowledgements=[named_text(one) for one in missing]), missing[0].rule)


def named_text(text: Text) -> NamedText:
    """A text as a refusal names it."""
    return NamedText(id=text.id, version=text.version, sha256=text.sha256, text=text.text)


def _has(facts: Facts, text: Text, since: datetime | None = None) -> bool:
    """Whether the current wording was acknowledged, not before `since`."""
    found = facts.acknowledged.get(text.id)
    return found is not None and found.version == text.version and (since is None or found.at >= since)


def _share(minor: int, rules: RuleSet, rule: str) -> int:
    """A rule's percentage of an amount, cut to minor units."""
    return minor * rules[rule].value // 100
