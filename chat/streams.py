"""
Conversations as streams of the hub: what a `resume` brings, and what the hub reads when a push did not arrive.

The database is the source of truth; this module only reads it again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from accounts.models import User
from accounts.relations import hidden_among, hidden_pairs
from chat.models import Member, Message, stream_of
from chat.outputs import (
    AccessRevokedFrame,
    MessageModeratedFrame,
    MessageOutput,
    ResyncRequiredFrame,
    audiences,
)
from chat.selectors import MESSAGE_COLUMNS, messages_behind, whole_messages
from core.data.ids import first_id_at
from core.realtime.publishing import Push, make_push
from core.realtime.sockets import Page

KEPT = 1000
"""Messages that a `resume` brings per conversation; a client that lacks more reads the list again."""
AT_ONCE = 20
"""Conversations read together."""
PAGE = 500


def resume(*, user: User, positions: dict[str, int]) -> Page:
    """
    The next part of what this person lacks: messages behind their positions, or a frame that says why there are none.

    `resync_required` where more than `KEPT` are lacking or the position is not one of ours; `access_revoked` where the
    person is not (any more) in the conversation, or one of its pair blocks the other.
    """
    wanted = {UUID(conversation_id): seq for conversation_id, seq in positions.items()}
    places = Member.objects.filter(user=user, conversation__in=wanted, conversation__is_blocked=False)
    places = places.select_related("conversation")
    mine = {member.conversation_id: member for member in places}
    words: list[Push] = []
    behind: dict[UUID, int] = {}
    for conversation_id, seq in wanted.items():
        member = mine.get(conversation_id)
        if member is None:
            words.append(make_push(users=[user.pk], frame=AccessRevokedFrame(conversation_id=conversation_id)))
            continue
        last = member.conversation.last_seq
        if seq > last or last - max(seq, member.cleared_seq) > KEPT:
            words.append(make_push(users=[user.pk], frame=ResyncRequiredFrame(conversation_id=conversation_id)))
        elif max(seq, member.cleared_seq) < last:
            behind[conversation_id] = max(seq, member.cleared_seq)
    now_read = dict(list(behind.items())[:AT_ONCE])
    messages = messages_behind(now_read, PAGE) if now_read else []
    for message in messages:
        behind[message.conversation_id] = message.seq
    hidden = hidden_among(user.pk, {person for message in messages for person in message.people})
    rest = {str(one): seq for one, seq in behind.items() if seq < mine[one].conversation.last_seq}
    return Page([*words, *(_push(message.without(hidden), [user.pk]) for message in messages)], rest)


def after(stream: str, seq: int) -> list[Push]:
    """The next messages of a stream, for the hub, which lacks a push."""
    conversation_id = UUID(stream.partition(":")[2])
    return _for_everybody(messages_behind({conversation_id: seq}, PAGE))


def missed(user_ids: Collection[str], since: datetime) -> list[Push]:
    """Messages since then in the conversations of these people."""
    conversations = Member.objects.filter(user__in=[UUID(user_id) for user_id in user_ids]).values("conversation")
    rows = Message.objects.filter(pk__gte=first_id_at(since), conversation__in=conversations)
    return _for_everybody(whole_messages(list(rows.order_by("conversation_id", "seq").values(*MESSAGE_COLUMNS))))


def moderated(message_id: UUID) -> Push:
    """For the present members of its conversation: what a message is since moderators hid it, or show it again."""
    rows = Message.objects.filter(pk=message_id).values(*MESSAGE_COLUMNS)
    ((message, users, hidden),) = _with_members(whole_messages(list(rows)))
    return make_push(**audiences(message, users, hidden, MessageModeratedFrame))


def _for_everybody(messages: list[MessageOutput]) -> list[Push]:
    return [_push(message, users, hidden) for message, users, hidden in _with_members(messages)]


Hidden = Mapping[UUID, Collection[UUID]]


def _with_members(messages: list[MessageOutput]) -> Iterator[tuple[MessageOutput, list[UUID], Hidden]]:
    """
    Each with the present members of its conversation, and who is hidden from each of them: the access check of a
    delivery from the database.
    """
    users: defaultdict[UUID, list[UUID]] = defaultdict(list)
    conversations = {message.conversation_id for message in messages}
    members = Member.objects.filter(conversation__in=conversations, conversation__is_blocked=False)
    for member in members.values("conversation_id", "user_id"):
        users[member["conversation_id"]].append(member["user_id"])
    shown = {person for message in messages for person in message.people}
    pairs = hidden_pairs(shown, {user for some in users.values() for user in some}) if shown else set()
    for message in messages:
        audience = users[message.conversation_id]
        hidden = {
            user: {person for person in message.people if frozenset((user, person)) in pairs} for user in audience
        }
        yield message, audience, hidden


def _push(message: MessageOutput, users: list[UUID], hidden: Mapping[UUID, Collection[UUID]] | None = None) -> Push:
    return make_push(
        **audiences(message, users, hidden or {}), stream=stream_of(message.conversation_id), seq=message.seq
    )
