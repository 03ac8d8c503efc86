"""What a block does to the direct conversation of the two."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts import relations
from chat.models import Conversation
from chat.outputs import AccessRevokedFrame
from chat.services.conversations import pair_key
from core.realtime.publishing import publish


@relations.on_block
def hide_direct(blocker_id: UUID, blocked_id: UUID, now: datetime) -> None:
    """
    The conversation is not there for both, with the block's own commit. Its row is written, as by a message: whichever
    comes second sees the other.
    """
    pair = Conversation.objects.filter(direct_key=pair_key(blocker_id, blocked_id), is_blocked=False)
    for conversation_id in list(pair.values_list("pk", flat=True)):
        pair.update(is_blocked=True)
        # Both get the same, so that it does not tell who blocks.
        frame = AccessRevokedFrame(conversation_id=conversation_id)
        transaction.on_commit(partial(publish, users=[blocker_id, blocked_id], frame=frame))


@relations.on_unblock
def show_direct(blocker_id: UUID, blocked_id: UUID, now: datetime) -> None:
    """It is there again, with its history."""
    Conversation.objects.filter(direct_key=pair_key(blocker_id, blocked_id)).update(is_blocked=False)
