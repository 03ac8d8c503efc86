"""Reminding owners of the reports that they owe, and lowering campaigns whose reports are overdue."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet

from campaigns.models import Campaign, Outcome, ReportingReminder, ReportingWatch, Update
from campaigns.reporting import DueReport, Duties, Told
from campaigns.rules import rule_set, version_on
from campaigns.rules.calendar import Place
from campaigns.services.funding import lock_campaign
from core import events
from core.data.locks import lock
from core.data.transactions import retrying

Stage = ReportingReminder.Stage
BEFORE = {Stage.SOON: timedelta(days=14), Stage.NEAR: timedelta(days=3)}
LOWERED_BY = 10
"""Half-lives of `campaigns.trending` by which an overdue report makes a campaign look older: thirty days."""
LATER = timedelta(days=30)
"""When to look again at a campaign of which nothing is expected sooner."""


def reports_of(campaign: Any, now: datetime) -> list[DueReport] | None:
    """
    What the owner owes and what was published of it; None for a campaign that was not funded.

    :param campaign: a `Campaign`, or a row with its columns
    """
    if campaign.outcome != Outcome.FUNDED:
        return None
    rules = rule_set(campaign.rules, campaign.rules_version or version_on(campaign.rules, campaign.ends_at.date()))
    duties = Duties(
        rules=rules,
        place=Place(ZoneInfo(campaign.time_zone), rules.country or campaign.country),
        fiscal_year_end=campaign.fiscal_year_end,
        ended_at=campaign.ends_at,
    )
    told = Update.objects.filter(campaign=campaign.id, deleted_at=None, publish_at__lte=now)
    after = told.filter(publish_at__gt=campaign.ends_at).order_by("publish_at", "id")
    return duties.reports([Told(*row) for row in after.values_list("publish_at", "kind")], now)


def watch_reporting(campaign: Campaign, *, now: datetime) -> None:
    """Begin to look after the reports of a campaign that is funded."""
    ReportingWatch.objects.get_or_create(campaign=campaign, defaults={"next_at": now})


def look_again(campaign_id: UUID, *, now: datetime) -> None:
    """Something was published or deleted."""
    ReportingWatch.objects.filter(campaign=campaign_id).update(next_at=now)


def campaigns_to_remind(now: datetime) -> QuerySet[ReportingWatch, UUID]:
    """Ids of campaigns to look at."""
    due = ReportingWatch.objects.filter(next_at__lte=now)
    return due.order_by("next_at", "campaign_id").values_list("campaign_id", flat=True)


@retrying
def remind_of_reports(campaign_id: UUID, *, now: datetime) -> None:
    """
    Remind the owner of what is due, each stage once; of stages that were missed only the last. What is overdue lowers
    the campaign in `trending` until it is published.
    """
    campaign = lock_campaign(campaign_id)
    # Before reading: whoever publishes meanwhile has it looked at again afterwards.
    lock(ReportingWatch.objects.filter(campaign=campaign)).first()
    waiting = [report for report in reports_of(campaign, now) or [] if report.published_at is None]
    overdue = set()
    for report in waiting:
        stage = stage_at(report.due_at, now)
        if stage is None:
            continue
        key = {"campaign": campaign, "kind": report.kind, "due_at": report.due_at, "stage": stage}
        reminder, is_new = ReportingReminder.objects.get_or_create(**key, defaults={"created_at": now})
        if is_new:
            _record(campaign, report, stage, now)
        if stage == Stage.OVERDUE:
            overdue.add(reminder.pk)
    _lower(campaign, overdue)
    ReportingWatch.objects.filter(campaign=campaign).update(next_at=_next_look(waiting, now))


def stage_at(due_at: datetime, now: datetime) -> str | None:
    """Which reminder belongs to `now`; None while it is early."""
    if now > due_at:
        return Stage.OVERDUE
    passed = [stage for stage, ahead in BEFORE.items() if now >= due_at - ahead]
    return passed[-1] if passed else None


def _next_look(waiting: list[DueReport], now: datetime) -> datetime:
    second = timedelta(seconds=1)
    moments = [now + LATER]
    for report in waiting:
        moments += [report.due_at - ahead for ahead in BEFORE.values()] + [report.due_at + second]
    return min(moment for moment in moments if moment > now)


def _lower(campaign: Campaign, overdue: set[UUID]) -> None:
    """
    Have the trend lowered by exactly these reminders. After its end a campaign takes no investments, so what is added
    again later is what was taken.
    """
    lowering = ReportingReminder.objects.filter(campaign=campaign, lowers_trend=True)
    ended = lowering.exclude(pk__in=overdue).update(lowers_trend=False)
    fresh = ReportingReminder.objects.filter(pk__in=overdue, lowers_trend=False).update(lowers_trend=True)
    if ended != fresh:
        Campaign.objects.filter(pk=campaign.pk).update(trend=F("trend") + LOWERED_BY * (ended - fresh))


def _record(campaign: Campaign, report: DueReport, stage: str, now: datetime) -> None:
    events.record(
        "campaign.report_due",
        campaign,
        actor=None,
        now=now,
        owner_id=campaign.owner_id,
        report=str(report.kind),
        due_date=report.due_at.astimezone(campaign.place.zone).date().isoformat(),
        is_overdue=stage == Stage.OVERDUE,
        campaign_title=campaign.title,
    )
