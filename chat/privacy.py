"""Personal data in conversations (core.privacy). What somebody said stays with those they said it to."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from chat.models import Attachment, Conversation, Member, Message
from core.privacy import Cascade, Kept, Withheld, declare


def messages_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    said = Message.objects.filter(sender_id=person_id, deleted_at__isnull=True).order_by("pk")
    for message in said.prefetch_related("attachments"):
        yield {
            "conversationId": message.conversation_id,
            "seq": message.seq,
            "content": message.content,
            "media": [attachment.file_id for attachment in message.attachments.all()],
            "createdAt": message.created_at,
            "editedAt": message.edited_at,
            "hiddenAt": message.hidden_at,
        }


SHARED = Kept("what was said stays with those it was said to, under an account without a name")

declare(
    Conversation,
    export=Withheld("exported as the person's memberships"),
    erase=SHARED,
    retention=Kept("as long as its members"),
)
declare(
    Member,
    person="user_id",
    export=(
        "conversation_id",
        "conversation__type",
        "conversation__title",
        "role",
        "last_read_seq",
        "muted",
        "created_at",
    ),
    erase=SHARED,
    retention=Cascade("conversation"),
)
declare(Message, export=messages_of, erase=SHARED, retention=Kept("as long as its conversation"))
declare(
    Attachment,
    export=Withheld("exported with its message, and among the files"),
    erase=SHARED,
    retention=Cascade("message"),
)
