"""Reads shaped for one screen each. Amounts and counts are the kept columns of the primary database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from msgspec.structs import asdict

from campaigns.access import visible_to
from campaigns.models import EDITABLE, Campaign, CampaignMedia, Category, Status, is_open
from campaigns.outputs import Action, CampaignCard, CampaignOutput, MyInvestment
from campaigns.permissions import MODERATE
from core.api.errors import NotFound
from core.api.principals import Anonymous
from core.data.statements import load
from core.money import minor_text
from core.search import Asked
from uploads.models import StoredFile
from uploads.outputs import MediaCard, media_cards

SORTS = {
    "newest": ("-created_at", "-id"),
    "ending": ("ends_at", "id"),
    "most_funded": ("-raised_minor", "-id"),
    "trending": ("-trend", "-id"),
}


_LIST = load("campaigns/sql/campaign_list.sql")
_CARDS = load("campaigns/sql/campaign_cards.sql")
_SEARCH = load("campaigns/sql/campaign_search.sql")
_PAGE = load("campaigns/sql/campaign_page.sql")


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
        campaigns = campaigns.matching(q)
    return campaigns


def campaign_rows(
    person: Any, *, now: datetime, category: str = "", status: str = "", sort: str = "newest", **part: Any
) -> list[Any]:
    """
    `campaign_list` without words, as rows for `CampaignCard.of_row`, in its order.

    :param part: `core.api.pages.Part.parameters`
    """
    return _LIST.rows(
        viewer=person.pk,
        moderator=MODERATE.held_by(person),
        category=category or None,
        status=status or None,
        open_at=now if sort == "ending" and not status else None,
        **{sort: True},
        **part,
    )


def own_campaign_rows(person: Any, **part: Any) -> list[Any]:
    """The person's own, newest first, as `campaign_rows`."""
    return _LIST.rows(viewer=person.pk, own=True, newest=True, **part)


def found_campaigns(person: Any, asked: Asked, **part: Any) -> list[Any]:
    """
    Campaigns that the person may see and that hold what was asked for, the best first: `campaign_rows` with a `score`.

    :param part: `core.api.pages.Part.parameters`, by `score` and `id`
    """
    return _SEARCH.rows(viewer=person.pk, moderator=MODERATE.held_by(person), **asked.parameters, **part)


def campaign_cards(ids: Collection[UUID]) -> dict[UUID, CampaignCard]:
    """The cards of campaigns that somebody else's list names, by id; for the caller to know who may see them."""
    return {row.id: CampaignCard.of_row(row) for row in _CARDS.rows(ids=list(ids))} if ids else {}


def categories() -> QuerySet[Category]:
    return Category.objects.all()


def campaign_page(person: Any, campaign_id: UUID, now: datetime) -> CampaignOutput:
    """
    Everything about one campaign that `person` may know.

    :raises NotFound: missing, or not yet public and somebody else's
    """
    rows = _PAGE.rows(viewer=person.pk, moderator=MODERATE.held_by(person), id=campaign_id)
    if not rows:
        raise NotFound()
    row = rows[0]
    mine = row.backed_minor and MyInvestment(
        amount=minor_text(row.backed_minor, row.currency), currency=row.currency, since=row.backed_since
    )
    return CampaignOutput(
        **asdict(CampaignCard.of_row(row)),
        description=row.description,
        expected_return_percent=row.expected_return_percent,
        rules=row.rules,
        rules_version=row.rules_version or None,
        country=row.country or None,
        time_zone=row.time_zone,
        fiscal_year_end=row.fiscal_year_end,
        terms_version=row.terms_version,
        media=media_cards(row.media, now),
        my_investment=mine,
        follower_count=row.follower_count,
        followed_by_me=row.followed_by_me,
        allowed_actions=allowed_actions(row, person, now),
        review_note=row.review_note if row.owner_id == person.pk and row.review_note else None,
        published_at=row.published_at,
        closed_at=row.closed_at,
        settled_at=row.settled_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def public_campaign(now: datetime, **which: Any) -> tuple[Campaign, MediaCard | None]:
    """
    A campaign as people see it who are not signed in, and its first picture.

    :param which: `pk` or `slug`
    :raises NotFound: missing, or not yet public
    """
    campaign = visible_to(Anonymous()).select_related("owner", "category").filter(**which).first()
    if campaign is None:
        raise NotFound()
    first = CampaignMedia.objects.filter(campaign=campaign).order_by("position").values("file_id")[:1]
    picture = StoredFile.objects.with_renditions().filter(pk__in=first).first()
    return campaign, MediaCard.of(picture, now) if picture else None


def allowed_actions(campaign: Any, person: Any, now: datetime) -> list[Action]:
    """
    What `person` could do with it now: the calls that neither its state nor their permissions would refuse.

    :param campaign: a `Campaign`, or a row with its columns
    """
    if campaign.owner_id != person.pk:
        takes_money = is_open(campaign.status, campaign.starts_at, campaign.ends_at, now)
        return ["invest"] if takes_money and person.email_verified and person.kyc_verified else []
    actions: list[Action] = []
    if campaign.status != Status.IN_REVIEW:
        actions.append("edit")
    if campaign.status in EDITABLE:
        actions += ["submit", "delete"] if campaign.ends_at > now else ["delete"]
    if campaign.status == Status.LIVE and campaign.ends_at > now:
        actions.append("cancel")
    return actions
