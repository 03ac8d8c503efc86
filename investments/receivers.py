"""What this app does about facts from below."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from campaigns.signals import campaign_closed
from core.data.transactions import atomic
from core.jobs import outbox


@receiver(campaign_closed)
def begin_refunds(campaign_id: UUID, outcome: str, **_: Any) -> None:
    """A cancelled campaign refunds everyone at once; what the deadline decides is settled by who decided it."""
    if outcome == "cancelled":
        with atomic():
            outbox.emit("investments.close_campaign", campaign_id=str(campaign_id))
