"""Typing indicators: published to open sockets, not stored."""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from accounts.relations import silent_for
from chat.access import access_conversation, audience
from chat.outputs import TypingFrame
from core.realtime.publishing import publish


def show_typing(*, user: User, conversation_id: UUID, is_typing: bool, now: datetime) -> None:
    """:raises NotFound: no such conversation for this person"""
    access_conversation(user, conversation_id)
    frame = TypingFrame(conversation_id=conversation_id, user_id=user.pk, is_typing=is_typing)
    others = [other for other in audience(conversation_id, user.pk) if other != user.pk]  # the writer knows
    # Those of the others who are not hidden from the writer, and do not mute them.
    muting = silent_for(user.pk, others, now)
    publish(users=[other for other in others if other not in muting], frame=frame)
