"""What accounts do later, and by the clock."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.services import exports, leaving
from core import outbox


@outbox.on("accounts.make_export")
def make_export(event_id: UUID, export_id: str) -> None:
    exports.make_export(export_id=UUID(export_id), now=timezone.now())


@shared_task(name="accounts.follow_the_clock")
def follow_the_clock() -> None:
    """Hourly: end archives whose week is over, erase accounts whose grace is over."""
    now = timezone.now()
    exports.delete_expired(now=now)
    leaving.erase_due(now=now)
