"""Personal data of notifications (core.privacy): how people are reached and their notices."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from core.privacy import Cascade, Delete, DeleteAfter, Kept, Withheld, declare
from notifications.models import MailboxMessage, NoticeGroup, NoticeItem, Notification, Recipient, SilencedAddress
from notifications.services import groups


def delete_mailbox_messages(*, person_id: UUID, now: datetime) -> None:
    recipient = Recipient.objects.filter(pk=person_id).first()
    if recipient is not None:
        addresses = [address for address in (recipient.email_address, recipient.phone_number) if address]
        MailboxMessage.objects.filter(to__in=addresses).delete()


def delete_notifications(*, person_id: UUID, now: datetime) -> None:
    """Those of the person, and what tells others of them."""
    Notification.objects.filter(Q(user_id=person_id) | Q(actor_id=person_id)).delete()


def delete_notice_items(*, person_id: UUID, now: datetime) -> None:
    """The person leaves the groups in the inboxes of others."""
    acts = NoticeItem.objects.filter(actor_id=person_id)
    for user_id in sorted(set(acts.values_list("user_id", flat=True))):
        groups.remove_actor(user_id=user_id, actor_id=person_id)
    acts.delete()


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
    erase=delete_notifications,
    retention=[
        DeleteAfter(timedelta(days=180), since="pk", where=Q(read_at__isnull=False)),
        DeleteAfter(timedelta(days=365), since="pk"),
    ],
)
declare(
    NoticeGroup,
    person="user_id",
    export=Withheld("how entries of the inbox were gathered, and those are exported"),
    erase=Delete(),
    retention=DeleteAfter(timedelta(days=365)),
)
declare(
    NoticeItem,
    export=Withheld("counted in the entries of the inbox; what a person did is exported where they did it"),
    erase=delete_notice_items,
    retention=Cascade("group"),
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
