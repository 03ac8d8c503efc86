"""Whose inbox it is."""

from uuid import UUID

from core.api.errors import NotFound
from notifications.models import Notification


def access_notification(user_id: UUID, notification_id: UUID) -> Notification:
    """:raises NotFound: not there, or somebody else's"""
    notification = Notification.objects.of(user_id).filter(pk=notification_id).first()
    if notification is None:
        raise NotFound()
    return notification
