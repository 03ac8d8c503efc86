"""Pictures of what was reported, for moderators."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core import events
from core.data.transactions import retrying
from social.models import Case
from uploads.services import open_held
from uploads.services.links import Opened


@retrying
def show_picture(*, moderator: Any, case: Case, file_id: UUID, now: datetime) -> Opened:
    """
    The bytes of a picture of a case, whatever became of it since. That somebody looked is a line in the audit log.

    :param file_id: one of `queue.pictures_of(case)`
    :raises LinkNotValid: there are none any more
    """
    opened = open_held(file_id)
    events.record("moderation.picture_shown", case, actor=moderator, now=now, file_id=file_id)
    return opened
