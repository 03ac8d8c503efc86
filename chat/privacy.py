"""
What this app knows of a person: their conversations and what they said (core.privacy.people).

What somebody said stays with those they said it to, under an account without a name.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from chat.models import Attachment, Member, Message
from core.privacy import people


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
        }


people.tells(
    Member,
    fields=(
        "conversation_id",
        "conversation__type",
        "conversation__title",
        "role",
        "last_read_seq",
        "muted",
        "created_at",
    ),
)
people.tells(Message, rows=messages_of)
people.keeps_silent(Attachment, because="told with its message, and the file is given")
