"""Personal data of notifications (core.privacy): how people are reached and their notices."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from core.privacy import Delete, DeleteAfter, Kept, Withheld, declare
from notifications.models import MailboxMessage, Notification, Recipient, SilencedAddress


def delete_mailbox_messages(*, person_id: UUID, now: datetime) -> None:
    recipient = Recipient.objects.filter(pk=person_id).first()
    if recipient is not None:
        addresses = [address for address in (recipient.email_address, recipient.phone_number) if address]
        MailboxMessage.objects.filter(to__in=addresses).delete()


# What still waits in the outbox for somebody who has no Recipient any more is dropped when it comes up.
declare(
    Recipient,
    person="user_id",
    export=(
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
    erase=Delete(),
    retention=Kept("as long as the account"),
)
declare(
    Notification,
    person="user_id",
    export=("id", "kind", "title", "body", "data", "read_at", "created_at"),
    erase=Delete(),
    retention=[
        DeleteAfter(timedelta(days=180), since="pk", where=Q(read_at__isnull=False)),
        DeleteAfter(timedelta(days=365), since="pk"),
    ],
)
declare(
    MailboxMessage,
    export=Withheld("what development kept instead of sending; sealed, since mails carry tokens"),
    erase=delete_mailbox_messages,
    retention=DeleteAfter(timedelta(days=30)),
)
declare(
    SilencedAddress,
    export=Withheld("a keyed fingerprint of an address without an account"),
    erase=Kept("whoever wants no invitations is asked never again"),
    retention=Kept("whoever wants no invitations is asked never again"),
)
