"""Who may see and change which conversation. One of others is answered like one that does not exist."""

from typing import Any
from uuid import UUID

from chat.models import Member
from core.api.errors import NotFound
from core.data.locks import lock


def access_conversation(user: Any, conversation_id: UUID, *, for_update: bool = False) -> Member:
    """
    This person's membership of a conversation, with the conversation.

    :param for_update: lock the conversation, which gives messages their order
    :raises NotFound: not there, not theirs, or deleted by them
    """
    places = Member.objects.of(user).filter(conversation=conversation_id).select_related("conversation")
    member = lock(places, of=("conversation",)).first() if for_update else places.first()
    if member is None:
        raise NotFound()
    return member


def audience(conversation_id: UUID) -> list[UUID]:
    """Whoever is in a conversation right now: to whom its frames go."""
    return list(Member.objects.filter(conversation=conversation_id).values_list("user_id", flat=True))
