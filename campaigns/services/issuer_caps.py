"""
How much one owner may raise in twelve months under a rule set, over all campaigns (docs/eligibility.md).

What a campaign may raise at most is counted when it is submitted and published, under the owner's lock, and each
investment stays within that under the campaign's lock. So campaigns that raise at the same time need no lock in common.
"""

from datetime import datetime

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from campaigns.errors import IssuerCapExceeded
from campaigns.models import Campaign, Outcome, Status
from core.money import minor_text


def reach_within_issuer_cap(campaign: Campaign, *, now: datetime) -> int | None:
    """
    The most that a campaign may raise, in minor units: its own cap, or without one what the law leaves its owner. None:
    neither says anything.

    Call it with the owner locked, before the campaign, and keep the result as `max_minor`: for a step towards live, and
    for a change of the cap of a live campaign.

    :raises IssuerCapExceeded: the owner's other campaigns leave less than its cap, or its goal
    """
    rules = campaign.rule_set
    if "issuer_cap" not in rules or campaign.currency != rules.currency:  # which `completeness` refuses
        return campaign.max_minor
    most = rules["issuer_cap"].value
    available = max(0, most - _taken(campaign, most, rules["issuer_cap_window"].before(now, campaign.place)))
    if (campaign.max_minor or campaign.goal_minor) > available:
        raise IssuerCapExceeded(
            limit=minor_text(most, rules.currency),
            available=minor_text(available, rules.currency),
            currency=rules.currency,
        )
    return campaign.max_minor or available


def _taken(campaign: Campaign, most: int, since: datetime) -> int:
    """What the owner's other campaigns have raised since then or may still raise, in minor units."""
    others = Campaign.objects.filter(owner_id=campaign.owner_id, rules=campaign.rules).exclude(pk=campaign.pk)
    running = others.filter(status__in=[Status.IN_REVIEW, Status.LIVE])
    ended = others.filter(outcome=Outcome.FUNDED).filter(Q(closed_at=None) | Q(closed_at__gt=since))
    reach = running.aggregate(sum=Sum(Coalesce(F("max_minor"), most), default=0))["sum"]
    raised = ended.aggregate(sum=Sum("raised_minor", default=0))["sum"]
    return int(reach) + int(raised)
