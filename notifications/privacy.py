"""What this app knows of a person: how they are reached, what they want to hear, what they were told."""

from datetime import datetime
from uuid import UUID

from core.privacy import people
from notifications.models import MailboxMessage, Notification, Recipient

people.tells(
    Recipient,
    fields=(
        "email_address",
        "email_verified",
        "phone_number",
        "first_name",
        "language",
        "time_zone",
        "quiet_from",
        "quiet_until",
        "email",
        "sms",
        "push",
        "login_alerts",
        "investment_updates",
        "campaign_updates",
        "social_interactions",
    ),
)
people.tells(Notification, fields=("id", "kind", "title", "body", "data", "read_at", "created_at"))


@people.forgets
def forget(*, person_id: UUID, now: datetime) -> None:
    """Nothing is left to write to, so what still waits in the outbox is dropped when it comes up."""
    recipient = Recipient.objects.filter(pk=person_id).first()
    if recipient is not None:
        addresses = [place for place in (recipient.email_address, recipient.phone_number) if place]
        MailboxMessage.objects.filter(to__in=addresses).delete()
        recipient.delete()
    Notification.objects.of(person_id).delete()
