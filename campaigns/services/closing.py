"""
How a live campaign ends: decided by its deadline, or cancelled by its owner; settled when no money is left to move.

`investments` refunds and releases: it starts on the event `campaign.cancelled` and calls `settle_campaign` at the end.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.access import access_own_campaign
from campaigns.errors import NotLive
from campaigns.models import CLOSED, Campaign, Status
from campaigns.services.amendments import lapse_amendments
from campaigns.services.early_close import continue_if_missed
from campaigns.services.funding import lock_campaign
from campaigns.services.reporting import watch_reporting
from campaigns.services.steps import take_step
from core.data.transactions import retrying


@retrying
def cancel_campaign(*, owner: Any, campaign_id: UUID, now: datetime) -> Campaign:
    """
    Take a live campaign back; everyone is refunded.

    :raises NotLive: not live yet, or decided already
    """
    campaign = access_own_campaign(owner, campaign_id)
    continue_if_missed(campaign, now=now)
    if campaign.status != Status.LIVE:
        raise NotLive(status=campaign.status)
    _close(campaign, Status.CANCELLED, actor=owner, now=now)
    return campaign


@retrying
def decide_campaign(
    campaign_id: UUID, *, now: datetime, check: Callable[[Campaign, datetime], None] | None = None
) -> Campaign:
    """
    After its deadline a live campaign is funded if it raised its goal, else failed; it goes on if it only missed its
    goal at an early close. Repeating it changes nothing.

    :param check: called under the lock; raises while something else might still decide it
    :raises PaymentsUnderWay: what a payment brings might still decide it
    """
    campaign = lock_campaign(campaign_id)
    if campaign.status == Status.LIVE and campaign.ends_at <= now:
        if check is not None:
            check(campaign, now)
        if continue_if_missed(campaign, now=now):
            return campaign
        reached = campaign.raised_minor >= campaign.goal_minor
        _close(campaign, Status.FUNDED if reached else Status.FAILED, actor=None, now=now)
    return campaign


def settle_campaign(campaign: Campaign, *, now: datetime) -> None:
    """The last step of a locked campaign, in the transaction that moved its last money."""
    if campaign.status not in CLOSED:
        raise ValueError(f"a campaign that is {campaign.status} cannot be settled")
    take_step(campaign, Status.SETTLED, actor=None, now=now, settled_at=now)


def _close(campaign: Campaign, outcome: str, *, actor: Any, now: datetime) -> None:
    take_step(campaign, outcome, actor=actor, now=now, closed_at=now, outcome=outcome)
    if outcome == Status.FUNDED:
        watch_reporting(campaign, now=now)
    lapse_amendments(campaign, now=now)
