"""
Changes of the terms of a campaign that is live (docs/amendments.md): the owner proposes, staff decide, and from then on
each investor who agreed to older terms has some business days to confirm; `investments` refunds who does not.
"""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.access import lock_person
from campaigns.access import access_own_campaign
from campaigns.errors import (
    AmendmentDecided,
    AmendmentUnderReview,
    CapBelowGoal,
    CapBelowTaken,
    EndTooSoon,
    MinimumAboveGoal,
    NothingChanges,
    NotLive,
    OwnCampaign,
)
from campaigns.models import (
    PUBLIC_NAMES,
    Amendment,
    AmendmentStatus,
    Campaign,
    TermsReason,
    deadline,
    read_stored,
    stored,
)
from campaigns.services.drafts import refuse_too_far
from campaigns.services.early_close import continue_if_missed, lock_by_clock
from campaigns.services.issuer_caps import reach_within_issuer_cap
from campaigns.services.terms import change_terms, earliest_end
from campaigns.verdicts import Verdict
from core import events
from core.api.errors import NotFound
from core.api.rendering import utc_text
from core.data.transactions import retrying
from core.money import Money

RULE = "reconfirm_within"
_room_listeners: list[Callable[..., None]] = []


def on_room(function: Callable[..., None]) -> None:
    """
    Have `function(campaign, now=now)` called in the transaction that raises a cap, with the campaign locked: so the
    app that keeps the waiting list hears of it.
    """
    _room_listeners.append(function)


def may_amend(campaign: Campaign, now: datetime, *, is_one_open: bool = False) -> Verdict:
    """
    Whether the owner may propose an amendment.

    :param is_one_open: whether one waits for its decision
    """
    ends_at = deadline(campaign, now)
    if not (campaign.is_live and now < ends_at):
        return Verdict(NotLive(status=campaign.status))
    if is_one_open:
        return Verdict(AmendmentUnderReview(), RULE, ends_at)
    return Verdict(rule=RULE, changes_at=ends_at)


def may_apply(campaign: Campaign, columns: Mapping[str, Any], now: datetime) -> Verdict:
    """Whether a locked campaign may get these values of material fields now."""
    goal = columns.get("goal_minor", campaign.goal_minor)
    cap = columns.get("max_minor", campaign.max_minor)
    minimum = columns.get("min_investment_minor", campaign.min_investment_minor)
    if cap is not None and cap < goal:
        return Verdict(CapBelowGoal(field="changes.maxAmount"))
    if minimum is not None and minimum > goal:
        return Verdict(MinimumAboveGoal(field="changes.minInvestment"))
    taken = campaign.raised_minor + campaign.reserved_minor + campaign.offered_minor
    if cap is not None and cap < taken:
        return Verdict(CapBelowTaken(taken=campaign.text(taken), currency=campaign.currency))
    if "ends_at" in columns:
        earliest = earliest_end(campaign, RULE, now)
        if columns["ends_at"] < earliest:
            return Verdict(EndTooSoon(earliest=utc_text(earliest)), RULE)
    return Verdict(rule=RULE, changes_at=campaign.ends_at)


@retrying
def propose_amendment(
    *, owner: Any, campaign_id: UUID, changes: Mapping[str, Any], reason: str, now: datetime
) -> Amendment:
    """
    Ask staff to change the terms of a live campaign.

    :param changes: new values of material fields by their public names in snake_case; amounts in major units
    :raises NotFound: :raises NotTheOwner: :raises NotLive: :raises AmendmentUnderReview:
    :raises NothingChanges: they have these values already
    :raises CapBelowGoal: :raises MinimumAboveGoal: :raises CapBelowTaken: :raises EndTooSoon: :raises DeadlineTooFar:
    """
    campaign = access_own_campaign(owner, campaign_id)
    continue_if_missed(campaign, now=now)
    is_one_open = Amendment.objects.filter(campaign=campaign, status=AmendmentStatus.PROPOSED).exists()
    may_amend(campaign, now, is_one_open=is_one_open).require()
    asked = _columns_of(campaign, changes)
    columns = {name: value for name, value in asked.items() if value != getattr(campaign, name)}
    if not columns:
        raise NothingChanges(field="changes")
    if "ends_at" in columns:
        refuse_too_far(columns["ends_at"], now, field="changes.endsAt")
    may_apply(campaign, columns, now).require()
    amendment = Amendment.objects.create(
        campaign=campaign,
        changes={name: stored(value) for name, value in columns.items()},
        before={name: stored(getattr(campaign, name)) for name in columns},
        words=reason,
        created_at=now,
    )
    events.record("campaign.amendment_proposed", campaign, actor=owner, now=now, fields=sorted(columns))
    return amendment


