"""Reads shaped for one screen each. Amounts and counts are the kept columns of the primary database."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from msgspec.structs import asdict

from campaigns.access import visible_to
from campaigns.models import EDITABLE, Backing, Campaign, Category, Status
from campaigns.outputs import Action, CampaignCard, CampaignOutput, MyInvestment
from campaigns.search import matching
from uploads.outputs import MediaCard

SORTS = {
    "newest": ("-created_at", "-id"),
    "ending": ("ends_at", "id"),
    "most_funded": ("-raised_minor", "-id"),
    "trending": ("-trend", "-id"),
}


def campaign_list(
    person: Any, *, now: datetime, category: str = "", status: str = "", q: str = "", sort: str = "newest"
) -> QuerySet[Campaign]:
    """What `person` may see, by filters. `ending` lists what still takes investments, unless a status is asked for."""
    campaigns = visible_to(person).for_cards()
    if category:
        campaigns = campaigns.filter(category__slug=category)
    if status:
        campaigns = campaigns.filter(status=status)
    elif sort == "ending":
        campaigns = campaigns.open_at(now)
    if q:
        campaigns = matching(campaigns, q)
    return campaigns


def own_campaigns(person: Any) -> QuerySet[Campaign]:
    return Campaign.objects.filter(owner=person).for_cards()


def categories() -> QuerySet[Category]:
    return Category.objects.all()


def with_my_backing(campaigns: QuerySet[Campaign], person: Any) -> QuerySet[Campaign]:
    mine = Backing.objects.filter(campaign=OuterRef("pk"), backer_id=person.pk)
    return campaigns.annotate(my_committed_minor=Subquery(mine.values("committed_minor")[:1]))


def campaign_page(campaign: Campaign, person: Any, now: datetime) -> CampaignOutput:
    """Everything about one campaign that `person` may know."""
    media = [picture.file for picture in campaign.media.select_related("file").order_by("position")]
    campaign.cover = media[0].storage_name if media else None  # type: ignore[attr-defined]
    backing = Backing.objects.filter(campaign=campaign, backer_id=person.pk, committed_minor__gt=0).first()
    is_owner = campaign.owner_id == person.pk
    percent = campaign.expected_return_percent
    return CampaignOutput(
        **asdict(CampaignCard.of(campaign)),
        description=campaign.description,
        expected_return_percent=None if percent is None else float(percent),
        media=[MediaCard.of(file) for file in media],
        my_investment=MyInvestment.of(backing, campaign.currency) if backing else None,
        allowed_actions=allowed_actions(campaign, person, now),
        review_note=campaign.review_note if is_owner and campaign.review_note else None,
        published_at=campaign.published_at,
        closed_at=campaign.closed_at,
        settled_at=campaign.settled_at,
        updated_at=campaign.updated_at,
        version=campaign.version,
    )


def allowed_actions(campaign: Campaign, person: Any, now: datetime) -> list[Action]:
    """What `person` could do with it now: the calls that neither its state nor their standing would refuse."""
    if campaign.owner_id != person.pk:
        able = campaign.is_open_at(now) and person.email_verified and person.kyc_verified
        return ["invest"] if able else []
    actions: list[Action] = []
    if campaign.status != Status.IN_REVIEW:
        actions.append("edit")
    if campaign.status in EDITABLE:
        actions += ["submit", "delete"] if campaign.ends_at > now else ["delete"]
    if campaign.status == Status.LIVE and campaign.ends_at > now:
        actions.append("cancel")
    return actions
