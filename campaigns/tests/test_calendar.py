"""
Each rule about time, at its edges: the moment at which it answers otherwise, and a second before it.

No database. The moments are worked out by hand from the paragraphs that the data cites.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.rules import Rules, RuleSet, Unit, every_version, rule_set, version_on
from campaigns.rules.calendar import Place, add_days, add_months, end_of_business_days, is_working_day

SECOND = timedelta(seconds=1)
US, EU, NONE = (
    rule_set(name, version_on(name, date(2026, 11, 26))) for name in (Rules.US_REG_CF, Rules.EU_ECSPR, Rules.NONE)
)


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    """`2026-11-26 09:00:00` on the clocks of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def place(zone: str = "UTC", country: str = "") -> Place:
    return Place(ZoneInfo(zone), country)


NEW_YORK = place("America/New_York", "US")
BERLIN = place("Europe/Berlin", "DE")
SANTIAGO = place("America/Santiago", "CL")
"""Where clocks change at midnight: on 2024-09-08 there was none."""

AFTER = [
    # 21 days on the wall: one of them has 25 hours, so it is not 504 hours.
    (US, "open_at_least", "2026-10-20 12:00:00", NEW_YORK, "2026-11-10 17:00:00"),
    (US, "open_at_least", "2026-10-20 12:00:00", place(), "2026-11-10 12:00:00"),
    (US, "open_at_least", "2026-03-01 02:30:00", NEW_YORK, "2026-03-22 06:30:00"),
    # A Thursday before the long weekend of Independence Day, whose holiday is on Friday the third.
    (US, "early_close_notice", "2026-07-02 09:00:00", NEW_YORK, "2026-07-11 04:00:00"),
    (US, "early_close_notice", "2026-11-20 23:59:59", NEW_YORK, "2026-12-01 05:00:00"),
    (US, "early_close_notice", "2026-11-21 00:00:00", NEW_YORK, "2026-12-01 05:00:00"),
    (US, "early_close_notice", "2026-11-22 23:59:59", NEW_YORK, "2026-12-01 05:00:00"),
    (US, "early_close_notice", "2026-11-23 00:00:00", NEW_YORK, "2026-12-02 05:00:00"),
    (US, "reconfirm_within", "2026-12-31 12:00:00", NEW_YORK, "2027-01-09 05:00:00"),
    (US, "investor_limit_window", "2024-02-29 08:00:00", place(), "2025-02-28 08:00:00"),
    (US, "issuer_cap_window", "2025-10-25 23:30:00", NEW_YORK, "2026-10-26 03:30:00"),
    (US, "annual_report_within", "2026-12-31 00:00:00", NEW_YORK, "2027-04-30 04:00:00"),
    (US, "annual_report_within", "2027-12-31 00:00:00", NEW_YORK, "2028-04-29 04:00:00"),
    (US, "waiting_list_offer", "2026-10-31 12:00:00", NEW_YORK, "2026-11-03 16:00:00"),
    (US, "update_every", "2026-08-31 10:00:00", NEW_YORK, "2027-02-28 15:00:00"),
    # Tuesday: Wednesday to Saturday, so to the end of Monday.
    (EU, "reflection", "2026-06-09 10:00:00", BERLIN, "2026-06-15 22:00:00"),
    (EU, "reflection", "2026-06-08 00:00:00", BERLIN, "2026-06-12 22:00:00"),
    (EU, "reflection", "2026-06-07 23:59:59", BERLIN, "2026-06-11 22:00:00"),
    # From Wednesday, 1 April 2026: the fourth day is Easter Sunday, Monday is a holiday. Thursday and Tuesday work.
    (EU, "reflection", "2026-04-01 10:00:00", BERLIN, "2026-04-07 22:00:00"),
    # From Thursday: Friday to Monday are none, and one working day is too few (Regulation 1182/71, Art. 3(5)).
    (EU, "reflection", "2026-04-02 10:00:00", BERLIN, "2026-04-08 22:00:00"),
    (EU, "reflection", "2026-04-02 10:00:00", place("Europe/Berlin"), "2026-04-06 22:00:00"),
    # From Christmas Eve: 25 and 26 are holidays, 27 is a Sunday.
    (EU, "reflection", "2026-12-24 10:00:00", BERLIN, "2026-12-29 23:00:00"),
    (EU, "reflection", "2026-10-21 10:00:00", BERLIN, "2026-10-26 23:00:00"),
    (EU, "reflection", "2024-09-03 10:00:00", SANTIAGO, "2024-09-10 03:00:00"),
    (EU, "knowledge_test", "2024-02-29 12:00:00", place(), "2026-02-28 12:00:00"),
    (EU, "knowledge_test", "2024-10-27 02:30:00", BERLIN, "2026-10-27 01:30:00"),
    (EU, "loss_simulation", "2026-01-31 12:00:00", BERLIN, "2027-01-31 11:00:00"),
    (EU, "issuer_cap_window", "2024-02-29 12:00:00", BERLIN, "2025-02-28 11:00:00"),
    # 1 May is a holiday.
    (EU, "reconfirm_within", "2026-04-28 10:00:00", BERLIN, "2026-05-06 22:00:00"),
    (EU, "waiting_list_offer", "2026-10-24 12:00:00", BERLIN, "2026-10-27 10:00:00"),
    (EU, "update_every", "2026-03-31 10:00:00", BERLIN, "2026-09-30 08:00:00"),
    (NONE, "early_close_notice", "2026-11-20 10:00:00", place(), "2026-11-28 00:00:00"),
    (NONE, "reconfirm_within", "2026-11-20 10:00:00", place(), "2026-11-28 00:00:00"),
    (NONE, "waiting_list_offer", "2026-11-20 10:00:00", place(), "2026-11-23 10:00:00"),
    (NONE, "update_every", "2026-08-31 10:00:00", place(), "2027-02-28 10:00:00"),
]
BEFORE = [
    (US, "cancel_before_deadline", "2026-11-02 09:00:00", NEW_YORK, "2026-10-31 14:00:00"),
    (US, "cancel_before_deadline", "2026-11-02 09:00:00", place(), "2026-10-31 09:00:00"),
    (US, "investor_limit_window", "2025-02-28 08:00:00", place(), "2024-02-28 08:00:00"),
    (US, "issuer_cap_window", "2024-02-29 08:00:00", place(), "2023-02-28 08:00:00"),
    (EU, "issuer_cap_window", "2024-03-31 03:30:00", BERLIN, "2023-03-31 01:30:00"),
    (NONE, "cancel_before_deadline", "2026-03-30 00:00:00", place(), "2026-03-28 00:00:00"),
]
ELSEWHERE = {
    "investor_limit_threshold": "investments/tests/test_limits.py",
    "investor_limit_floor": "investments/tests/test_limits.py",
    "investor_limit_small_share": "investments/tests/test_limits.py",
    "investor_limit_large_share": "investments/tests/test_limits.py",
    "investor_limit_most": "investments/tests/test_limits.py",
    "issuer_cap": "campaigns/tests/test_issuer_caps.py",
    "education": "investments/tests/test_eligibility.py",
    "risk_acknowledgement": "investments/tests/test_eligibility.py",
    "warning_above": "investments/tests/test_eligibility.py",
    "warning_share": "investments/tests/test_eligibility.py",
    "loss_share": "investments/tests/test_eligibility.py",
    "key_information": "campaigns/tests/test_key_information.py",
    "domestic_issuer": "campaigns/tests/test_completeness.py",
    "communication_labelled": "campaigns/rules",
}
"""Rules that are not about time, and where their edges are tested. Labels are data that chat and updates show."""


