"""
How much one owner may raise in twelve months under a rule set, over all campaigns (docs/eligibility.md).

What a campaign may raise at most is counted when it is submitted, under the owner's lock, and each investment stays
within that under the campaign's lock. So campaigns that raise at the same time need no lock in common.
"""

from datetime import datetime

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from campaigns.errors import IssuerCapExceeded
from campaigns.models import Campaign, Outcome, Status
from core.money import minor_text


def refuse_over_issuer_cap(campaign: Campaign, *, now: datetime) -> None:
    """
    Whether what the campaign may raise fits into what its owner may still raise. Call it with the owner locked, before
    the campaign: for a submission, and for a change of `max_minor` of a live campaign.

    :raises IssuerCapExceeded:
    """
    rules = campaign.rule_set
    if "issuer_cap" not in rules:
        return
    most = rules["issuer_cap"].value
    taken = _taken(campaign, most, rules["issuer_cap_window"].before(now, campaign.place))
    reach = campaign.max_minor or max(most, campaign.goal_minor)
    if taken + reach > most:
        raise IssuerCapExceeded(
            limit=minor_text(most, rules.currency),
            available=minor_text(max(0, most - taken), rules.currency),
            currency=rules.currency,
        )


def _taken(campaign: Campaign, most: int, since: datetime) -> int:
    """What the owner's other campaigns have raised since then or may still raise, in minor units."""
    others = Campaign.objects.filter(owner_id=campaign.owner_id, rules=campaign.rules).exclude(pk=campaign.pk)
    running = others.filter(status__in=[Status.IN_REVIEW, Status.LIVE])
    ended = others.filter(outcome=Outcome.FUNDED).filter(Q(closed_at=None) | Q(closed_at__gt=since))
    reach = running.aggregate(sum=Sum(Coalesce(F("max_minor"), most), default=0))["sum"]
    raised = ended.aggregate(sum=Sum("raised_minor", default=0))["sum"]
    return int(reach) + int(raised)
