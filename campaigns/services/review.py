"""From draft to live: the owner submits, a moderator decides, never about their own campaign."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.access import lock_person
from campaigns.access import access_own_campaign, visible_to
from campaigns.errors import ChangedSinceSeen, NotADraft, NotInReview, OwnCampaign
from campaigns.fees import newest_version
from campaigns.models import EDITABLE, Campaign, Status, TermsReason
from campaigns.rules import version_on
from campaigns.services.issuer_caps import reach_within_issuer_cap
from campaigns.services.key_information import Prepared, attach_key_information, prepare_submission
from campaigns.services.steps import take_step
from campaigns.services.submissions import keep_submission
from campaigns.services.terms import write_version
from campaigns.trending import score_of_one
from core.api.errors import NotFound
from core.data.locks import lock
from core.data.transactions import retrying


def submit_campaign(*, owner: Any, campaign_id: UUID, now: datetime) -> Campaign:
    """`prepare_submission`, then `keep_submitted`."""
    sheet = prepare_submission(owner=owner, campaign_id=campaign_id, now=now)
    return keep_submitted(owner=owner, campaign_id=campaign_id, sheet=sheet, now=now)


@retrying
def keep_submitted(*, owner: Any, campaign_id: UUID, sheet: Prepared | None, now: datetime) -> Campaign:
    """
    Hand a draft in for review. A rejected campaign goes by way of draft.

    :param sheet: of `prepare_submission`
    :raises NotADraft: it is further already
    :raises Stale: what was prepared is not the present text
    :raises ReviewedDeadlinePassed: nobody could invest any more
    :raises CampaignIncomplete: something is still missing
    :raises IssuerCapExceeded: the owner's campaigns would raise more than the rule set allows
    """
    lock_person(owner.pk)  # before the campaign: two of one owner are not submitted at the same time
    campaign = access_own_campaign(owner, campaign_id)
    if campaign.status not in EDITABLE:
        raise NotADraft(status=campaign.status)
    if campaign.status == Status.REJECTED:
        take_step(campaign, Status.DRAFT, actor=owner, now=now, review_note="")
    version = version_on(campaign.rules, now.date())
    reach = reach_within_issuer_cap(campaign, now=now)
    take_step(campaign, Status.IN_REVIEW, actor=owner, now=now, rules_version=version, max_minor=reach)
    attach_key_information(campaign, sheet, owner=owner, now=now)
    keep_submission(campaign, now=now)
    return campaign


@retrying
def publish_campaign(*, moderator: Any, campaign_id: UUID, now: datetime, seen: int | None = None) -> Campaign:
    """
    Let a campaign go live. Without a start of its own it starts now.

    :param moderator: None for the operator's command
    :param seen: the `version` that the moderator has read; an operator need not say
    :raises ChangedSinceSeen: its owner changed it since
    :raises NotInReview: :raises OwnCampaign: :raises ReviewedDeadlinePassed: :raises CampaignIncomplete:
    :raises IssuerCapExceeded: its owner has raised the cap in review by more than the law leaves
    """
    _lock_owner(campaign_id)
    campaign = _access_reviewed(moderator, campaign_id)
    if moderator is not None and campaign.version != seen:
        raise ChangedSinceSeen()
    fees = newest_version(settings.FEE_SCHEDULE)
    take_step(
        campaign,
        Status.LIVE,
        actor=moderator,
        now=now,
        fee_schedule=fees.name,
        fee_schedule_version=fees.version,
        published_at=now,
        starts_at=campaign.starts_at or now,
        max_minor=reach_within_issuer_cap(campaign, now=now),
        trend=score_of_one(now),
    )
    write_version(campaign, reason=TermsReason.PUBLISHED, actor=moderator, now=now)
    return campaign


@retrying
def reject_campaign(*, moderator: Any, campaign_id: UUID, reason: str, now: datetime) -> Campaign:
    """
    Give a campaign back to its owner, who reads the reason.

    :raises NotInReview: :raises OwnCampaign:
    """
    campaign = _access_reviewed(moderator, campaign_id)
    take_step(campaign, Status.REJECTED, actor=moderator, now=now, reason=reason, review_note=reason)
    return campaign


def _lock_owner(campaign_id: UUID) -> None:
    """Before the campaign: no two of one owner are submitted or published at the same time."""
    owner_id = Campaign.objects.filter(pk=campaign_id).values_list("owner_id", flat=True).first()
    if owner_id is not None:
        lock_person(owner_id)


def _access_reviewed(moderator: Any, campaign_id: UUID) -> Campaign:
    campaigns = Campaign.objects.all() if moderator is None else visible_to(moderator)
    campaign = lock(campaigns.filter(pk=campaign_id)).first()
    if campaign is None:
        raise NotFound()
    if moderator is not None and campaign.owner_id == moderator.pk:
        raise OwnCampaign()
    if campaign.status != Status.IN_REVIEW:
        raise NotInReview(status=campaign.status)
    return campaign
