"""Reads shaped for one screen each. Amounts and counts are the kept columns of the primary database."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.cards import user_card
from campaigns.access import visible_to
from campaigns.models import EDITABLE, Backing, Campaign, Category, Status
from campaigns.search import matching
from core.money import minor_text
from uploads.cards import media_card
from uploads.selectors import media_url

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


def campaign_card(campaign: Campaign) -> dict[str, Any]:
    """A campaign in a list or beside an investment; from a row of `for_cards()`. Does not query."""
    return {
        "id": campaign.pk,
        "title": campaign.title,
        "slug": campaign.slug,
        "summary": campaign.summary,
        "category": campaign.category.slug,
        "status": campaign.status,
        "outcome": campaign.outcome or None,
        "owner": user_card(campaign.owner),
        "goalAmount": campaign.text(campaign.goal_minor),
        "maxAmount": campaign.text(campaign.max_minor),
        "minInvestment": campaign.text(campaign.min_investment_minor),
        "currency": campaign.currency,
        "raisedAmount": campaign.text(campaign.raised_minor),
        "committedAmount": campaign.text(campaign.raised_minor + campaign.reserved_minor),
        "investorCount": campaign.investor_count,
        "progressPercent": campaign.progress_percent,
        "startsAt": campaign.starts_at,
        "endsAt": campaign.ends_at,
        "coverImage": media_url(campaign.cover) if campaign.cover else None,  # type: ignore[attr-defined]
        "createdAt": campaign.created_at,
    }


def campaign_page(campaign: Campaign, person: Any, now: datetime) -> dict[str, Any]:
    """Everything about one campaign that `person` may know."""
    media = [picture.file for picture in campaign.media.select_related("file").order_by("position")]
    campaign.cover = media[0].storage_name if media else None  # type: ignore[attr-defined]
    is_owner = campaign.owner_id == person.pk
    percent = campaign.expected_return_percent
    return {
        **campaign_card(campaign),
        "description": campaign.description,
        "expectedReturnPercent": None if percent is None else float(percent),
        "media": [media_card(file) for file in media],
        "myInvestment": _my_investment(campaign, person),
        "allowedActions": allowed_actions(campaign, person, now),
        "reviewNote": campaign.review_note if is_owner and campaign.review_note else None,
        "publishedAt": campaign.published_at,
        "closedAt": campaign.closed_at,
        "settledAt": campaign.settled_at,
        "updatedAt": campaign.updated_at,
        "version": campaign.version,
    }


def _my_investment(campaign: Campaign, person: Any) -> dict[str, Any] | None:
    backing = Backing.objects.filter(campaign=campaign, backer_id=person.pk, committed_minor__gt=0).first()
    if backing is None:
        return None
    return {
        "amount": minor_text(backing.committed_minor, campaign.currency),
        "currency": campaign.currency,
        "since": backing.since,
    }


def allowed_actions(campaign: Campaign, person: Any, now: datetime) -> list[str]:
    """What `person` could do with it now: the calls that neither its state nor their standing would refuse."""
    if campaign.owner_id != person.pk:
        able = campaign.is_open_at(now) and person.email_verified and person.kyc_verified
        return ["invest"] if able else []
    actions: list[str] = []
    if campaign.status != Status.IN_REVIEW:
        actions.append("edit")
    if campaign.status in EDITABLE:
        actions += ["submit", "delete"] if campaign.ends_at > now else ["delete"]
    if campaign.status == Status.LIVE and campaign.ends_at > now:
        actions.append("cancel")
    return actions
