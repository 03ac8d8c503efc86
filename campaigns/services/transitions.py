"""
The life of a campaign as a table: every step, who takes it, what is checked before, which event says it.

`take_step` goes by it, PostgreSQL has the same steps (migrations/_rules.py), and docs/campaign-lifecycle.md shows it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from campaigns.errors import CampaignIncomplete, NotEndedYet, NotLive, PaymentsUnderWay, ReviewedDeadlinePassed
from campaigns.models import Campaign, Status
from campaigns.services.completeness import last_day_to_open, missing_items, rules_at
from campaigns.verdicts import Verdict, first_refusal
from core.api.errors import Refusal


class Actor(StrEnum):
    OWNER = "owner"
    STAFF = "staff"
    """A moderator who does not own it, or an operator."""
    CLOCK = "clock"


Check = Callable[[Campaign, datetime], Verdict]


class Transition(NamedTuple):
    before: Status
    after: Status
    name: str
    actor: Actor
    event: str
    checks: tuple[Check, ...] = ()
    """The first line of each one's docstring stands in the table of the docs."""

    def verdict(self, campaign: Campaign, now: datetime) -> Verdict:
        """The first refusal that a check gives at `now`, or until when none does."""
        return first_refusal(partial(check, campaign, now) for check in self.checks)

    def refusal(self, campaign: Campaign, now: datetime) -> Refusal | None:
        return self.verdict(campaign, now).refusal


def before_deadline(campaign: Campaign, now: datetime) -> Verdict:
    """the deadline lies ahead"""
    if campaign.ends_at > now:
        return Verdict(changes_at=campaign.ends_at)
    return Verdict(ReviewedDeadlinePassed())


def complete(campaign: Campaign, now: datetime) -> Verdict:
    """nothing is `missing`"""
    items = missing_items(campaign, now)
    if items:
        return Verdict(CampaignIncomplete.of(items))
    latest = last_day_to_open(campaign, rules_at(campaign, now))
    if latest is None:
        return Verdict(changes_at=campaign.ends_at)
    return Verdict(rule="open_at_least", changes_at=latest + timedelta.resolution)


def still_open(campaign: Campaign, now: datetime) -> Verdict:
    """the deadline lies ahead"""
    if campaign.ends_at > now:
        return Verdict(changes_at=campaign.ends_at)
    return Verdict(NotLive(status=campaign.status))


def deadline_reached(campaign: Campaign, now: datetime) -> Verdict:
    """the deadline has passed"""
    if campaign.ends_at <= now:
        return Verdict()
    return Verdict(NotEndedYet(), changes_at=campaign.ends_at)


def nothing_under_way(campaign: Campaign, now: datetime) -> Verdict:
    """no payment is under way"""
    return Verdict(PaymentsUnderWay() if campaign.reserved_minor else None)


_TABLE = (
    Transition(
        Status.DRAFT, Status.IN_REVIEW, "submit", Actor.OWNER, "campaign.submitted", (before_deadline, complete)
    ),
    Transition(
        Status.IN_REVIEW, Status.LIVE, "publish", Actor.STAFF, "campaign.published", (before_deadline, complete)
    ),
    Transition(Status.IN_REVIEW, Status.REJECTED, "send back", Actor.STAFF, "campaign.rejected"),
    Transition(Status.REJECTED, Status.DRAFT, "edit, submit again", Actor.OWNER, "campaign.reopened"),
    Transition(
        Status.LIVE, Status.FUNDED, "decide", Actor.CLOCK, "campaign.funded", (deadline_reached, nothing_under_way)
    ),
    Transition(
        Status.LIVE, Status.FAILED, "decide", Actor.CLOCK, "campaign.failed", (deadline_reached, nothing_under_way)
    ),
    Transition(Status.LIVE, Status.CANCELLED, "cancel", Actor.OWNER, "campaign.cancelled", (still_open,)),
    Transition(Status.FUNDED, Status.SETTLED, "settle", Actor.CLOCK, "campaign.settled"),
    Transition(Status.FAILED, Status.SETTLED, "settle", Actor.CLOCK, "campaign.settled"),
    Transition(Status.CANCELLED, Status.SETTLED, "settle", Actor.CLOCK, "campaign.settled"),
)

TRANSITIONS: dict[tuple[str, str], Transition] = {(one.before, one.after): one for one in _TABLE}


def table() -> str:
    """The table as docs/campaign-lifecycle.md shows it, in Markdown."""
    lines = ["| from | to | step | who | checked before | event |", "|---|---|---|---|---|---|"]
    for one in TRANSITIONS.values():
        checks = "; ".join(check.__doc__ or "" for check in one.checks) or "–"
        lines.append(f"| `{one.before}` | `{one.after}` | {one.name} | {one.actor} | {checks} | `{one.event}` |")
    return "\n".join(lines)
