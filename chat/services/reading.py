"""How far people have read."""

from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.models import User
from chat.access import access_conversation, audience
from chat.models import Member
from chat.outputs import ReadFrame
from core.data.transactions import retrying
from core.realtime.publishing import publish


@retrying
def mark_read(*, user: User, conversation_id: UUID, seq: int | None = None) -> Member:
    """
    Move this person's mark forward to `seq`, or to the last message. It never moves back or past the last.

    :raises NotFound: no such conversation for this person
    """
    member = access_conversation(user, conversation_id)
    last = member.conversation.last_seq
    target = last if seq is None else min(seq, last)
    moved = Member.objects.filter(pk=member.pk, last_read_seq__lt=target).update(last_read_seq=target)
    if moved:
        member.last_read_seq = target
        frame = ReadFrame(conversation_id=conversation_id, user_id=user.pk, seq=target)
        # Who is not hidden from the reader sees how far they are; the reader's other devices clear their badge.
        transaction.on_commit(partial(publish, users=audience(conversation_id, user.pk), frame=frame))
    return member
