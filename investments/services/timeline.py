"""When something happens to an investment: its status, its event, and who hears of it."""

from datetime import datetime
from typing import Any

from campaigns.models import Campaign
from core.money import Money
from investments.models import Investment, InvestmentEvent
from notifications.services import notify


def move(investment: Investment, status: str, *, now: datetime) -> None:
    """Take a locked investment one step on; the table refuses one that does not exist."""
    investment.status = status
    investment.updated_at = now
    investment.save(update_fields=["status", "updated_at"])


def note(investment: Investment, kind: str, *, now: datetime, amount: Money | None = None, note: str = "") -> None:
    """Add an event, in the caller's transaction."""
    InvestmentEvent.objects.create(
        investment=investment,
        kind=kind,
        amount_minor=(amount or investment.amount).minor,
        note=note,
        created_at=now,
    )


def tell_investor(
    investment: Investment, campaign: Campaign, kind: str, *, now: datetime, amount: Money | None = None, **facts: Any
) -> None:
    notify(
        user_id=investment.investor_id,
        kind=kind,
        now=now,
        investment_id=investment.pk,
        campaign_id=campaign.pk,
        campaign_title=campaign.title,
        amount=amount or investment.amount,
        **facts,
    )
