"""Reads of the inbox."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.data.statements import load
from notifications.models import Notification, NotificationQuerySet, Recipient

OVERLAP = timedelta(seconds=15)
"""Longer than a transaction may last: ids are given before the commit, so an older entry may appear after a newer."""


_INBOX = load("notifications/sql/inbox.sql")


def inbox(user_id: UUID, *, unread_only: bool = False) -> NotificationQuerySet:
    entries = Notification.objects.of(user_id)
    return entries.unread() if unread_only else entries


def inbox_rows(user_id: UUID, *, unread_only: bool = False, **part: Any) -> tuple[list[Any], int]:
    """
    `inbox` newest first, as rows for `NotificationOutput.of_row`, and how many are unread in all of it.

    :param part: `core.api.pages.Part.parameters`
    """
    rows = _INBOX.rows(user=user_id, unread=unread_only, **part)
    return [row for row in rows if row.id is not None], rows[0].unread_count


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


def _from(user_id: UUID, above: UUID) -> NotificationQuerySet:
    return Notification.objects.of(user_id).filter(pk__gt=above).order_by("id")


def preferences(user_id: UUID) -> Recipient:
    return Recipient.objects.get(pk=user_id)
