"""Who may see and change which campaign. One that a person may not see is answered like one that does not exist."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from campaigns.errors import NotTheOwner
from campaigns.models import Amendment, AmendmentStatus, Backing, Campaign, CampaignQuerySet, Update
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


def access_own_campaign(person: Any, campaign_id: UUID, *, is_locked: bool = True) -> Campaign:
    """
    The person's own campaign, locked until the caller's transaction ends unless the caller does without.

    :raises NotFound: missing, or not yet public and somebody else's
    :raises NotTheOwner: public, and somebody else's
    """
    found = visible_to(person).filter(pk=campaign_id)
    campaign = (lock(found) if is_locked else found).first()
    if campaign is None:
        raise NotFound()
    if campaign.owner_id != person.pk:
        raise NotTheOwner()
    return campaign


def access_update(person: Any, campaign_id: UUID, update_id: UUID, now: datetime) -> Update:
    """
    An update that the person may read.

    :raises NotFound: missing, deleted, or not for them
    """
    access_campaign(person, campaign_id)
    update = Update.objects.visible_to(person, now).filter(campaign=campaign_id, pk=update_id).first()
    if update is None:
        raise NotFound()
    return update


def access_own_update(person: Any, campaign_id: UUID, update_id: UUID, *, is_locked: bool = False) -> Update:
    """
    An update of the person's own campaign.

    :raises NotFound: missing or deleted
    :raises NotTheOwner: somebody else's campaign
    """
    campaign = access_own_campaign(person, campaign_id, is_locked=False)
    found = Update.objects.filter(campaign=campaign, pk=update_id, deleted_at=None)
    update = (lock(found) if is_locked else found).first()
    if update is None:
        raise NotFound()
    update.campaign = campaign
    return update


def reads_what_is_for_investors(person: Any, campaign: Campaign) -> bool:
    """The owner, those who moderate campaigns, and those who have money in it now."""
    if can_see_backers(person, campaign):
        return True
    return Backing.objects.filter(campaign=campaign, backer=person.pk, committed_minor__gt=0).exists()


def can_see_backers(person: Any, campaign: Campaign) -> bool:
    """Names and amounts are for the owner and for those who moderate campaigns."""
    return campaign.owner_id == person.pk or MODERATE.held_by(person)


def amendments_visible_to(person: Any, campaign_id: UUID) -> QuerySet[Amendment]:
    """
    Amendments of a campaign: what was approved is for everyone who sees it, the rest for its owner and moderators.

    :raises NotFound: missing, or not yet public and somebody else's
    """
    campaign = access_campaign(person, campaign_id)
    amendments = Amendment.objects.filter(campaign=campaign).select_related("campaign")
    if can_see_backers(person, campaign):
        return amendments
    return amendments.filter(status=AmendmentStatus.APPROVED)
