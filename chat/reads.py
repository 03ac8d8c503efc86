"""The two reads that every chat client makes all day, from `chat/sql`: a page of messages, a page of conversations."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from accounts.outputs.people import UserCard
from chat.outputs import ConversationCard, MessageOutput, PictureOutput, ReplyTo
from chat.selectors import SHOWN_PARTICIPANTS
from core import clock
from core.api.errors import NotFound
from core.data.statements import load
from uploads.models import StoredFile

_MESSAGES = load("chat/sql/message_page.sql")
_CONVERSATIONS = load("chat/sql/conversation_list.sql")
_people = msgspec.json.Decoder(list[UserCard])


def message_rows(
    person: Any, conversation_id: UUID, *, before_seq: int | None = None, after_seq: int | None = None, part: Any
) -> list[Any]:
    """
    The messages that are there for a person, newest first, for `messages`.

    :param part: `core.api.pages.Part.parameters`, by `seq`
    :raises NotFound: the conversation is not there, not theirs, or deleted by them
    """
    rows = _MESSAGES.rows(
        viewer=person.pk, conversation=conversation_id, below_seq=before_seq, above_seq=after_seq, **part
    )
    if not rows:
        raise NotFound()
    return [row for row in rows if row.id is not None]


def messages(rows: Sequence[Any]) -> list[MessageOutput]:
    """Messages as clients see them; one more query if any has pictures."""
    files, now = _files(rows), clock.now()
    return [_message(row, files, now) for row in rows]


def conversation_rows(person: Any, **part: Any) -> list[Any]:
    """
    The conversations that are there for a person, latest activity first, for `conversations`.

    :param part: `core.api.pages.Part.parameters`, by `active_at` and `conversation_id`
    """
    return _CONVERSATIONS.rows(viewer=person.pk, shown=SHOWN_PARTICIPANTS, **part)


def conversations(rows: Sequence[Any]) -> list[ConversationCard]:
    """Conversations as their member sees them in a list."""
    files, now = _files(rows), clock.now()
    return [
        ConversationCard(
            id=row.conversation_id,
            type=row.type,
            title=row.title or None,
            participants=_people.decode(row.participants),
            participant_count=row.participant_count,
            last_message=_message(row, files, now) if row.id else None,
            last_seq=row.last_seq,
            unread_count=row.last_seq - row.last_read_seq - row.hidden_unread,
            muted=row.muted,
            updated_at=row.active_at,
        )
        for row in rows
    ]


def _message(row: Any, files: dict[UUID, StoredFile], now: datetime) -> MessageOutput:
    """From a row with the columns that both statements have."""
    message = MessageOutput(
        id=row.id,
        conversation_id=row.conversation_id,
        seq=row.seq,
        sender=UserCard.of_columns(
            row.sender_id, row.sender_first_name, row.sender_last_name, row.sender_profile_photo, row.sender_badges
        ),
        content=row.content,
        media=[PictureOutput.of(files[file_id], now) for file_id in row.file_ids],
        reply_to=_reply(row) if row.reply_to_id else None,
        client_id=row.client_id,
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
    )
    if row.hidden_at:
        message = message.taken_away()
    return message.concealed() if row.is_hidden else message


def _reply(row: Any) -> ReplyTo:
    reply = ReplyTo(
        id=row.reply_to_id,
        seq=row.reply_seq,
        sender=UserCard.of_columns(
            row.reply_sender_id,
            row.reply_sender_first_name,
            row.reply_sender_last_name,
            row.reply_sender_profile_photo,
            row.reply_sender_badges,
        ),
        content=row.reply_content,
        deleted_at=row.reply_deleted_at,
    )
    if row.reply_hidden_at:
        reply = reply.taken_away()
    return reply.concealed() if row.reply_is_hidden else reply


def _files(rows: Iterable[Any]) -> dict[UUID, StoredFile]:
    ids = [file_id for row in rows for file_id in row.file_ids or ()]
    return StoredFile.objects.in_bulk(ids) if ids else {}
