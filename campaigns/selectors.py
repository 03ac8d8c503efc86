"""Reads shaped for one screen each. Amounts and counts are the kept columns of the primary database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from msgspec.structs import asdict

from accounts.permissions import USE_ADMIN
from campaigns.access import access_campaign, reads_what_is_for_investors, visible_to
from campaigns.actions import campaign_actions, page_statement
from campaigns.errors import Missing
from campaigns.models import (
    BEFORE_LIVE,
    AuthorRole,
    Campaign,
    CampaignDocument,
    CampaignMedia,
    Category,
    DocumentConsent,
    KeyInformation,
    Phase,
    Status,
    StatusChange,
    Update,
    UpdateEdit,
    fees_of,
)
from campaigns.outputs import (
    CampaignCard,
    CampaignOutput,
    CampaignStep,
    FeeCard,
    MyInvestment,
    Proceeds,
    Reporting,
)
from campaigns.permissions import MODERATE
from campaigns.services.completeness import missing_items
from campaigns.services.reporting import reports_of
from core.api.errors import NotFound
from core.api.principals import Anonymous
from core.data.statements import load
from core.money import Money, minor_text
from core.search import Asked
from uploads.models import StoredFile
from uploads.outputs import MediaCard, media_cards

HISTORY = 50
"""How many steps a campaign's page shows."""
SORTS = {
    "newest": ("-created_at", "-id"),
    "ending": ("ends_at", "id"),
    "most_funded": ("-raised_minor", "-id"),
    "trending": ("-trend", "-id"),
}


_LIST = load("campaigns/sql/campaign_list.sql")
_CARDS = load("campaigns/sql/campaign_cards.sql")
_SEARCH = load("campaigns/sql/campaign_search.sql")
_UPDATES = load("campaigns/sql/update_list.sql")


def campaign_list(
    person: Any,
    *,
    now: datetime,
    category: str = "",
    status: str = "",
    phase: str = "",
    rules: str = "",
    q: str = "",
    sort: str = "newest",
) -> QuerySet[Campaign]:
    """What `person` may see, by filters. `ending` lists what is open, unless a phase or another status is asked for."""
    campaigns = visible_to(person).for_cards()
    if rules:
        campaigns = campaigns.filter(rules=rules)
    if category:
        campaigns = campaigns.filter(category__slug=category)
    if status:
        campaigns = campaigns.filter(status=status)
    if phase := _phase(phase, status, sort):
        campaigns = campaigns.in_phase(phase, now)
    if q:
        campaigns = campaigns.matching(q)
    return campaigns


def campaign_rows(
    person: Any,
    *,
    now: datetime,
    category: str = "",
    status: str = "",
    phase: str = "",
    rules: str = "",
    sort: str = "newest",
    **part: Any,
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
        rules=rules or None,
        **({f"{phase}_at": now} if (phase := _phase(phase, status, sort)) else {}),
        **{sort: True},
        **part,
    )


def _phase(phase: str, status: str, sort: str) -> str:
    """The phase that a list is limited to; empty for none."""
    return phase or (Phase.OPEN if sort == "ending" and status in ("", Status.LIVE) else "")


def own_campaign_rows(person: Any, **part: Any) -> list[Any]:
    """The person's own, newest first, as `campaign_rows`."""
    return _LIST.rows(viewer=person.pk, own=True, newest=True, **part)


def found_campaigns(person: Any, asked: Asked, **part: Any) -> list[Any]:
    """
    Campaigns that the person may see and that hold what was asked for, the best first: `campaign_rows` with a `score`.

    :param part: `core.api.pages.Part.parameters`, by `score` and `id`
    """
    return _SEARCH.rows(viewer=person.pk, moderator=MODERATE.held_by(person), **asked.parameters, **part)


def campaign_cards(ids: Collection[UUID], now: datetime) -> dict[UUID, CampaignCard]:
    """The cards of campaigns that somebody else's list names, by id; for the caller to know who may see them."""
    return {row.id: CampaignCard.of_row(row, now) for row in _CARDS.rows(ids=list(ids))} if ids else {}


def categories() -> QuerySet[Category]:
    return Category.objects.all()


