"""What accounts do later, and by the clock."""

import base64
import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.services import exports, leaving, passwords
from core.crypto.sealing import CannotOpen, unseal
from core.jobs import outbox

logger = logging.getLogger("vectragrow.accounts")


@outbox.on("accounts.mail_reset_link")
def mail_reset_link(event_id: UUID, sealed: str) -> None:
    """Run twice it mails twice, and the link of the later mail works."""
    try:
        email = unseal(base64.b64decode(sealed), purpose=passwords.SEALED_ADDRESS)
    except CannotOpen:
        logger.error("a reset request cannot be opened; it is dropped", extra={"eventId": event_id})
        return
    passwords.mail_reset_link(email=email, now=timezone.now())


@outbox.on("accounts.make_export")
def make_export(event_id: UUID, export_id: str) -> None:
    exports.make_export(export_id=UUID(export_id), now=timezone.now())


@shared_task(name="accounts.follow_the_clock")
def follow_the_clock() -> None:
    """Hourly: erase accounts whose grace is over."""
    leaving.erase_due(now=timezone.now())
