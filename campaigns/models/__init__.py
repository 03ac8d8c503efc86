"""Campaigns, their pictures, every step of their life, and who backs and follows them."""

from campaigns.models.backing import Backing
from campaigns.models.campaigns import (
    BEFORE_LIVE,
    CLOSED,
    EDITABLE,
    PUBLIC,
    Campaign,
    CampaignIndex,
    CampaignMedia,
    CampaignPictures,
    CampaignQuerySet,
    Category,
    Outcome,
    Phase,
    Status,
    available_minor,
    cap_minor,
    is_open,
    phase,
    place_of,
    progress_percent,
    rules_of,
)
from campaigns.models.documents import CampaignDocument, DocumentConsent, DocumentKind
from campaigns.models.following import CampaignAudience, CampaignFollow
from campaigns.models.history import StatusChange
from campaigns.models.reporting import ReportingReminder, ReportingWatch
from campaigns.models.review import ReviewPhrase
from campaigns.models.submissions import Submission
from campaigns.models.updates import AuthorRole, Update, UpdateEdit, UpdateMedia

__all__ = [
    "BEFORE_LIVE",
    "CLOSED",
    "EDITABLE",
    "PUBLIC",
    "AuthorRole",
    "Backing",
    "Campaign",
    "CampaignAudience",
    "CampaignDocument",
    "CampaignFollow",
    "CampaignIndex",
    "CampaignMedia",
    "CampaignPictures",
    "CampaignQuerySet",
    "Category",
    "DocumentConsent",
    "DocumentKind",
    "Outcome",
    "Phase",
    "ReportingReminder",
    "ReportingWatch",
    "ReviewPhrase",
    "Status",
    "StatusChange",
    "Submission",
    "Update",
    "UpdateEdit",
    "UpdateMedia",
    "available_minor",
    "cap_minor",
    "is_open",
    "phase",
    "place_of",
    "progress_percent",
    "rules_of",
]
