"""Notifications on the socket: the frame that announces one, and what `resume {notifications: lastId}` brings."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.api.serializers import IdField
from core.realtime.publishing import make_push
from core.realtime.sockets import Page, announces, resumes
from notifications.models import Notification
from notifications.outputs import (
    NotificationChangedFrame,
    NotificationFrame,
    NotificationOutput,
    NotificationsRemovedFrame,
)
from notifications.selectors import newer, since

AT_ONCE = 100


announces(NotificationFrame, NotificationChangedFrame, NotificationsRemovedFrame)


def frame_of(notification: Notification) -> NotificationFrame:
    return NotificationFrame(notification=NotificationOutput.of(notification))


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a resume has come; what the client named first lies behind it."""

    last_id: UUID


@resumes("notifications", IdField(required=False), streams=lambda last_id: [])
def missed(*, user: Any, positions: UUID | Reached) -> Page:
    """What the client has not seen, oldest first."""
    if isinstance(positions, Reached):
        entries = newer(user.pk, positions.last_id, AT_ONCE)
    else:
        entries = since(user.pk, positions, AT_ONCE)
    pushes = [make_push(users=[user.pk], frame=frame_of(entry)) for entry in entries]
    return Page(pushes, Reached(entries[-1].pk) if len(entries) == AT_ONCE else None)
