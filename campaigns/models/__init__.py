"""Campaigns, their pictures, every step of their life, and who backs and follows them."""

from campaigns.models.amendments import Amendment, AmendmentStatus
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
    deadline,
    fees_of,
    is_open,
    phase,
    place_of,
    progress_percent,
    rules_of,
)
from campaigns.models.documents import CampaignDocument, DocumentConsent, DocumentKind
from campaigns.models.following import CampaignAudience, CampaignFollow
from campaigns.models.history import StatusChange
from campaigns.models.key_information import KeyInformation
from campaigns.models.reporting import ReportingReminder, ReportingWatch
from campaigns.models.review import ReviewPhrase
from campaigns.models.submissions import Submission
from campaigns.models.terms import (
    FIELD_CLASSES,
    MATERIAL,
    PUBLIC_NAMES,
    FieldClass,
    TermsReason,
    TermsVersion,
    read_stored,
    shown,
    stored,
)
from campaigns.models.updates import AuthorRole, Update, UpdateEdit, UpdateMedia

__all__ = [
    "BEFORE_LIVE",
    "CLOSED",
    "EDITABLE",
    "FIELD_CLASSES",
    "MATERIAL",
    "PUBLIC",
    "PUBLIC_NAMES",
    "Amendment",
    "AmendmentStatus",
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
    "FieldClass",
    "KeyInformation",
    "Outcome",
    "Phase",
    "ReportingReminder",
    "ReportingWatch",
    "ReviewPhrase",
    "Status",
    "StatusChange",
    "Submission",
    "TermsReason",
    "TermsVersion",
    "Update",
    "UpdateEdit",
    "UpdateMedia",
    "available_minor",
    "deadline",
    "fees_of",
    "is_open",
    "phase",
    "place_of",
    "progress_percent",
    "read_stored",
    "rules_of",
    "shown",
    "stored",
]
