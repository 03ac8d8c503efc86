"""
A campaign that has reached its goal ends earlier than announced (rule `early_close_notice`, docs/amendments.md).

Everybody is told; investors can take their commitment back until 48 hours before the new deadline. If the goal is not
reached any more at the new deadline, the first one holds again.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.access import access_own_campaign
from campaigns.errors import (
    EarlyCloseNotEarlier,
    EarlyCloseNotProvided,
    EarlyCloseTooSoon,
    EarlyCloseUnderWay,
    GoalNotReached,
    NotLive,
)
from campaigns.models import Campaign, TermsReason, deadline
from campaigns.services.funding import lock_campaign
from campaigns.services.terms import change_terms, earliest_end
from campaigns.verdicts import Verdict
from core import events
from core.api.rendering import utc_text
from core.data.transactions import retrying

RULE = "early_close_notice"


def may_close_early(campaign: Campaign, now: datetime, *, ends_at: datetime | None = None) -> Verdict:
    """
    Whether the owner may choose an earlier deadline.

    :param ends_at: the one that is asked for; None: whether there is any
    """
    if not campaign.is_open_at(now):
        return Verdict(NotLive(status=campaign.status))
    if RULE not in campaign.rule_set:
        return Verdict(EarlyCloseNotProvided())
    if campaign.first_ends_at is not None:
        return Verdict(EarlyCloseUnderWay(), RULE, campaign.ends_at)
    if campaign.raised_minor < campaign.goal_minor:
        return Verdict(GoalNotReached(), RULE, campaign.ends_at)
    earliest = earliest_end(campaign, RULE, now)
    asked = earliest if ends_at is None else ends_at
    if asked < earliest:
        return Verdict(EarlyCloseTooSoon(earliest=utc_text(earliest)), RULE)
    if asked >= campaign.ends_at:
        return Verdict(EarlyCloseNotEarlier(), RULE)
    return Verdict(rule=RULE, changes_at=campaign.ends_at)


@retrying
def close_early(*, owner: Any, campaign_id: UUID, ends_at: datetime, now: datetime) -> Campaign:
    """
    Choose an earlier deadline.

    :raises NotFound: :raises NotTheOwner: :raises NotLive:
    :raises EarlyCloseNotProvided: the rules of the campaign know no early close
    :raises EarlyCloseUnderWay: it has an earlier deadline already
    :raises GoalNotReached: not in committed money
    :raises EarlyCloseTooSoon: names the earliest deadline
    :raises EarlyCloseNotEarlier: it is not before the present one
    """
    campaign = access_own_campaign(owner, campaign_id)
    continue_if_missed(campaign, now=now)
    may_close_early(campaign, now, ends_at=ends_at).require()
    columns = {"first_ends_at": campaign.ends_at, "ends_at": ends_at}
    change_terms(campaign, columns, reason=TermsReason.EARLY_CLOSE, actor=owner, now=now)
    events.record(
        "campaign.early_close_announced",
        campaign,
        actor=owner,
        now=now,
        ends_at=ends_at,
        campaign_title=campaign.title,
    )
    return campaign


def continue_if_missed(campaign: Campaign, *, now: datetime) -> bool:
    """
    Give a locked campaign its first deadline back, if it has missed its goal at the earlier one. Whoever looks at its
    deadline under the lock calls it first, so that it holds by the clock.

    :returns: whether it goes on
    """
    if deadline(campaign, now) == campaign.ends_at:
        return False
    columns = {"ends_at": campaign.first_ends_at, "first_ends_at": None}
    change_terms(campaign, columns, reason=TermsReason.EARLY_CLOSE_MISSED, actor=None, now=now)
    events.record(
        "campaign.early_close_missed",
        campaign,
        actor=None,
        now=now,
        owner_id=campaign.owner_id,
        ends_at=campaign.ends_at,
        campaign_title=campaign.title,
    )
    return True


def lock_by_clock(campaign_id: UUID, *, now: datetime) -> Campaign:
    """
    `lock_campaign`, with the deadline that holds at `now`.

    :raises NotFound: there is none
    """
    campaign = lock_campaign(campaign_id)
    continue_if_missed(campaign, now=now)
    return campaign
