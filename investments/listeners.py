"""Listeners to events of lower apps."""

from core import events
from core.data.transactions import atomic
from core.jobs import outbox


@events.on("campaign.cancelled")
def begin_refunds(event: events.Recorded) -> None:
    """A cancelled campaign refunds everyone at once; what the deadline decides is settled by who decided it."""
    with atomic():
        outbox.emit("investments.close_campaign", campaign_id=str(event.subject_id))
