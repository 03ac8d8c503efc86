"""Creating and changing campaigns, and deleting drafts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.utils.text import slugify

from accounts.services.counts import count
from campaigns.access import access_own_campaign
from campaigns.errors import (
    AmountsNeeded,
    CapBelowGoal,
    DeadlinePassed,
    DeadlineTooFar,
    EndsBeforeStart,
    HasInvestments,
    MinimumAboveGoal,
    NotADraft,
    RulesFixed,
    TermsFrozen,
    UnknownCategory,
)
from campaigns.models import BEFORE_LIVE, EDITABLE, Campaign, CampaignMedia, Category, Status
from campaigns.services.steps import take_step
from core import events
from core.api.etags import require_match
from core.api.names import to_camel
from core.data.transactions import retrying
from core.money import Money
from uploads.models import StoredFile
from uploads.services import delete_file, keep_files, store_image

LONGEST = timedelta(days=730)
"""How far ahead a deadline may lie."""
AMOUNTS = {"goal_amount": "goal_minor", "max_amount": "max_minor", "min_investment": "min_investment_minor"}
TERMS = (
    "goal_minor",
    "max_minor",
    "min_investment_minor",
    "currency",
    "starts_at",
    "ends_at",
    "expected_return_percent",
)
"""What backers agreed to; the database freezes them too."""
RULES = ("rules", "country", "time_zone", "fiscal_year_end")
PLAIN = ("title", "summary", "description", "currency", "starts_at", "ends_at", "expected_return_percent", *RULES)


@dataclass(frozen=True)
class Draft:
    """A campaign that is not saved yet, and its pictures, which are in the store."""

    campaign: Campaign
    pictures: list[StoredFile]


def create_campaign(
    *, owner: Any, now: datetime, media: "Sequence[UploadedFile[bytes]]" = (), **fields: Any
) -> Campaign:
    """`draft_campaign`, then `keep_draft`."""
    return keep_draft(owner=owner, draft=draft_campaign(owner=owner, now=now, media=media, **fields), now=now)


def draft_campaign(*, owner: Any, now: datetime, media: "Sequence[UploadedFile[bytes]]" = (), **fields: Any) -> Draft:
    """
    Check a new draft and take its pictures to the store, outside of any transaction.

    :param fields: those of `CampaignInput`; amounts in major units of `currency`
    :raises Invalid: a category, amount, date or picture that does not fit
    """
    campaign = Campaign(owner=owner, created_at=now, updated_at=now)
    _write_fields(campaign, fields, now)
    campaign.slug = f"{slugify(campaign.title)[:100] or 'campaign'}-{campaign.pk.hex[-8:]}"
    return Draft(campaign, _store(media, owner, now))


@retrying
def keep_draft(*, owner: Any, draft: Draft, now: datetime) -> Campaign:
    """Save a new draft."""
    campaign = draft.campaign
    campaign.save(force_insert=True)
    _show(campaign, draft.pictures, now)
    events.record("campaign.created", campaign, actor=owner, now=now)
    count(user_id=owner.pk, campaigns=1)
    return campaign


def edit_campaign(
    *,
    owner: Any,
    campaign_id: UUID,
    now: datetime,
    expected: frozenset[str] | None = None,
    media: "Sequence[UploadedFile[bytes]] | None" = None,
    **fields: Any,
) -> Campaign:
    """
    Change some fields. A rejected campaign becomes a draft again, one in review stays there and its reviewer sees what
    changed; `media`, when given, replaces the pictures.

    :param expected: the ETags that the client would overwrite (If-Match)
    :raises Stale: somebody changed it since
    :raises TermsFrozen: once live, the terms stay as they are
    :raises RulesFixed: from its submission on, the rules stay as they are
    """
    pictures = None if media is None else _store(media, owner, now)
    return _edit(owner, campaign_id, expected, pictures, fields, now)


@retrying
def _edit(
    owner: Any,
    campaign_id: UUID,
    expected: frozenset[str] | None,
    pictures: list[StoredFile] | None,
    fields: dict[str, Any],
    now: datetime,
) -> Campaign:
    campaign = access_own_campaign(owner, campaign_id)
    require_match(expected, campaign.etag)
    before = {name: getattr(campaign, name) for name in (*TERMS, *RULES)}
    _write_fields(campaign, fields, now)
    changed = [name for name, value in before.items() if getattr(campaign, name) != value]
    refusal = change_refusal(campaign.status, changed)
    if refusal is not None:
        raise refusal
    campaign.version += 1
    campaign.updated_at = now
    campaign.save(
        update_fields=[*TERMS, *RULES, "title", "summary", "description", "category", "version", "updated_at"]
    )
    if pictures is not None:
        for picture in campaign.media.select_related("file"):
            picture.delete()
            delete_file(picture.file, now=now)
        _show(campaign, pictures, now)
    if campaign.status == Status.REJECTED:
        take_step(campaign, Status.DRAFT, actor=owner, now=now, review_note="")
    events.record("campaign.edited", campaign, actor=owner, now=now, fields=sorted(fields))
    return campaign


def change_refusal(status: str, changed: Sequence[str]) -> TermsFrozen | RulesFixed | None:
    """
    Why an edit is refused that changes these of `TERMS` and `RULES`; None if it is not.

    :param changed: names of columns
    """
    if status in EDITABLE or not changed:
        return None
    if status not in BEFORE_LIVE:
        return TermsFrozen(fields=[_public_name(name) for name in changed])
    rules = [_public_name(name) for name in changed if name in RULES]
    return RulesFixed(fields=rules) if rules else None


@retrying
def delete_campaign(*, owner: Any, campaign_id: UUID, now: datetime) -> None:
    """
    Delete a draft with its pictures.

    :raises HasInvestments: there is money in it
    :raises NotADraft: it went further
    """
    campaign = access_own_campaign(owner, campaign_id)
    if campaign.raised_minor or campaign.reserved_minor:
        raise HasInvestments()
    if campaign.status not in EDITABLE:
        raise NotADraft(status=campaign.status)
    events.record("campaign.deleted", campaign, actor=owner, now=now, title=campaign.title)
    files = [picture.file for picture in campaign.media.select_related("file")]
    files += [document.file for document in campaign.documents.select_related("file")]
    campaign.delete()
    for file in files:
        delete_file(file, now=now)
    count(user_id=owner.pk, campaigns=-1)


def _write_fields(campaign: Campaign, fields: dict[str, Any], now: datetime) -> None:
    currency_before = campaign.currency
    for name in PLAIN:
        if name in fields:
            setattr(campaign, name, fields[name])
    if "category" in fields:
        campaign.category = _category(fields["category"])
    for name, column in AMOUNTS.items():
        if name in fields:
            amount: Decimal | None = fields[name]
            minor = None if amount is None else Money.of(amount, campaign.currency, to_camel(name)).minor
            setattr(campaign, column, minor)
        elif getattr(campaign, column) is not None and campaign.currency != currency_before:
            raise AmountsNeeded(field=to_camel(name))
    if campaign.max_minor is not None and campaign.max_minor < campaign.goal_minor:
        raise CapBelowGoal(field="maxAmount")
    if campaign.min_investment_minor is not None and campaign.min_investment_minor > campaign.goal_minor:
        raise MinimumAboveGoal(field="minInvestment")
    if campaign.starts_at is not None and campaign.ends_at <= campaign.starts_at:
        raise EndsBeforeStart(field="endsAt")
    if "ends_at" in fields and campaign.status in BEFORE_LIVE and campaign.ends_at <= now:
        raise DeadlinePassed(field="endsAt")
    if "ends_at" in fields:
        refuse_too_far(campaign.ends_at, now, field="endsAt")


def refuse_too_far(ends_at: datetime, now: datetime, *, field: str) -> None:
    """:raises DeadlineTooFar: money would be bound for years"""
    if ends_at > now + LONGEST:
        raise DeadlineTooFar(field=field, days=LONGEST.days)


def _category(name: str) -> Category:
    category = Category.objects.filter(slug=slugify(name)).first()
    if category is None:
        raise UnknownCategory(field="category")
    return category


def _store(media: "Sequence[UploadedFile[bytes]]", owner: Any, now: datetime) -> list[StoredFile]:
    return [store_image(file, owner_id=owner.pk, purpose="campaign", field="media", now=now) for file in media]


def _show(campaign: Campaign, pictures: Sequence[StoredFile], now: datetime) -> None:
    keep_files(pictures)
    CampaignMedia.objects.bulk_create(
        CampaignMedia(campaign=campaign, file=picture, position=position, created_at=now)
        for position, picture in enumerate(pictures)
    )


def _public_name(column: str) -> str:
    return to_camel({column: name for name, column in AMOUNTS.items()}.get(column, column))
