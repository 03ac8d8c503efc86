"""Whether a person may invest under a rule set, at each edge; pure, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.rules import Rules, rule_set
from campaigns.verdicts import ALLOWED, Verdict
from investments.eligibility import (
    Acknowledged,
    Counted,
    Facts,
    counted_at,
    loss_simulation,
    may_invest,
    warning_threshold,
)
from investments.models import Figures
from investments.texts import current_texts, every_text, knowledge_test

US, EU, NONE = (
    rule_set(Rules.US_REG_CF, "2022-09-20"),
    rule_set(Rules.EU_ECSPR, "2021-11-10"),
    rule_set(Rules.NONE, "2026-01-01"),
)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def acknowledged(*ids: str, at: datetime = NOW) -> dict[str, Acknowledged]:
    return {id: Acknowledged(current_texts()[id].version, at) for id in ids}


def facts(**changes: Any) -> Facts:
    """An American investor with an income of 60,000 and 40,000 in the world, who has read everything."""
    known = Facts(
        protected=True,
        figures=Figures(60_000_00, 40_000_00, 0, "USD"),
        declared_at=NOW,
        declares_otherwise=False,
        tested_at=None,
        passed=False,
        acknowledged=acknowledged("education", "risk_acknowledgement"),
        counted=[],
    )
    return replace(known, **changes)


def european(**changes: Any) -> Facts:
    """Who has passed the test and declared a net worth of 40,000 euros."""
    figures = Figures(30_000_00, 40_000_00, 0, "EUR")
    known: dict[str, Any] = {"figures": figures, "tested_at": NOW, "passed": True, "acknowledged": {}}
    return facts(**{**known, **changes})


def asked(known: Facts, minor: int = 100_00, rules: Any = US, now: datetime = NOW, accepted: Any = ()) -> Verdict:
    return may_invest(known, rules, minor=minor, now=now, accepted=accepted)


def code(answer: Verdict) -> str:
    return answer.refusal.code if answer.refusal else ""


@pytest.mark.parametrize("missing", [["education"], ["risk_acknowledgement"], ["education", "risk_acknowledgement"]])
def test_nobody_commits_before_reading_what_the_american_rules_ask_for(missing: list[str]) -> None:
    read = {id: one for id, one in facts().acknowledged.items() if id not in missing}
    for protected in (True, False):
        answer = asked(facts(acknowledged=read, protected=protected))
        assert (code(answer), answer.rule) == ("acknowledgement_required", missing[0])
        assert answer.refusal and [one.id for one in answer.refusal.facts["acknowledgements"]] == missing
    assert code(asked(facts())) == ""


def test_an_older_wording_does_not_count() -> None:
    read = {**facts().acknowledged, "education": Acknowledged("2020-01-01", NOW)}
    assert code(asked(facts(acknowledged=read))) == "acknowledgement_required"


def test_without_figures_nobody_who_is_protected_invests() -> None:
    assert code(asked(facts(figures=None))) == "investor_profile_required"
    assert code(asked(facts(figures=None, declares_otherwise=True))) == "profile_currency_mismatch"
    assert code(asked(facts(figures=None, protected=False))) == ""
    assert code(asked(european(figures=None), rules=EU)) == "investor_profile_required"


def test_the_limit_to_the_cent_and_when_there_is_room_again() -> None:
    """Five percent of 60,000 are 3,000."""
    assert code(asked(facts(), 3_000_00)) == ""
    answer = asked(facts(), 3_000_01)
    assert (code(answer), answer.rule, answer.changes_at) == (
        "investor_limit_exceeded",
        "investor_limit_small_share",
        None,
    )
    first, second = NOW - timedelta(days=300), NOW - timedelta(days=200)
    used = facts(counted=[Counted(first, 1_000_00), Counted(second, 1_500_00)])
    assert code(asked(used, 500_00)) == ""
    refused = asked(used, 500_01)
    assert refused.refusal and {name: refused.refusal.facts[name] for name in ("limit", "used", "remaining")} == {
        "limit": "3000.00",
        "used": "2500.00",
        "remaining": "500.00",
    }
    assert refused.changes_at == first.replace(year=first.year + 1)
    assert code(asked(used, 500_01, now=refused.changes_at - SECOND)) == "investor_limit_exceeded"
    assert code(asked(used, 500_01, now=refused.changes_at)) == ""
    later = asked(used, 1_500_01)
    assert later.changes_at == second.replace(year=second.year + 1)
    assert code(asked(used, 1_500_01, now=later.changes_at - SECOND)) == "investor_limit_exceeded"
    assert code(asked(used, 1_500_01, now=later.changes_at)) == ""


def test_what_was_invested_elsewhere_counts_and_does_not_leave_the_window() -> None:
    elsewhere = facts(figures=Figures(60_000_00, 40_000_00, 2_900_00, "USD"))
    assert code(asked(elsewhere, 100_00)) == ""
    answer = asked(elsewhere, 100_01)
    assert (code(answer), answer.changes_at) == ("investor_limit_exceeded", None)


def test_the_window_at_a_leap_day() -> None:
    placed = datetime(2024, 2, 29, 8, tzinfo=UTC)
    used = facts(counted=[Counted(placed, 3_000_00)])
    end = datetime(2025, 2, 28, 8, tzinfo=UTC)
    assert counted_at(used, US, end - SECOND) == [(end, 3_000_00)]
    assert counted_at(used, US, end) == []


def test_the_entry_knowledge_test_counts_for_two_years() -> None:
    assert code(asked(european(tested_at=None), rules=EU)) == "knowledge_test_required"
    tested = datetime(2024, 2, 29, 8, tzinfo=UTC)
    end = datetime(2026, 2, 28, 8, tzinfo=UTC)
    known = european(tested_at=tested, declared_at=end - SECOND)
    answer = asked(known, rules=EU, now=end - SECOND)
    assert (code(answer), answer.changes_at) == ("", end)
    assert code(asked(known, rules=EU, now=end)) == "knowledge_test_required"


def test_who_has_failed_is_warned_and_may_consent_after_the_try() -> None:
    failed = european(passed=False)
    answer = asked(failed, rules=EU)
    assert (code(answer), answer.rule) == ("acknowledgement_required", "knowledge_test")
    before = replace(failed, acknowledged=acknowledged("knowledge_warning", at=NOW - SECOND))
    assert code(asked(before, rules=EU)) == "acknowledgement_required"
    after = replace(failed, acknowledged=acknowledged("knowledge_warning", at=NOW))
    assert code(asked(after, rules=EU)) == ""


def test_the_loss_simulation_counts_for_one_year() -> None:
    declared = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    end = datetime(2026, 10, 26, 0, 30, tzinfo=UTC)
    known = european(tested_at=declared, declared_at=declared)
    answer = asked(known, rules=EU, now=end - SECOND)
    assert (code(answer), answer.changes_at) == ("", end)
    assert code(asked(known, rules=EU, now=end)) == "loss_simulation_required"
    assert loss_simulation(Figures(0, 40_000_09, 0, "EUR"), EU) == 4_000_00


@pytest.mark.parametrize(
    ("net_worth", "threshold"), [(0, 1_000_00), (20_000_00, 1_000_00), (20_000_20, 1_000_01), (40_000_00, 2_000_00)]
)
def test_above_the_higher_of_two_sums_each_investment_needs_a_consent(net_worth: int, threshold: int) -> None:
    figures = Figures(0, net_worth, 0, "EUR")
    assert warning_threshold(figures, EU) == threshold
    known = european(figures=figures)
    assert code(asked(known, threshold, EU)) == ""
    answer = asked(known, threshold + 1, EU)
    assert (code(answer), answer.rule) == ("warning_consent_required", "warning_above")
    warning = current_texts()["large_investment"]
    assert answer.refusal and answer.refusal.facts["warning"].sha256 == warning.sha256
    assert code(asked(known, threshold + 1, EU, accepted=[(warning.id, warning.version)])) == ""
    assert code(asked(known, threshold + 1, EU, accepted=[(warning.id, "2020-01-01")])) == "warning_consent_required"


def test_sophisticated_investors_and_campaigns_without_a_law_are_asked_nothing() -> None:
    assert asked(european(protected=False, tested_at=None, figures=None), 10**12, EU) == ALLOWED
    assert asked(facts(figures=None, acknowledged={}), 10**12, NONE) == ALLOWED


def test_the_data_is_sound() -> None:
    """Every text names a rule that there is; of one id and version there is one; every question can be answered."""
    sets = {rules.name: rules for rules in (US, EU)}
    assert all(text.rule in sets[text.rules] and text.text and text.source for text in every_text())
    assert len({(text.id, text.version) for text in every_text()}) == len(every_text())
    test = knowledge_test()
    assert len({question.id for question in test.questions}) == len(test.questions)
    for question in test.questions:
        assert question.right in {option.id for option in question.options}
        assert question.right not in repr(question).replace(repr(question.options), "")
    right = {question.id: question.right for question in test.questions}
    assert (test.score(right), test.score({})) == (100, 0)
    some = dict(list(right.items())[:-2])
    assert (test.score(some), test.pass_percent) == (75, 75)
