"""Personal data in campaigns (core.privacy): who owns one and who backs it."""

from datetime import datetime
from uuid import UUID

from accounts.errors import MoneyInFlight
from accounts.models import User
from campaigns.errors import CampaignUnderWay
from campaigns.models import (
    CLOSED,
    EDITABLE,
    Amendment,
    Backing,
    Campaign,
    CampaignAudience,
    CampaignDocument,
    CampaignFollow,
    CampaignIndex,
    CampaignMedia,
    Category,
    DocumentConsent,
    KeyInformation,
    ReportingReminder,
    ReportingWatch,
    ReviewPhrase,
    Status,
    StatusChange,
    Submission,
    TermsVersion,
    Update,
    UpdateEdit,
    UpdateMedia,
)
from campaigns.services.drafts import delete_campaign
from campaigns.services.follows import delete_follows_of
from core.privacy import Cascade, Kept, Withheld, blocks_erasure, declare, declare_impersonal

UNDER_WAY = (Status.IN_REVIEW, Status.LIVE, *CLOSED)


@blocks_erasure(MoneyInFlight, CampaignUnderWay)
def block_while_campaigns_are_under_way(person_id: UUID) -> None:
    """:raises MoneyInFlight: :raises CampaignUnderWay:"""
    running = list(Campaign.objects.filter(owner_id=person_id, status__in=UNDER_WAY))
    if any(campaign.raised_minor or campaign.reserved_minor for campaign in running):
        raise MoneyInFlight()
    if running:
        raise CampaignUnderWay()


def delete_drafts(*, person_id: UUID, now: datetime) -> None:
    """What was public stays: others put money into it; its owner has no name any more."""
    owner = User.objects.get(pk=person_id)
    drafts = Campaign.objects.filter(owner=owner, status__in=EDITABLE).values_list("pk", flat=True)
    for campaign_id in list(drafts):
        delete_campaign(owner=owner, campaign_id=campaign_id, now=now)


def delete_campaign_follows(*, person_id: UUID, now: datetime) -> None:
    delete_follows_of(person_id)


PUBLIC_RECORD = "others put money into it, and its owner has no name any more"

declare_impersonal(ReviewPhrase, about="ready-made words", retention=Kept("part of the platform"))
declare_impersonal(Category, about="what campaigns are sorted by", retention=Kept("part of the platform"))
declare(
    Campaign,
    person="owner_id",
    export=(
        "id",
        "title",
        "slug",
        "summary",
        "description",
        "category__slug",
        "status",
        "currency",
        "goal_minor",
        "max_minor",
        "min_investment_minor",
        "raised_minor",
        "investor_count",
        "starts_at",
        "ends_at",
        "expected_return_percent",
        "review_note",
        "created_at",
        "updated_at",
        "published_at",
        "closed_at",
        "outcome",
        "settled_at",
    ),
    erase=delete_drafts,
    retention=Kept(PUBLIC_RECORD),
)
declare(
    CampaignIndex,
    person="campaign__owner_id",
    export=Withheld("made of the campaign's own words"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    CampaignMedia,
    person="campaign__owner_id",
    export=("campaign_id", "file_id", "position"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    Amendment,
    person="campaign__owner_id",
    export=("campaign_id", "changes", "before", "words", "status", "review_note", "created_at", "decided_at"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    TermsVersion,
    person="actor_id",
    export=("campaign_id", "version", "terms", "reason", "words", "created_at"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    StatusChange,
    person="actor_id",
    export=("campaign_id", "from_status", "to_status", "reason", "created_at"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    Submission,
    person="campaign__owner_id",
    export=("campaign_id", "created_at", "fields", "pictures"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    Update,
    person="campaign__owner_id",
    export=(
        "id",
        "campaign_id",
        "kind",
        "audience",
        "author_role",
        "title",
        "content",
        "publish_at",
        "created_at",
        "edited_at",
        "deleted_at",
    ),
    erase=Kept(PUBLIC_RECORD),
    retention=Kept(PUBLIC_RECORD),
)
declare(
    UpdateEdit,
    person="update__campaign__owner_id",
    export=("update_id", "title", "content", "audience", "replaced_at"),
    erase=Kept(PUBLIC_RECORD),
    retention=Kept(PUBLIC_RECORD),
)
declare(
    UpdateMedia,
    person="update__campaign__owner_id",
    export=("update_id", "file_id", "position"),
    erase=Kept(PUBLIC_RECORD),
    retention=Kept(PUBLIC_RECORD),
)
declare(
    KeyInformation,
    person="campaign__owner_id",
    export=("campaign_id", "instrument", "has_vehicle", "texts", "updated_at"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    CampaignDocument,
    person="campaign__owner_id",
    export=("id", "campaign_id", "kind", "version", "title", "file_id", "sha256", "created_at"),
    erase=Cascade("campaign"),
    retention=Cascade("campaign"),
)
declare(
    DocumentConsent,
    person="person_id",
    export=("document__campaign_id", "document__kind", "document__version", "sha256", "created_at"),
    erase=Kept("proves what was agreed to before money moved, for an account without a name"),
    retention=Kept("proves what was agreed to before money moved"),
)
declare(
    Backing,
    person="backer_id",
    export=("campaign_id", "campaign__title", "committed_minor", "since"),
    erase=Kept("says how much money a campaign got, for an account without a name"),
    retention=Kept("as long as its campaign"),
)
declare(
    CampaignFollow,
    person="follower_id",
    export=("campaign_id", "campaign__title", "created_at"),
    erase=delete_campaign_follows,
    retention=Cascade("campaign"),
)
declare_impersonal(ReportingWatch, about="when reports of a campaign are due", retention=Cascade("campaign"))
declare(
    ReportingReminder,
    person="campaign__owner_id",
    export=("campaign_id", "kind", "due_at", "stage", "created_at"),
    erase=Kept("belongs to the public record of a campaign"),
    retention=Cascade("campaign"),
)
declare_impersonal(CampaignAudience, about="how many follow a campaign", retention=Cascade("campaign"))
