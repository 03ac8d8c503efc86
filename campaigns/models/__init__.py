"""Campaigns, their pictures, every step of their life, and who backs and follows them."""

from campaigns.models.backing import Backing
from campaigns.models.campaigns import (
    BEFORE_LIVE,
    CLOSED,
    EDITABLE,
    PUBLIC,
    STEPS,
    Campaign,
    CampaignIndex,
    CampaignMedia,
    CampaignPictures,
    CampaignQuerySet,
    Category,
    Outcome,
    Status,
    is_open,
    progress_percent,
)
from campaigns.models.following import CampaignAudience, CampaignFollow
from campaigns.models.history import StatusChange

__all__ = [
    "BEFORE_LIVE",
    "CLOSED",
    "EDITABLE",
    "PUBLIC",
    "STEPS",
    "Backing",
    "Campaign",
    "CampaignAudience",
    "CampaignFollow",
    "CampaignIndex",
    "CampaignMedia",
    "CampaignPictures",
    "CampaignQuerySet",
    "Category",
    "Outcome",
    "Status",
    "StatusChange",
    "is_open",
    "progress_percent",
]
