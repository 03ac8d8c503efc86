"""What runs in the background: handlers of the outbox, and what is done by the clock."""

import base64
import logging
from uuid import UUID

from accounts.services import administration, exports, leaving, passwords
from core import clock
from core.crypto.sealing import CannotOpen, unseal
from core.jobs import outbox
from core.jobs.runner import Job, register

logger = logging.getLogger("vectragrow.accounts")

DELETE_ARCHIVES = register(
    Job(
        "accounts.delete_archives",
        "Delete archives of people's data whose week is over.",
        due=exports.expired_archives,
        work=exports.delete_archive,
    )
)
ERASE_PEOPLE = register(
    Job(
        "accounts.erase_people",
        "Erase accounts whose thirty days of grace are over.",
        due=leaving.people_to_erase,
        work=leaving.erase_when_due,
    )
)
END_SUSPENSIONS = register(
    Job(
        "accounts.end_suspensions",
        "Reinstate people whose suspension has come to its end.",
        due=administration.ended_suspensions,
        work=administration.reinstate_when_over,
    )
)


@outbox.on("accounts.mail_reset_link")
def mail_reset_link(event_id: UUID, sealed: str) -> None:
    """Run twice it mails twice, and the link of the later mail works."""
    try:
        email = unseal(base64.b64decode(sealed), purpose=passwords.SEALED_ADDRESS)
    except CannotOpen:
        logger.error("a reset request cannot be opened; it is dropped", extra={"eventId": event_id})
        return
    passwords.mail_reset_link(email=email, now=clock.now())


@outbox.on("accounts.make_export")
def make_export(event_id: UUID, export_id: str) -> None:
    exports.make_export(export_id=UUID(export_id), now=clock.now())
