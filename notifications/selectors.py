"""Reads of the inbox."""

from datetime import timedelta
from uuid import UUID

from notifications.models import Notification, NotificationQuerySet, Recipient

OVERLAP = timedelta(seconds=15)
"""Longer than a transaction may last: ids are given before the commit, so an older entry may appear after a newer."""


def inbox(user_id: UUID, *, unread_only: bool = False) -> NotificationQuerySet:
    entries = Notification.objects.of(user_id)
    return entries.unread() if unread_only else entries


def unread_count(user_id: UUID) -> int:
    return Notification.objects.of(user_id).unread().count()


def since(user_id: UUID, last_id: UUID, limit: int) -> list[Notification]:
    """
    What a client that saw `last_id` last has to be shown, oldest first, at most `limit`.

    Reaches `OVERLAP` back behind `last_id`, so that nothing is missed; entries of those seconds may come twice and have
    the same id.
    """
    milliseconds = max(0, (last_id.int >> 80) - int(OVERLAP.total_seconds() * 1000))
    return list(_from(user_id, UUID(int=milliseconds << 80)).exclude(pk=last_id)[:limit])


def newer(user_id: UUID, last_id: UUID, limit: int) -> list[Notification]:
    """What follows `last_id`, oldest first, at most `limit`."""
    return list(_from(user_id, last_id)[:limit])


def _from(user_id: UUID, floor: UUID) -> NotificationQuerySet:
    return Notification.objects.of(user_id).filter(pk__gt=floor).order_by("id")


def preferences(user_id: UUID) -> Recipient:
    return Recipient.objects.get(pk=user_id)
