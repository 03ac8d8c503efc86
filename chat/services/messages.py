"""Sending."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from chat.access import access_conversation, audience
from chat.errors import EmptyMessage, ReplyNotHere
from chat.models import Attachment, Conversation, Member, Message
from chat.selectors import message_output
from chat.streams import message_frame
from core.db import retrying
from core.realtime import publish
from uploads.models import StoredFile
from uploads.services import store_private


def send_message(
    *,
    user: User,
    conversation_id: UUID,
    content: str,
    now: datetime,
    client_id: UUID | None = None,
    reply_to_id: UUID | None = None,
    media: Sequence[Any] = (),
) -> tuple[dict[str, Any], bool]:
    """
    Say something: the message is committed with the next `seq` before anybody hears of it.

    :param client_id: sent again with the same one, it is the same message
    :param media: pictures as the parser gave them
    :returns: the message as clients see it, and whether it is new
    :raises NotFound: no such conversation for this person
    :raises EmptyMessage: neither text nor picture
    :raises ReplyNotHere: `reply_to_id` is not a message of this conversation
    """
    if not content.strip() and not media:
        raise EmptyMessage(field="content")
    if media:
        access_conversation(user, conversation_id)  # before anything is stored
    files = [
        store_private(file, owner_id=user.pk, purpose="chat", now=now, field=f"media.{position}")
        for position, file in enumerate(media)
    ]
    return _write(user, conversation_id, content, now, client_id, reply_to_id, files)


@retrying
def _write(
    user: User,
    conversation_id: UUID,
    content: str,
    now: datetime,
    client_id: UUID | None,
    reply_to_id: UUID | None,
    files: list[StoredFile],
) -> tuple[dict[str, Any], bool]:
    member = access_conversation(user, conversation_id, for_update=True)
    if client_id is not None:
        twin = Message.objects.filter(conversation=conversation_id, sender=user, client_id=client_id).first()
        if twin is not None:
            return message_output(twin.pk), False
    if reply_to_id is not None and not Message.objects.seen_by(member).filter(pk=reply_to_id).exists():
        raise ReplyNotHere(field="replyToId")
    message = Message.objects.create(
        conversation_id=conversation_id,
        seq=member.conversation.last_seq + 1,
        sender=user,
        client_id=client_id,
        content=content,
        reply_to_id=reply_to_id,
        created_at=now,
    )
    Attachment.objects.bulk_create(
        Attachment(message=message, file=file, position=position) for position, file in enumerate(files)
    )
    Conversation.objects.filter(pk=conversation_id).update(last_seq=message.seq, active_at=now)
    Member.objects.filter(pk=member.pk).update(last_read_seq=message.seq)
    output = message_output(message.pk)
    # The audience is whoever is a member in this very transaction.
    users = audience(conversation_id)
    transaction.on_commit(
        partial(publish, users=users, frame=message_frame(output), stream=member.conversation.stream, seq=message.seq)
    )
    return output, True
