"""
Sending messages.

The hot write of the chat is a single statement, at an eighth of the processor time of the same steps by the ORM. The
update of the conversation takes its lock and the next number; the message, the sender's mark and the audience follow
from it. Concurrent senders wait for that lock, so numbers follow commits and have no gaps (docs/realtime.md).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from msgspec.structs import replace

from accounts.models import User
from accounts.outputs.people import UserCard
from chat.access import access_conversation
from chat.errors import EmptyMessage, ReplyNotHere
from chat.models import Attachment, Message, stream_of
from chat.outputs import MessageOutput, PictureOutput, audiences
from chat.selectors import message_output, reply_output
from core.api.errors import NotFound
from core.data.ids import uuid7
from core.data.transactions import atomic
from core.realtime.publishing import publish
from uploads.models import StoredFile
from uploads.services import delete_file, keep_files, store_private

WRITE = """
WITH turn AS (
    UPDATE chat_conversation AS conversation
    SET last_seq = last_seq + 1, active_at = %(now)s
    FROM chat_member AS place
    WHERE conversation.id = %(conversation)s AND place.conversation_id = conversation.id AND place.user_id = %(sender)s
        AND (place.gone_at_seq IS NULL OR place.gone_at_seq < conversation.last_seq) AND NOT conversation.is_blocked
    RETURNING conversation.last_seq AS seq, conversation.type
), message AS (
    INSERT INTO chat_message (id, created_at, conversation_id, seq, sender_id, client_id, content, reply_to_id)
    SELECT %(id)s, %(now)s, %(conversation)s, turn.seq, %(sender)s, %(client_id)s, %(content)s, %(reply_to)s FROM turn
), mark AS (
    UPDATE chat_member SET last_read_seq = turn.seq FROM turn
    WHERE conversation_id = %(conversation)s AND user_id = %(sender)s
)
SELECT turn.seq, (SELECT array_agg(user_id) FROM chat_member WHERE conversation_id = %(conversation)s),
    (SELECT array_agg(m.user_id) FROM chat_member m WHERE m.conversation_id = %(conversation)s AND turn.type = 'group'
        AND EXISTS (SELECT 1 FROM accounts_hidden_from(%(sender)s) h WHERE h.person_id = m.user_id)),
    (SELECT array_agg(m.user_id) FROM chat_member m WHERE m.conversation_id = %(conversation)s AND turn.type = 'group'
        AND EXISTS (SELECT 1 FROM accounts_hidden_from(%(replied)s) h WHERE h.person_id = m.user_id))
FROM turn
"""
"""
Nothing comes back where the sender has no such conversation: the rule of `Member.objects.of`. A block that is committed
while this waits for the row is seen, since it is written there.

The audience comes with those of it from whom the sender is hidden, and from whom the author of the message replied to.
"""


@dataclass(frozen=True)
class Draft:
    """
    A message that nobody has seen yet, with 0 as its `seq`; its pictures are in the store. Or its twin, which was sent
    before.
    """

    sender_id: UUID
    message: MessageOutput
    files: list[StoredFile]
    is_twin: bool = False


def send_message(**said: Any) -> tuple[MessageOutput, bool]:
    """`draft_message`, then `commit_message`."""
    return commit_message(draft_message(**said))


def draft_message(
    *,
    user: User,
    conversation_id: UUID,
    content: str,
    now: datetime,
    client_id: UUID | None = None,
    reply_to_id: UUID | None = None,
    media: Sequence[Any] = (),
) -> Draft:
    """
    Prepare a message: its pictures are stored, outside of any transaction.

    :param client_id: sent again with the same one, it is the same message
    :param media: pictures as the parser gave them
    :raises NotFound: no such conversation for this person
    :raises EmptyMessage: neither text nor picture
    :raises ReplyNotHere: `reply_to_id` is not a message of this conversation
    """
    if not content.strip() and not media:
        raise EmptyMessage(field="content")
    replied = None
    if media or reply_to_id:
        member = access_conversation(user, conversation_id)
        if twin := _twin(user.pk, conversation_id, client_id):
            return Draft(user.pk, twin, [], is_twin=True)
        replied = reply_output(member, reply_to_id) if reply_to_id else None
        if reply_to_id and replied is None:
            raise ReplyNotHere(field="replyToId")
    files = [
        store_private(file, owner_id=user.pk, purpose="chat", now=now, field=f"media.{position}")
        for position, file in enumerate(media)
    ]
    message = MessageOutput(
        id=uuid7(),
        conversation_id=conversation_id,
        seq=0,
        sender=UserCard.of(user),
        content=content,
        media=[PictureOutput.of(file, now) for file in files],
        reply_to=replied,
        client_id=client_id,
        created_at=now,
        edited_at=None,
        deleted_at=None,
    )
    return Draft(user.pk, message, files)


def commit_message(draft: Draft) -> tuple[MessageOutput, bool]:
    """
    Send a prepared message: it is committed with the next `seq` before it is published.

    :returns: the message as clients see it, and whether it is new
    :raises NotFound: no such conversation for this person
    """
    message = draft.message
    if draft.is_twin:
        return message, False
    try:
        return _write(draft), True
    except IntegrityError:
        for file in draft.files:
            delete_file(file, now=message.created_at)
        if twin := _twin(draft.sender_id, message.conversation_id, message.client_id):
            return twin, False
        raise


def _twin(sender_id: UUID, conversation_id: UUID, client_id: UUID | None) -> MessageOutput | None:
    """What was sent before under this `client_id`."""
    if client_id is None:
        return None
    twins = Message.objects.filter(conversation=conversation_id, sender=sender_id, client_id=client_id)
    return next((message_output(pk, sender_id) for pk in twins.values_list("pk", flat=True)), None)


def _write(draft: Draft) -> MessageOutput:
    """
    Commit a message with the next `seq`, then publish it. Returns it with its `seq`.

    :raises IntegrityError: it was sent before under its `clientId`
    """
    message, files = draft.message, draft.files
    replied = message.reply_to.sender if message.reply_to else None
    facts: dict[str, Any] = {
        "id": message.id,
        "now": message.created_at,
        "conversation": message.conversation_id,
        "sender": draft.sender_id,
        "client_id": message.client_id,
        "content": message.content,
        "reply_to": message.reply_to.id if message.reply_to else None,
        "replied": replied.id if replied else None,
    }
    with atomic():
        with connection.cursor() as cursor:
            cursor.execute(WRITE, facts)
            row = cursor.fetchone()
        if row is None:
            raise NotFound()
        # The audience is whoever is a member in this very statement; who is hidden from whom is read in it, too.
        seq, audience, without_sender, without_replied = row
        sent = replace(message, seq=seq)
        keep_files(files)
        Attachment.objects.bulk_create(
            Attachment(message_id=message.id, file=file, position=position) for position, file in enumerate(files)
        )
        hidden: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for person, users in ((draft.sender_id, without_sender), (facts["replied"], without_replied)):
            for user in users or ():
                hidden[user].add(person)
        seen = audiences(sent, audience, hidden)
        transaction.on_commit(partial(publish, **seen, stream=stream_of(message.conversation_id), seq=seq))
    return sent
