"""What lists, details and frames show, read with a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from msgspec.structs import asdict

from accounts.outputs.people import UserCard, card_columns
from chat.models import Attachment, Member, Message, MessageQuerySet
from chat.outputs import ConversationCard, ConversationOutput, MemberOutput, MessageOutput, PictureOutput, ReplyTo
from core import clock

SHOWN_PARTICIPANTS = 20
"""How many people of a group a list shows; `participantCount` counts them all, the detail names them all."""

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
    return cast(MessageQuerySet, messages.values(*MESSAGE_COLUMNS))


def message_outputs(rows: Sequence[dict[str, Any]]) -> list[MessageOutput]:
    """Messages as clients see them; one query for all their pictures."""
    pictures = _pictures([row["id"] for row in rows])
    return [MessageOutput.of_row(row, pictures.get(row["id"], [])) for row in rows]


def message_output(message_id: UUID) -> MessageOutput:
    return message_outputs(list(Message.objects.filter(pk=message_id).values(*MESSAGE_COLUMNS)))[0]


def reply_output(member: Member, message_id: UUID) -> ReplyTo | None:
    """What a reply shows of the message it answers; None if that is not there for the member."""
    row = Message.objects.seen_by(member).filter(pk=message_id).values(*MESSAGE_COLUMNS).first()
    return ReplyTo.of_row(row, row["id"]) if row else None


def _pictures(message_ids: Collection[UUID]) -> dict[UUID, list[PictureOutput]]:
    now = clock.now()
    pictures: defaultdict[UUID, list[PictureOutput]] = defaultdict(list)
    attachments = Attachment.objects.filter(message__in=message_ids).select_related("file")
    for attachment in attachments.order_by("message", "position"):
        pictures[attachment.message_id].append(PictureOutput.of(attachment.file, now))
    return pictures


def conversation_outputs(members: Sequence[Member]) -> list[ConversationCard]:
    """Conversations as their member sees them in a list: three queries for all."""
    people = _participants([member.conversation_id for member in members])
    last = _last_messages(members)
    return [
        ConversationCard.of(
            member,
            participants=[UserCard.of_row(row, "user") for row in people[member.conversation_id]],
            participant_count=people[member.conversation_id][0]["total"],
            last_message=last.get(member.conversation_id),
        )
        for member in members
    ]


def conversation_detail(member: Member) -> ConversationOutput:
    """One conversation with everybody in it, longest there first."""
    rows = Member.objects.filter(conversation=member.conversation_id).order_by("created_at", "id")
    members = [
        MemberOutput(
            user=UserCard.of_row(row, "user"), role=Member.Role(row["role"]), last_read_seq=row["last_read_seq"]
        )
        for row in rows.values("role", "last_read_seq", *card_columns("user"))
    ]
    card = ConversationCard.of(
        member,
        participants=[one.user for one in members],
        participant_count=len(members),
        last_message=_last_messages([member]).get(member.conversation_id),
    )
    return ConversationOutput(**asdict(card), members=members)


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


def _last_messages(members: Iterable[Member]) -> dict[UUID, MessageOutput]:
    visible = [member.conversation_id for member in members if member.conversation.last_seq > member.cleared_seq]
    newest = Message.objects.filter(conversation__in=visible, seq=F("conversation__last_seq"))
    return {message.conversation_id: message for message in message_outputs(list(newest.values(*MESSAGE_COLUMNS)))}


def messages_behind(positions: dict[UUID, int], limit: int) -> list[MessageOutput]:
    """What follows these positions, by conversation and in order, at most `limit` messages."""
    behind = Q(pk__in=[])
    for conversation_id, seq in positions.items():
        behind |= Q(conversation=conversation_id, seq__gt=seq)
    rows = Message.objects.filter(behind).order_by("conversation_id", "seq").values(*MESSAGE_COLUMNS)
    return message_outputs(list(rows[:limit]))
