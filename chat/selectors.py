"""What lists, details and frames show, read with a constant number of queries and shaped at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.outputs.people import UserCard, card_columns
from chat.models import Attachment, Member, Message, MessageQuerySet
from uploads.models import StoredFile
from uploads.services import make_link

SHOWN_PARTICIPANTS = 20
"""How many people of a group a list shows; `participantCount` counts them all, the detail names them all."""
LINK_LIFETIME = timedelta(minutes=15)
"""Of a picture's link; reading the message again gives a new one."""
EXCERPT = 200

MESSAGE_COLUMNS = [
    "id", "conversation_id", "seq", "content", "client_id", "created_at", "edited_at", "deleted_at",
    *card_columns("sender"),
    "reply_to_id", "reply_to__seq", "reply_to__content", "reply_to__deleted_at", *card_columns("reply_to__sender"),
]  # fmt: skip


def message_rows(member: Member, *, before_seq: int | None = None, after_seq: int | None = None) -> MessageQuerySet:
    """The messages that are there for a member, for `paginate`, which orders them."""
    messages = Message.objects.seen_by(member)
    if before_seq is not None:
        messages = messages.filter(seq__lt=before_seq)
    if after_seq is not None:
        messages = messages.filter(seq__gt=after_seq)
    return messages.values(*MESSAGE_COLUMNS)


def message_outputs(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages as clients see them; one query for all their pictures."""
    pictures = _pictures([row["id"] for row in rows])
    return [_message(row, pictures.get(row["id"], [])) for row in rows]


def message_output(message_id: UUID) -> dict[str, Any]:
    return message_outputs(list(Message.objects.filter(pk=message_id).values(*MESSAGE_COLUMNS)))[0]


def _message(row: dict[str, Any], media: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "conversationId": row["conversation_id"],
        "seq": row["seq"],
        "sender": UserCard.of_row(row, "sender"),
        "content": row["content"],
        "media": media,
        "replyTo": _excerpt(row, "reply_to__", row["reply_to_id"]) if row["reply_to_id"] else None,
        "clientId": row["client_id"],
        "createdAt": row["created_at"],
        "editedAt": row["edited_at"],
        "deletedAt": row["deleted_at"],
    }


def reply_output(member: Member, message_id: UUID) -> dict[str, Any] | None:
    """What a reply shows of the message it answers; None if that is not there for the member."""
    messages = Message.objects.seen_by(member).filter(pk=message_id).values(*MESSAGE_COLUMNS)
    for row in messages:
        return _excerpt(row, "", row["id"])
    return None


def _excerpt(row: dict[str, Any], prefix: str, message_id: UUID) -> dict[str, Any]:
    return {
        "id": message_id,
        "seq": row[f"{prefix}seq"],
        "sender": UserCard.of_row(row, f"{prefix}sender"),
        "content": row[f"{prefix}content"][:EXCERPT],
        "deletedAt": row[f"{prefix}deleted_at"],
    }


def picture_output(stored: StoredFile, now: datetime) -> dict[str, Any]:
    """
    A picture with a link. It opens for whoever holds it, since a frame goes to everybody in the conversation; reading
    the message was the access check.
    """
    link = make_link(stored.pk, viewer_id=None, now=now, lifetime=LINK_LIFETIME)
    return {
        "id": stored.pk,
        "url": link.url,
        "expiresAt": link.expires_at,
        "type": stored.content_type,
        "width": stored.width,
        "height": stored.height,
        "alt": "",
    }


def _pictures(message_ids: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    now = timezone.now()
    pictures: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    attachments = Attachment.objects.filter(message__in=message_ids).select_related("file")
    for attachment in attachments.order_by("message", "position"):
        pictures[attachment.message_id].append(picture_output(attachment.file, now))
    return pictures


def conversation_outputs(members: Sequence[Member]) -> list[dict[str, Any]]:
    """Conversations as their member sees them in a list: three queries for all."""
    people = _participants([member.conversation_id for member in members])
    last = _last_messages(members)
    return [
        {
            "id": member.conversation_id,
            "type": member.conversation.type,
            "title": member.conversation.title or None,
            "participants": [UserCard.of_row(row, "user") for row in people[member.conversation_id]],
            "participantCount": people[member.conversation_id][0]["total"],
            "lastMessage": last.get(member.conversation_id),
            "lastSeq": member.conversation.last_seq,
            "unreadCount": member.conversation.last_seq - member.last_read_seq,
            "muted": member.muted,
            "updatedAt": member.conversation.active_at,
        }
        for member in members
    ]


def conversation_detail(member: Member) -> dict[str, Any]:
    """One conversation with everybody in it, longest there first."""
    rows = Member.objects.filter(conversation=member.conversation_id).order_by("created_at", "id")
    members = [
        {"user": UserCard.of_row(row, "user"), "role": row["role"], "lastReadSeq": row["last_read_seq"]}
        for row in rows.values("role", "last_read_seq", *card_columns("user"))
    ]
    (summary,) = conversation_outputs([member])
    return {**summary, "participants": [one["user"] for one in members], "members": members}


def _participants(conversation_ids: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The first people of each conversation, and how many they are."""
    members = Member.objects.filter(conversation__in=conversation_ids).annotate(
        place=Window(RowNumber(), partition_by="conversation", order_by=["created_at", "id"]),
        total=Window(Count("id"), partition_by="conversation"),
    )
    people: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    shown = members.filter(place__lte=SHOWN_PARTICIPANTS).order_by("conversation", "place")
    for row in shown.values("conversation_id", "total", *card_columns("user")):
        people[row["conversation_id"]].append(row)
    return people


def _last_messages(members: Iterable[Member]) -> dict[UUID, dict[str, Any]]:
    visible = [member.conversation_id for member in members if member.conversation.last_seq > member.cleared_seq]
    newest = Message.objects.filter(conversation__in=visible, seq=F("conversation__last_seq"))
    return {message["conversationId"]: message for message in message_outputs(list(newest.values(*MESSAGE_COLUMNS)))}


def messages_behind(positions: dict[UUID, int], limit: int) -> list[dict[str, Any]]:
    """What follows these positions, by conversation and in order, at most `limit` messages."""
    behind = Q(pk__in=[])
    for conversation_id, seq in positions.items():
        behind |= Q(conversation=conversation_id, seq__gt=seq)
    rows = Message.objects.filter(behind).order_by("conversation_id", "seq").values(*MESSAGE_COLUMNS)
    return message_outputs(list(rows[:limit]))
