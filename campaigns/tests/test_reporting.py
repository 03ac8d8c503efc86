"""What the owner of a funded campaign owes, to the second, and what follows when it does not come."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from campaigns.jobs import REMIND_OF_REPORTS
from campaigns.models import Campaign, ReportingReminder, ReportingWatch, Update
from campaigns.reporting import DueReport, Duties, Told, on_time_rate
from campaigns.rules import rule_set, version_on
from campaigns.rules.calendar import Place
from campaigns.selectors import campaign_page
from campaigns.services.closing import decide_campaign
from campaigns.services.reporting import LOWERED_BY, remind_of_reports
from campaigns.testing import make_campaign
from core.jobs.runner import run
from core.testing import Api, drain_outbox

US = rule_set("us_reg_cf", version_on("us_reg_cf", date(2026, 1, 1)))
NEW_YORK = Place(ZoneInfo("America/New_York"), "US")
SECOND = timedelta(seconds=1)


def duties(ended_at: datetime, fiscal_year_end: str = "12-31", place: Place = NEW_YORK) -> Duties:
    return Duties(US, place, fiscal_year_end, ended_at)


def funded(founder: User, **fields: Any) -> Campaign:
    campaign = make_campaign(founder, **fields)
    Campaign.objects.filter(pk=campaign.pk).update(raised_minor=200_000)
    return decide_campaign(campaign.pk, now=campaign.ends_at)


def tell(campaign: Campaign, at: datetime, kind: str = "update", **fields: Any) -> Update:
    told = {"campaign": campaign, "kind": kind, "audience": "public", "author_role": "founder", "content": "Told."}
    return Update.objects.create(**{**told, "publish_at": at, "announced_at": at, **fields})


def test_the_fiscal_year_in_which_it_ended_is_the_first() -> None:
    """Years end at midnight in New York; the report is due 120 days on the wall later, in summer time."""
    ended = datetime(2026, 1, 1, 4, 59, 59, tzinfo=UTC)
    first = [one for one in duties(ended).reports([], ended) if one.kind == "annual_report"]
    assert [one.due_at for one in first] == [datetime(2026, 5, 1, 4, tzinfo=UTC)], "still 2025 in New York"
    second_later = [one for one in duties(ended + SECOND).reports([], ended + SECOND) if one.kind == "annual_report"]
    assert [one.due_at for one in second_later] == [datetime(2027, 5, 1, 4, tzinfo=UTC)]
    leap = duties(datetime(2027, 3, 1, tzinfo=UTC), "02-29", Place(ZoneInfo("UTC"), ""))
    assert leap.reports([], datetime(2028, 1, 1, tzinfo=UTC))[-1].due_at == datetime(2028, 6, 29, tzinfo=UTC)


@pytest.mark.parametrize(("offset", "on_time"), [(timedelta(0), True), (SECOND, False)])
def test_on_time_is_to_the_second(offset: timedelta, on_time: bool) -> None:
    ended = datetime(2026, 8, 31, 12, tzinfo=UTC)
    due_at = datetime(2027, 2, 28, 13, tzinfo=UTC)
    report = duties(ended).reports([Told(due_at + offset, "update")], due_at + offset)[0]
    assert (report.kind, report.due_at, report.on_time) == ("update", due_at, on_time), "the same hour on the wall"
    [open_one, *_] = duties(ended).reports([], due_at + offset)
    assert open_one.on_time is (None if on_time else False)


def test_many_updates_at_once_count_as_one() -> None:
    ended = datetime(2026, 1, 10, tzinfo=UTC)
    late = [Told(ended + timedelta(days=400, hours=n), "update") for n in range(20)]
    found = [one for one in duties(ended).reports(late, ended + timedelta(days=401)) if one.kind == "update"]
    assert [one.on_time for one in found] == [False, True, None]


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_a_walk_through_what_happened(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        zone = chance.choice(["UTC", "America/New_York", "Asia/Tokyo"])
        ended = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(20_000))
        now = ended + timedelta(days=chance.randrange(1500))
        moments = sorted(
            ended + timedelta(seconds=1 + chance.randrange(130_000_000)) for _ in range(chance.randrange(12))
        )
        told = [Told(at, chance.choice(["update", "annual_report"])) for at in moments if at <= now]
        one = duties(ended, chance.choice(["12-31", "06-30", "02-29"]), Place(ZoneInfo(zone), "US"))
        assert one.reports(told, now) == walk(one, told, now)


def walk(one: Duties, told: Sequence[Told], now: datetime) -> list[DueReport]:
    """The same by going through everything that was published in its order, with what is open at each moment."""
    found, every = [], US["update_every"]
    since, latest = one.ended_at, None
    for at, _kind in told:
        while latest is not None and at > every.after(since, one.place):
            found.append(DueReport(Update.Kind.UPDATE, every.after(since, one.place), latest, on_time=True))
            since, latest = latest, None
        if at > every.after(since, one.place):
            found.append(DueReport(Update.Kind.UPDATE, every.after(since, one.place), at, on_time=False))
            since = at
        else:
            latest = at
    if latest is not None:
        found.append(DueReport(Update.Kind.UPDATE, every.after(since, one.place), latest, on_time=True))
        since = latest
    due_at = every.after(since, one.place)
    found.append(DueReport(Update.Kind.UPDATE, due_at, None, on_time=False if now > due_at else None))

    years: dict[datetime, datetime | None] = {}
    for year_end in one._year_ends():
        years[year_end] = None
        if year_end > now:
            break
    for at, kind in told:
        free = [year_end for year_end, by in years.items() if by is None and year_end <= at]
        if kind == "annual_report" and free:
            years[free[0]] = at
    for year_end, by in years.items():
        due_at = US["annual_report_within"].after(year_end, one.place)
        on_time = by <= due_at if by else False if now > due_at else None
        found.append(DueReport(Update.Kind.ANNUAL_REPORT, due_at, by, on_time=on_time))
    return sorted(found, key=lambda report: (report.due_at, report.kind))


def test_the_rate_is_the_share_of_what_is_decided() -> None:
    def report(on_time: bool | None) -> DueReport:
        return DueReport(Update.Kind.UPDATE, datetime(2026, 1, 1, tzinfo=UTC), None, on_time)

    assert on_time_rate([report(None)]) is None
    assert on_time_rate([report(True), report(True), report(False), report(None)]) == 0.66


def test_everybody_reads_what_is_due_on_the_page(api: Api, founder: User, stranger: User) -> None:
    live = make_campaign(founder)
    assert api.as_user(stranger).get(f"/api/campaigns/{live.pk}").json()["reporting"] is None
    campaign = funded(founder)
    due_at = campaign.rule_set["update_every"].after(campaign.ends_at, campaign.place)
    shown = campaign_page(stranger, campaign.pk, due_at + SECOND).reporting
    assert shown is not None and shown.on_time_rate == 0
    assert [(one.due_at, one.published_at, one.on_time) for one in shown.due] == [(due_at, None, False)]
    for days in range(0, 30 * 190, 190):
        tell(campaign, due_at + timedelta(days=days))
    tell(campaign, due_at - timedelta(days=1), deleted_at=due_at)
    late = campaign_page(stranger, campaign.pk, due_at + timedelta(days=30 * 190)).reporting
    assert late is not None and len(late.due) == 10, "the last ones only"
    assert late.on_time_rate is not None and 0 < late.on_time_rate < 0.1


def test_the_owner_is_reminded_of_each_stage_once(api: Api, founder: User, stranger: User) -> None:
    campaign = funded(founder)
    due_at = campaign.rule_set["update_every"].after(campaign.ends_at, campaign.place)
    days, told = timedelta(days=1), []
    for moment in [
        due_at - 14 * days - SECOND,
        due_at - 14 * days,
        due_at - 13 * days,
        due_at - 3 * days,
        due_at,
        due_at + SECOND,
        due_at + 100 * days,
    ]:
        run(REMIND_OF_REPORTS, now=moment)
        drain_outbox()
        items = api.as_user(founder).get("/api/notifications").json()["items"]
        told.append([item["kind"] for item in items if item["kind"].startswith("report_")])
    one, both = ["report_due"], ["report_due", "report_due"]
    assert told == [[], one, one, both, both, ["report_overdue", *both], ["report_overdue", *both]]
    assert ReportingReminder.objects.count() == 3


def test_a_reminder_that_comes_late_says_only_what_is_true_now(founder: User) -> None:
    campaign = funded(founder)
    due_at = campaign.rule_set["update_every"].after(campaign.ends_at, campaign.place)
    run(REMIND_OF_REPORTS, now=due_at + SECOND)
    assert list(ReportingReminder.objects.values_list("stage", flat=True)) == ["overdue"]


def test_what_is_overdue_lowers_the_trend_until_it_comes(api: Api, founder: User) -> None:
    campaign = funded(founder)
    before = Campaign.objects.get(pk=campaign.pk).trend
    due_at = campaign.rule_set["update_every"].after(campaign.ends_at, campaign.place)

    def lowered_by(now: datetime) -> float:
        for _ in range(2):
            remind_of_reports(campaign.pk, now=now)
        return before - Campaign.objects.get(pk=campaign.pk).trend

    assert lowered_by(due_at) == 0
    assert lowered_by(due_at + SECOND) == LOWERED_BY
    late = tell(campaign, due_at + timedelta(days=1))
    assert lowered_by(due_at + timedelta(days=2)) == 0
    Update.objects.filter(pk=late.pk).update(deleted_at=due_at)
    assert lowered_by(due_at + timedelta(days=3)) == LOWERED_BY, "it was deleted again"
    assert lowered_by(due_at + timedelta(days=3)) == LOWERED_BY


def test_publishing_has_the_campaign_looked_at_again(api: Api, founder: User) -> None:
    campaign = funded(founder)
    run(REMIND_OF_REPORTS, now=campaign.ends_at)
    assert ReportingWatch.objects.get().next_at > campaign.ends_at
    api.as_user(founder).post(f"/api/campaigns/{campaign.pk}/updates", {"content": "Built.", "audience": "public"})
    assert ReportingWatch.objects.get().next_at < campaign.ends_at
