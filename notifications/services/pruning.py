"""Forgetting what nobody looks at any more: old entries of inboxes, what the development mailbox kept."""

from datetime import datetime, timedelta

from core.data.ids import first_id_at
from core.data.transactions import delete_in_batches
from notifications.models import MailboxMessage, Notification

READ_KEPT = timedelta(days=180)
UNREAD_KEPT = timedelta(days=365)
MAILBOX_KEPT = timedelta(days=30)


def prune(*, now: datetime) -> dict[str, int]:
    """
    Delete what is past its time, in short statements, so that it may run beside everything and twice.

    :returns: how many rows of each kind
    """
    entries = Notification.objects.all()
    read = entries.filter(pk__lt=first_id_at(now - READ_KEPT), read_at__isnull=False)
    return {
        "read notifications": delete_in_batches(read),
        "notifications": delete_in_batches(entries.filter(pk__lt=first_id_at(now - UNREAD_KEPT))),
        "mailbox messages": delete_in_batches(MailboxMessage.objects.filter(created_at__lt=now - MAILBOX_KEPT)),
    }
