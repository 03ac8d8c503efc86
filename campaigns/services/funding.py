"""
The money columns of a campaign and who backs it: reserve, then confirm or release; give back later (docs/locking.md).

Call these inside the transaction that books the same amounts in the ledger. Each takes the campaign's row lock first
and checks after it; the caller may hold the investor's row and locks its own rows afterwards.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.errors import BelowMinimum, CampaignClosed, CampaignNotOpen, CurrencyMismatch, OverCap, OwnCampaign
from campaigns.models import PUBLIC, Backing, Campaign, Status
from campaigns.trending import with_one_more
from core import events
from core.api.errors import NotFound
from core.data.locks import lock
from core.money import Money


def lock_campaign(campaign_id: UUID) -> Campaign:
    """
    The campaign as it is now; nobody else changes it until the caller's transaction ends.

    A lock without the key, so that rows which only point to the campaign are not held up.

    :raises NotFound: there is none
    """
    campaign = lock(Campaign.objects).defer("description", "search").filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound()
    return campaign


def reserve_funding(*, campaign_id: UUID, backer: Any, amount: Money, now: datetime) -> Campaign:
    """
    Set `amount` aside for a payment that begins now.

    The smallest investment does not apply to the very last piece under the cap.

    :raises NotFound: missing or not public
    :raises OwnCampaign: :raises CampaignNotOpen: :raises CampaignClosed: :raises CurrencyMismatch:
    :raises BelowMinimum: :raises OverCap:
    """
    campaign = lock_campaign(campaign_id)
    if campaign.owner_id == backer.pk:
        raise OwnCampaign()
    if campaign.status not in PUBLIC:
        raise NotFound()
    if campaign.status == Status.LIVE and campaign.starts_at is not None and now < campaign.starts_at:
        raise CampaignNotOpen()
    if not campaign.is_open_at(now):
        raise CampaignClosed()
    if amount.currency != campaign.currency:
        raise CurrencyMismatch(currency=campaign.currency)
    available = campaign.available_minor
    if amount.minor > available:
        raise OverCap(available=campaign.text(available), currency=campaign.currency)
    minimum = campaign.min_investment_minor or 1
    if amount.minor < minimum and amount.minor != available:
        raise BelowMinimum(minimum=campaign.text(minimum), currency=campaign.currency)
    campaign.reserved_minor += amount.minor
    campaign.save(update_fields=["reserved_minor"])
    return campaign


def confirm_funding(*, campaign_id: UUID, backer_id: UUID, amount: Money, now: datetime) -> Campaign:
    """Turn a reservation into money raised: the payment came through."""
    campaign = lock_campaign(campaign_id)
    campaign.reserved_minor -= amount.minor
    campaign.raised_minor += amount.minor
    campaign.trend = with_one_more(campaign.trend, now)
    backing, _ = Backing.objects.get_or_create(
        campaign=campaign, backer_id=backer_id, defaults={"since": now, "created_at": now}
    )
    if not backing.committed_minor:
        backing.since = now
        campaign.investor_count += 1
        events.record("campaign.backer_joined", campaign, actor=None, now=now, backer_id=backer_id)
    backing.committed_minor += amount.minor
    backing.save(update_fields=["committed_minor", "since"])
    campaign.save(update_fields=["reserved_minor", "raised_minor", "trend", "investor_count"])
    return campaign


def release_funding(*, campaign_id: UUID, amount: Money) -> Campaign:
    """Let go of a reservation: the payment did not come through."""
    campaign = lock_campaign(campaign_id)
    campaign.reserved_minor -= amount.minor
    campaign.save(update_fields=["reserved_minor"])
    return campaign


def return_funding(*, campaign_id: UUID, backer_id: UUID, amount: Money, now: datetime) -> Campaign:
    """Take money raised out again: it is being refunded."""
    campaign = lock_campaign(campaign_id)
    campaign.raised_minor -= amount.minor
    backing = Backing.objects.get(campaign=campaign, backer_id=backer_id)
    backing.committed_minor -= amount.minor
    backing.save(update_fields=["committed_minor"])
    if not backing.committed_minor:
        campaign.investor_count -= 1
        events.record("campaign.backer_left", campaign, actor=None, now=now, backer_id=backer_id)
    campaign.save(update_fields=["raised_minor", "investor_count"])
    return campaign
