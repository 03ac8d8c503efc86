"""The one place where a campaign's status changes."""

from datetime import datetime
from typing import Any

from campaigns.models import Campaign, StatusChange
from campaigns.services.transitions import TRANSITIONS
from core import events


def take_step(campaign: Campaign, to: str, *, actor: Any, now: datetime, reason: str = "", **changes: Any) -> None:
    """
    Move a locked campaign on, with its history and the event of its new status, in the caller's transaction.

    What `transitions` has checked for this step is refused as it says there.

    :param actor: who does it; None for the clock
    :param reason: for the owner
    :param changes: other columns that change with it
    :raises ValueError: not a step that campaigns take; callers answer that before
    """
    before = campaign.status
    transition = TRANSITIONS.get((before, to))
    if transition is None:
        raise ValueError(f"a campaign does not go from {before} to {to}")
    refusal = transition.refusal(campaign, now)
    if refusal is not None:
        raise refusal
    campaign.status = to
    campaign.version += 1
    campaign.updated_at = now
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=["status", "version", "updated_at", *changes])
    StatusChange.objects.create(
        campaign=campaign,
        from_status=before,
        to_status=to,
        actor=actor,
        reason=reason,
        raised_minor=campaign.raised_minor,
        created_at=now,
    )
    events.record(
        transition.event,
        campaign,
        actor=actor,
        now=now,
        owner_id=campaign.owner_id,
        before=before,
        amount=campaign.raised,
        campaign_title=campaign.title,
        reason=reason or None,
    )
