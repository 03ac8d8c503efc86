"""What lists, details and frames show, read with a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from msgspec.structs import asdict

from accounts.outputs.people import UserCard, card_columns
from accounts.relations import hidden_among, not_hidden_from
from chat.models import Attachment, Conversation, Member, Message, MessageQuerySet
from chat.outputs import ConversationCard, ConversationOutput, MemberOutput, MessageOutput, PictureOutput, ReplyTo
from core import clock

SHOWN_PARTICIPANTS = 20
"""How many people of a group a list shows; `participantCount` counts them all, the detail names them all."""

MESSAGE_COLUMNS = [
    "id", "conversation_id", "seq", "content", "client_id", "created_at", "edited_at", "deleted_at", "hidden_at",
    *card_columns("sender"),
    "reply_to_id", "reply_to__seq", "reply_to__content", "reply_to__deleted_at", "reply_to__hidden_at",
    *card_columns("reply_to__sender"),
]  # fmt: skip


def message_rows(member: Member, *, before_seq: int | None = None, after_seq: int | None = None) -> MessageQuerySet:
    """The messages that are there for a member, for `paginate`, which orders them."""
    messages = Message.objects.seen_by(member)
    if before_seq is not None:
        messages = messages.filter(seq__lt=before_seq)
    if after_seq is not None:
        messages = messages.filter(seq__gt=after_seq)
    return cast(MessageQuerySet, messages.values(*MESSAGE_COLUMNS))


def message_outputs(rows: Sequence[dict[str, Any]], viewer_id: UUID) -> list[MessageOutput]:
    """Messages as somebody sees them; a query for all their pictures, and one for who is hidden."""
    outputs = whole_messages(rows)
    hidden = hidden_among(viewer_id, {person for output in outputs for person in output.people})
    return [output.without(hidden) for output in outputs]


def whole_messages(rows: Sequence[dict[str, Any]]) -> list[MessageOutput]:
    """Messages before anybody is hidden in them; one query for all their pictures."""
    pictures = _pictures([row["id"] for row in rows if not row["hidden_at"]])
    return [MessageOutput.of_row(row, pictures.get(row["id"], [])) for row in rows]


def message_output(message_id: UUID, viewer_id: UUID) -> MessageOutput:
    return message_outputs(list(Message.objects.filter(pk=message_id).values(*MESSAGE_COLUMNS)), viewer_id)[0]


def reply_output(member: Member, message_id: UUID) -> ReplyTo | None:
    """What a reply shows of the message it answers; None if that is not there for the member, or hidden from them."""
    there = Message.objects.seen_by(member).filter(not_hidden_from(member.user_id, "sender"))
    row = there.filter(pk=message_id).values(*MESSAGE_COLUMNS).first()
    return ReplyTo.of_row(row, row["id"]) if row else None


def _pictures(message_ids: Collection[UUID]) -> dict[UUID, list[PictureOutput]]:
    now = clock.now()
    pictures: defaultdict[UUID, list[PictureOutput]] = defaultdict(list)
    attachments = Attachment.objects.filter(message__in=message_ids).select_related("file")
    for attachment in attachments.order_by("message", "position"):
        pictures[attachment.message_id].append(PictureOutput.of(attachment.file, now))
    return pictures


def conversation_outputs(members: Sequence[Member]) -> list[ConversationCard]:
    """Conversations as their member sees them in a list: the same few queries for all."""
    people = _participants([member.conversation_id for member in members])
    last, hidden = _last_messages(members), _hidden_unread(members)
    return [
        ConversationCard.of(
            member,
            participants=[UserCard.of_row(row, "user") for row in people[member.conversation_id]],
            participant_count=people[member.conversation_id][0]["total"],
            last_message=last.get(member.conversation_id),
            hidden_unread=hidden.get(member.conversation_id, 0),
        )
        for member in members
    ]


def conversation_detail(member: Member) -> ConversationOutput:
    """One conversation with everybody in it, longest there first."""
    found = Member.objects.filter(conversation=member.conversation_id).order_by("created_at", "id")
    rows = list(found.values("role", "last_read_seq", *card_columns("user")))
    hidden = hidden_among(member.user_id, {row["user__id"] for row in rows})
    members = [
        MemberOutput(
            user=UserCard.of_row(row, "user"),
            role=Member.Role(row["role"]),
            last_read_seq=0 if row["user__id"] in hidden else row["last_read_seq"],
        )
        for row in rows
    ]
    card = ConversationCard.of(
        member,
        participants=[one.user for one in members],
        participant_count=len(members),
        last_message=_last_messages([member]).get(member.conversation_id),
        hidden_unread=_hidden_unread([member]).get(member.conversation_id, 0),
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


def _last_messages(members: Sequence[Member]) -> dict[UUID, MessageOutput]:
    """:param members: memberships of one person"""
    if not members:
        return {}
    visible = [member.conversation_id for member in members if member.conversation.last_seq > member.cleared_seq]
    newest = Message.objects.filter(conversation__in=visible, seq=F("conversation__last_seq"))
    outputs = message_outputs(list(newest.values(*MESSAGE_COLUMNS)), members[0].user_id)
    return {message.conversation_id: message for message in outputs}


def _hidden_unread(members: Sequence[Member]) -> dict[UUID, int]:
    """
    How many messages behind the member's mark are of people hidden from them, by conversation.

    :param members: memberships of one person
    """
    groups = [member.pk for member in members if member.conversation.type == Conversation.Type.GROUP]
    if not groups:
        return {}
    behind = Message.objects.filter(
        ~not_hidden_from(members[0].user_id, "sender"),
        conversation__members__in=groups,
        seq__gt=F("conversation__members__last_read_seq"),
    )
    return dict(behind.values_list("conversation").annotate(number=Count("pk")))


def messages_behind(positions: dict[UUID, int], limit: int) -> list[MessageOutput]:
    """What follows these positions, by conversation and in order, at most `limit` messages; nobody is hidden yet."""
    behind = Q(pk__in=[])
    for conversation_id, seq in positions.items():
        behind |= Q(conversation=conversation_id, seq__gt=seq)
    rows = Message.objects.filter(behind).order_by("conversation_id", "seq").values(*MESSAGE_COLUMNS)
    return whole_messages(list(rows[:limit]))
