"""
Conversations as streams of the hub: what a `resume` brings, and what the hub reads when a push did not arrive.

The database is the source of truth; this module only reads it again.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts.models import User
from chat.models import Member, Message, stream_of
from chat.outputs import AccessRevokedFrame, MessageFrame, MessageOutput, ResyncRequiredFrame
from chat.selectors import MESSAGE_COLUMNS, message_outputs, messages_behind
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
    person is not (any more) in the conversation.
    """
    wanted = {UUID(conversation_id): seq for conversation_id, seq in positions.items()}
    places = Member.objects.filter(user=user, conversation__in=wanted).select_related("conversation")
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
    rest = {str(one): seq for one, seq in behind.items() if seq < mine[one].conversation.last_seq}
    return Page([*words, *(_push(message, [user.pk]) for message in messages)], rest)


def after(stream: str, seq: int) -> list[Push]:
    """The next messages of a stream, for the hub, which lacks a push."""
    conversation_id = UUID(stream.partition(":")[2])
    return _for_everybody(messages_behind({conversation_id: seq}, PAGE))


def missed(user_ids: Collection[str], since: datetime) -> list[Push]:
    """Messages since then in the conversations of these people."""
    conversations = Member.objects.filter(user__in=[UUID(user_id) for user_id in user_ids]).values("conversation")
    rows = Message.objects.filter(pk__gte=first_id_at(since), conversation__in=conversations)
    return _for_everybody(message_outputs(list(rows.order_by("conversation_id", "seq").values(*MESSAGE_COLUMNS))))


def _for_everybody(messages: list[MessageOutput]) -> list[Push]:
    """Each with the present members of its conversation: the access check of a delivery from the database."""
    users: defaultdict[UUID, list[UUID]] = defaultdict(list)
    conversations = {message.conversation_id for message in messages}
    for member in Member.objects.filter(conversation__in=conversations).values("conversation_id", "user_id"):
        users[member["conversation_id"]].append(member["user_id"])
    return [_push(message, users[message.conversation_id]) for message in messages]


def _push(message: MessageOutput, users: list[UUID]) -> Push:
    frame = MessageFrame(message=message)
    return make_push(users=users, frame=frame, stream=stream_of(message.conversation_id), seq=message.seq)
