"""Typing indicators: published to open sockets, not stored."""

from uuid import UUID

from accounts.models import User
from chat.access import access_conversation, audience
from chat.outputs import TypingFrame
from core.realtime.publishing import publish


def show_typing(*, user: User, conversation_id: UUID, is_typing: bool) -> None:
    """:raises NotFound: no such conversation for this person"""
    access_conversation(user, conversation_id)
    frame = TypingFrame(conversation_id=conversation_id, user_id=user.pk, is_typing=is_typing)
    # The others in the conversation; the writer knows.
    publish(users=[other for other in audience(conversation_id) if other != user.pk], frame=frame)
