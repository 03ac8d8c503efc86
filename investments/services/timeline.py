"""Changes of an investment's status, and the events of its timeline."""

from datetime import datetime
from typing import Any

from campaigns.models import Campaign
from core import events
from core.data import sql
from core.money import Money
from investments.models import Investment


def move(investment: Investment, status: str, *, now: datetime) -> None:
    """Set the status of a locked investment; the database refuses a step that does not exist."""
    investment.status = status
    investment.updated_at = now
    sql.update(investment, "status", "updated_at")


def record_event(
    kind: str, investment: Investment, campaign: Campaign, *, now: datetime, amount: Money | None = None, **facts: Any
) -> None:
    """
    Record an event of an investment, of which the investor gets a notice.

    :param amount: what it is about, if not the whole investment
    """
    events.record(
        kind,
        investment,
        actor=None,
        now=now,
        amount=amount or investment.amount,
        campaign_id=campaign.pk,
        campaign_title=campaign.title,
        investor_id=investment.investor_id,
        **facts,
    )