@pytest.mark.parametrize(("rules", "name", "start", "where", "end"), AFTER)
def test_when_a_period_ends(rules: RuleSet, name: str, start: str, where: Place, end: str) -> None:
    begun = at(start, where.zone.key)
    ends = rules[name].after(begun, where)
    assert ends == at(end), ends
    assert ends.tzinfo is UTC
    assert rules[name].after(begun.astimezone(UTC), where) == ends
    assert rules[name].after(begun - SECOND, where) <= ends <= rules[name].after(begun + SECOND, where)


@pytest.mark.parametrize(("rules", "name", "end", "where", "start"), BEFORE)
def test_when_a_period_begins(rules: RuleSet, name: str, end: str, where: Place, start: str) -> None:
    ends = at(end, where.zone.key)
    assert rules[name].before(ends, where) == at(start)
    assert rules[name].before(ends - SECOND, where) == at(start) - SECOND
    assert rules[name].before(ends + SECOND, where) == at(start) + SECOND


def test_every_rule_has_its_edges() -> None:
    timed = {(rules.name, name) for rules, name, *_ in (*AFTER, *BEFORE)}
    for rules in every_version().values():
        for rule in rules.rules.values():
            assert (rules.name, rule.id) in timed or rule.id in ELSEWHERE, (rules.name, rule.id)
            about_time = rule.unit not in (Unit.MINOR_UNITS, Unit.PERCENT, Unit.PAGES, Unit.REQUIRED)
            assert about_time != (rule.id in ELSEWHERE), rule.id
            assert rule.source and rule.text
            if not about_time:
                with pytest.raises(ValueError, match="is not about time"):
                    rule.after(at("2026-01-01 00:00:00"), place())