def campaign_page(person: Any, campaign_id: UUID, now: datetime) -> CampaignOutput:
    """
    Everything about one campaign that `person` may know.

    :raises NotFound: missing, or not yet public and somebody else's
    """
    rows = page_statement().rows(viewer=person.pk, moderator=MODERATE.held_by(person), id=campaign_id)
    if not rows:
        raise NotFound()
    row = rows[0]
    is_own = row.owner_id == person.pk
    reports = reports_of(row, now)
    own = Campaign.objects.get(pk=campaign_id) if is_own else None
    missing = _missing(own, now) if own is not None and own.status in BEFORE_LIVE else None
    mine = row.backed_minor and MyInvestment(
        amount=minor_text(row.backed_minor, row.currency), currency=row.currency, since=row.backed_since
    )
    return CampaignOutput(
        **asdict(CampaignCard.of_row(row, now)),
        description=row.description,
        expected_return_percent=row.expected_return_percent,
        rules=row.rules,
        rules_version=row.rules_version or None,
        country=row.country or None,
        time_zone=row.time_zone,
        fiscal_year_end=row.fiscal_year_end,
        terms_version=row.terms_version,
        first_ends_at=row.first_ends_at,
        fees=[FeeCard.of_fee(fee, row.currency) for fee in fees_of(row).fees],
        proceeds=Proceeds.of(proceeds_of(row), fees_of(row)) if is_own else None,
        media=media_cards(row.media, now),
        my_investment=mine,
        follower_count=row.follower_count,
        followed_by_me=row.followed_by_me,
        allowed_actions=campaign_actions(person, row, now, own=own),
        missing=missing,
        history=_history(campaign_id) if is_own or MODERATE.held_by(person) else None,
        reporting=None if reports is None else Reporting.of(reports),
        author_role=_author_role(row, person),
        review_note=row.review_note if is_own and row.review_note else None,
        published_at=row.published_at,
        closed_at=row.closed_at,
        settled_at=row.settled_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def proceeds_of(campaign: Any) -> Money:
    """
    What was released to the owner and for fees, whatever was refunded since; before that, what is raised now.

    :param campaign: a `Campaign`, or a row with its columns
    """
    released = None
    if campaign.outcome == Status.FUNDED:
        step = StatusChange.objects.filter(campaign_id=campaign.id, to_status=Status.FUNDED)
        released = step.values_list("raised_minor", flat=True).first()
    return Money(campaign.raised_minor if released is None else released, campaign.currency)


def _author_role(row: Any, person: Any) -> AuthorRole | None:
    """As `campaigns.roles.author_role`, from a row that knows whether the person backs it."""
    if row.owner_id == person.pk:
        return AuthorRole.FOUNDER
    if USE_ADMIN.held_by(person):
        return AuthorRole.STAFF
    return AuthorRole.INVESTOR if row.backed_minor else None


def update_rows(person: Any, campaign_id: UUID, now: datetime, **part: Any) -> list[Any]:
    """
    The updates of a campaign that the person may read at `now`, newest first, for `UpdateOutput.of_row`.

    :param part: `core.api.pages.Part.parameters`, by `publish_at` and `id`
    :raises NotFound: no such campaign, or not for them
    """
    rows = _UPDATES.rows(viewer=person.pk, moderator=MODERATE.held_by(person), id=campaign_id, now=now, **part)
    if not rows:
        raise NotFound()
    return [row for row in rows if row.update_id]


def readable_updates(person: Any, campaign_id: UUID, now: datetime) -> QuerySet[Update]:
    """All that `update_rows` reads page by page."""
    return Update.objects.visible_to(person, now).filter(campaign=campaign_id)


def update_edits(person: Any, update: Update) -> QuerySet[UpdateEdit]:
    """What the update said before, as far as the person could read it then."""
    earlier = UpdateEdit.objects.filter(update=update)
    if reads_what_is_for_investors(person, update.campaign):
        return earlier
    return earlier.filter(audience=Update.Audience.PUBLIC)


def _missing(campaign: Campaign, now: datetime) -> list[Missing]:
    return [Missing(field=item.field, because=item.because) for item in missing_items(campaign, now)]


def _history(campaign_id: UUID) -> list[CampaignStep]:
    newest = StatusChange.objects.filter(campaign=campaign_id).order_by("-id")[:HISTORY]
    return [CampaignStep.of(change) for change in reversed(newest)]


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


def campaign_documents(person: Any, campaign_id: UUID) -> QuerySet[CampaignDocument]:
    """
    All versions of a campaign's documents, the newest first, for `DocumentCard.of`.

    :raises NotFound: missing, or not yet public and somebody else's
    """
    campaign = access_campaign(person, campaign_id)
    of_kind = CampaignDocument.objects.filter(campaign=OuterRef("campaign"), kind=OuterRef("kind"))
    consents = DocumentConsent.objects.filter(document=OuterRef("pk"), person_id=person.pk)
    return CampaignDocument.objects.filter(campaign=campaign).annotate(
        newest=Subquery(of_kind.order_by("-version").values("version")[:1]),
        accepted_at=Subquery(consents.values("created_at")[:1]),
    )


def key_information(person: Any, campaign_id: UUID) -> KeyInformation:
    """
    The sheet of a campaign, with the campaign.

    :raises NotFound: there is none, or the campaign is not to be seen
    """
    access_campaign(person, campaign_id)
    written = KeyInformation.objects.select_related("campaign").filter(campaign_id=campaign_id).first()
    if written is None:
        raise NotFound()
    return written
