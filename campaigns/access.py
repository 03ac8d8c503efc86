"""Who may see and change which campaign. One that a person may not see is answered like one that does not exist."""

from typing import Any
from uuid import UUID

from campaigns.errors import NotTheOwner
from campaigns.models import Campaign, CampaignQuerySet
from campaigns.permissions import MODERATE
from core.api.errors import NotFound
from core.data.locks import lock


def visible_to(person: Any) -> CampaignQuerySet:
    return Campaign.objects.visible_to(person)


def access_campaign(person: Any, campaign_id: UUID) -> Campaign:
    """:raises NotFound: missing, or not yet public and somebody else's"""
    campaign = visible_to(person).select_related("owner", "category").filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound()
    return campaign


def access_own_campaign(person: Any, campaign_id: UUID) -> Campaign:
    """
    The person's own campaign, locked until the caller's transaction ends.

    :raises NotFound: missing, or not yet public and somebody else's
    :raises NotTheOwner: public, and somebody else's
    """
    campaign = lock(visible_to(person).filter(pk=campaign_id)).first()
    if campaign is None:
        raise NotFound()
    if campaign.owner_id != person.pk:
        raise NotTheOwner()
    return campaign


def can_see_backers(person: Any, campaign: Campaign) -> bool:
    """Names and amounts are for the owner and for those who moderate campaigns."""
    return campaign.owner_id == person.pk or MODERATE.held_by(person)