@pytest.mark.parametrize(
    ("rules", "protected", "ends"),
    [
        (EU, True, "2026-06-15 22:00:00"),
        (EU, False, "2026-06-09 08:00:00"),
        (US, True, "2026-06-28 08:00:00"),
        (US, False, "2026-06-28 08:00:00"),
        (NONE, True, "2026-06-28 08:00:00"),
    ],
)
def test_until_when_a_commitment_can_be_taken_back(rules: RuleSet, protected: bool, ends: str) -> None:
    invested, closes = at("2026-06-09 10:00:00", "Europe/Berlin"), at("2026-06-30 10:00:00", "Europe/Berlin")
    assert rules.cancellation_end(invested_at=invested, ends_at=closes, place=BERLIN, protected=protected) == at(ends)


def test_the_end_of_a_day_whose_midnight_does_not_exist_or_comes_twice() -> None:
    """In Santiago the clocks go from 23:59:59 to 01:00 in September; in Havana midnight comes twice in November."""
    assert end_of_business_days(at("2024-09-05 10:00:00", "America/Santiago"), 1, SANTIAGO) == at("2024-09-07 04:00:00")
    cairo = place("Africa/Cairo")
    assert end_of_business_days(at("2023-04-26 10:00:00", "Africa/Cairo"), 1, cairo) == at("2023-04-27 22:00:00")
    havana = place("America/Havana")
    assert end_of_business_days(at("2023-11-02 10:00:00", "America/Havana"), 1, havana) == at("2023-11-04 04:00:00")
    assert add_days(at("2024-09-07 00:00:00", "America/Santiago"), 1, SANTIAGO) == at("2024-09-08 04:00:00")
    apia = place("Pacific/Apia")
    assert add_days(at("2011-12-29 12:00:00", "Pacific/Apia"), 1, apia) == at("2011-12-30 22:00:00")


def test_a_time_of_day_that_the_clocks_skip_or_repeat() -> None:
    assert add_days(at("2026-03-28 02:30:00", "Europe/Berlin"), 1, BERLIN) == at("2026-03-29 01:30:00")
    assert add_days(at("2026-10-24 02:30:00", "Europe/Berlin"), 1, BERLIN) == at("2026-10-25 00:30:00")
    assert add_months(at("2026-10-25 02:30:00", "Europe/Berlin", fold=1), 1, BERLIN) == at("2026-11-25 01:30:00")


@pytest.mark.parametrize(
    ("day", "country", "works"),
    [
        ("2026-07-03", "US", False),
        ("2021-12-31", "US", False),
        ("2026-10-12", "US", False),
        ("2026-07-06", "US", True),
        ("2026-04-06", "DE", False),
        ("2026-04-06", "US", True),
        ("2026-07-14", "FR", False),
        ("2026-07-14", "DE", True),
        ("2026-11-28", "", False),
        ("2026-12-25", "", True),
        ("2026-12-25", "ZZ", True),
        ("9998-12-31", "DE", True),
    ],
)
def test_working_days(day: str, country: str, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day), country) == works


def test_the_version_in_force() -> None:
    assert version_on("us_reg_cf", date(2022, 9, 20)) == "2022-09-20"
    assert version_on("us_reg_cf", date(2022, 9, 19)) == "2022-09-20"
    assert version_on("eu_ecspr", date(2099, 1, 1)) == "2021-11-10"