@retrying
def approve_amendment(*, moderator: Any, amendment_id: UUID, now: datetime) -> Amendment:
    """
    Let the changes hold from now on. Who has invested before is asked to confirm them; a second amendment begins that
    period anew.

    :raises NotFound: :raises OwnCampaign: :raises AmendmentDecided: :raises NotLive:
    :raises CapBelowGoal: :raises MinimumAboveGoal: :raises CapBelowTaken: :raises EndTooSoon: what has changed since
    :raises IssuerCapExceeded: the law leaves its owner less than the new cap
    """
    _lock_owner(amendment_id)
    campaign, amendment = _access_proposed(moderator, amendment_id, now)
    may_amend(campaign, now).require()
    columns = {name: read_stored(name, value) for name, value in amendment.changes.items()}
    may_apply(campaign, columns, now).require()
    columns |= _within_issuer_cap(campaign, columns, now)
    until = campaign.rule_set[RULE].after(now, campaign.place)
    more_columns: dict[str, Any] = {"reconfirm_until": until}
    if "ends_at" in columns:
        more_columns["first_ends_at"] = None
    version = change_terms(
        campaign,
        {**columns, **more_columns},
        reason=TermsReason.AMENDED,
        actor=campaign.owner,
        now=now,
        words=amendment.words,
        reconfirm_until=until,
    )
    amendment.terms_version, amendment.reconfirm_until = version.version, until
    _decide(amendment, AmendmentStatus.APPROVED, moderator, now)
    events.record(
        "campaign.amendment_approved",
        campaign,
        actor=moderator,
        now=now,
        owner_id=campaign.owner_id,
        reconfirm_until=until,
        campaign_title=campaign.title,
    )
    for function in _room_listeners:
        function(campaign, now=now)
    return amendment


@retrying
def reject_amendment(*, moderator: Any, amendment_id: UUID, reason: str, now: datetime) -> Amendment:
    """
    Leave the terms as they are; the owner reads why.

    :raises NotFound: :raises OwnCampaign: :raises AmendmentDecided:
    """
    campaign, amendment = _access_proposed(moderator, amendment_id, now)
    amendment.review_note = reason
    _decide(amendment, AmendmentStatus.REJECTED, moderator, now)
    events.record(
        "campaign.amendment_rejected",
        campaign,
        actor=moderator,
        now=now,
        owner_id=campaign.owner_id,
        campaign_title=campaign.title,
        reason=reason,
    )
    return amendment


def _lock_owner(amendment_id: UUID) -> None:
    """Before the campaign: what an owner's campaigns may raise together is shared out under the owner's lock."""
    owner_id = Amendment.objects.filter(pk=amendment_id).values_list("campaign__owner_id", flat=True).first()
    if owner_id is not None:
        lock_person(owner_id)


def _within_issuer_cap(campaign: Campaign, columns: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The cap that a locked campaign gets with these values, where the law leaves its owner only so much."""
    if not {"goal_minor", "max_minor"}.intersection(columns):
        return {}
    changed = copy(campaign)
    for name in ("goal_minor", "max_minor"):
        setattr(changed, name, columns.get(name, getattr(campaign, name)))
    reach = reach_within_issuer_cap(changed, now=now)
    return {} if reach == changed.max_minor else {"max_minor": reach}


def lapse_amendments(campaign: Campaign, *, now: datetime) -> None:
    """What waits for its decision when its locked campaign ends."""
    waiting = Amendment.objects.filter(campaign=campaign, status=AmendmentStatus.PROPOSED)
    waiting.update(status=AmendmentStatus.LAPSED, decided_at=now)


def _access_proposed(moderator: Any, amendment_id: UUID, now: datetime) -> tuple[Campaign, Amendment]:
    """With the campaign locked."""
    campaign_id = Amendment.objects.filter(pk=amendment_id).values_list("campaign_id", flat=True).first()
    if campaign_id is None:
        raise NotFound()
    campaign = lock_by_clock(campaign_id, now=now)
    if campaign.owner_id == moderator.pk:
        raise OwnCampaign()
    amendment = Amendment.objects.get(pk=amendment_id)
    if amendment.status != AmendmentStatus.PROPOSED:
        raise AmendmentDecided(status=amendment.status)
    return campaign, amendment


def _decide(amendment: Amendment, status: AmendmentStatus, moderator: Any, now: datetime) -> None:
    amendment.status, amendment.reviewer, amendment.decided_at = status, moderator, now
    amendment.save(
        update_fields=["status", "reviewer", "decided_at", "review_note", "terms_version", "reconfirm_until"]
    )


def _columns_of(campaign: Campaign, changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        column = _BY_NAME[name]
        if column.endswith("_minor") and isinstance(value, Decimal):
            value = Money.of(value, campaign.currency, f"changes.{PUBLIC_NAMES[column]}").minor
        columns[column] = value
    return columns


_BY_NAME = {
    "goal_amount": "goal_minor",
    "max_amount": "max_minor",
    "min_investment": "min_investment_minor",
    "ends_at": "ends_at",
    "expected_return_percent": "expected_return_percent",
}
