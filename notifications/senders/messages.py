"""What senders send."""

from dataclasses import dataclass, field
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Mail:
    """`id` is the outbox event's: a repeated mail has the same Message-ID, by which a mailbox recognises it."""

    id: UUID
    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)
    """Besides the usual ones: how to unsubscribe."""

    @property
    def message_id(self) -> str:
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
        return f"<{self.id}@{domain}>"
