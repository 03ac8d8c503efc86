"""Who may see and change which conversation. One of others is answered like one that does not exist."""

from typing import Any
from uuid import UUID

from accounts.relations import not_hidden_from
from chat.models import Member
from core.api.errors import NotFound
from core.data.locks import lock


def access_conversation(user: Any, conversation_id: UUID, *, for_update: bool = False) -> Member:
    """
    This person's membership of a conversation, with the conversation.

    :param for_update: lock the conversation, which gives messages their order
    :raises NotFound: not there, not theirs, deleted by them, or of a pair of which one blocks the other
    """
    places = Member.objects.of(user).filter(conversation=conversation_id).select_related("conversation")
    member = lock(places, of=("conversation",)).first() if for_update else places.first()
    if member is None:
        raise NotFound()
    return member


def audience(conversation_id: UUID, of: UUID) -> list[UUID]:
    """Whoever is in a conversation right now and may see what this person does there: to whom its frames go."""
    seeing = Member.objects.filter(not_hidden_from(of, "user"), conversation=conversation_id)
    return list(seeing.values_list("user_id", flat=True))
