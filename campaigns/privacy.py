"""What this app knows of a person: their campaigns and what they back (core.privacy.people)."""

from datetime import datetime
from uuid import UUID

from accounts.errors import MoneyInFlight
from accounts.models import User
from campaigns.errors import CampaignUnderWay
from campaigns.models import CLOSED, EDITABLE, Backing, Campaign, CampaignMedia, Status, StatusChange
from campaigns.services.drafts import delete_campaign
from core.privacy import people

UNDER_WAY = (Status.IN_REVIEW, Status.LIVE, *CLOSED)

people.tells(
    Campaign,
    by="owner_id",
    fields=(
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
)
people.tells(CampaignMedia, by="campaign__owner_id", fields=("campaign_id", "file_id", "position"))
people.tells(StatusChange, by="actor_id", fields=("campaign_id", "from_status", "to_status", "reason", "created_at"))
people.tells(Backing, by="backer_id", fields=("campaign_id", "campaign__title", "committed_minor", "since"))


@people.objects(MoneyInFlight, CampaignUnderWay)
def object_while_campaigns_are_under_way(person_id: UUID) -> None:
    """:raises MoneyInFlight: :raises CampaignUnderWay:"""
    running = list(Campaign.objects.filter(owner_id=person_id, status__in=UNDER_WAY))
    if any(campaign.raised_minor or campaign.reserved_minor for campaign in running):
        raise MoneyInFlight()
    if running:
        raise CampaignUnderWay()


@people.forgets
def forget(*, person_id: UUID, now: datetime) -> None:
    """Drafts go. What was public stays: others put money into it; its owner has no name any more."""
    owner = User.objects.get(pk=person_id)
    drafts = Campaign.objects.filter(owner=owner, status__in=EDITABLE).values_list("pk", flat=True)
    for campaign_id in list(drafts):
        delete_campaign(owner=owner, campaign_id=campaign_id, now=now)
