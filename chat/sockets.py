"""The commands and frames of conversations on the socket."""

from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework.serializers import DictField, IntegerField

from accounts.models import User
from accounts.permissions import MayPublish
from chat import inputs, outputs, streams
from chat.models import stream_of
from chat.services import messages, reading, typing
from core.api.serializers import IdField
from core.realtime import publishing, sockets

MAX_RESUMED = 500
"""Conversations in one `resume`."""


class Positions(DictField):
    """The last `seq` that the client has of each conversation."""

    child = IntegerField(min_value=0, max_value=inputs.LARGEST_SEQ)

    def to_internal_value(self, data: Any) -> dict[str, int]:
        positions = super().to_internal_value(data)
        if len(positions) > MAX_RESUMED:
            self.fail("too_many", most=MAX_RESUMED)
        return {str(IdField().run_validation(name)): seq for name, seq in positions.items()}

    default_error_messages = {"too_many": "At most {most} conversations at a time."}


@sockets.on("chat.send", inputs.SendCommand, permissions=[MayPublish], answer=outputs.MessageAck)
def send(*, user: User, now: datetime, **message: Any) -> outputs.MessageAck:
    """Say something. Sent again with the same `clientId` it is the same message."""
    output, _ = messages.send_message(user=user, now=now, **message)
    return outputs.MessageAck(message=output)


@sockets.on("chat.read", inputs.ReadCommand, answer=outputs.ReadAck, limit=sockets.SIGNALS)
def read(*, user: User, now: datetime, conversation_id: UUID, seq: int) -> outputs.ReadAck:
    """Move one's mark forward."""
    member = reading.mark_read(user=user, conversation_id=conversation_id, seq=seq)
    return outputs.ReadAck(seq=member.last_read_seq)


@sockets.on("chat.typing", inputs.TypingCommand, permissions=[MayPublish], limit=sockets.SIGNALS)
def show_typing(*, user: User, now: datetime, conversation_id: UUID, is_typing: bool) -> None:
    """Show the others that one is writing."""
    typing.show_typing(user=user, conversation_id=conversation_id, is_typing=is_typing, now=now)


sockets.resumes(
    "conversations",
    Positions(required=False),
    streams=lambda positions: [stream_of(conversation_id) for conversation_id in positions],
)(streams.resume)
publishing.read_streams_from("chat", publishing.Source(streams.after, streams.missed))
sockets.announces(
    outputs.MessageFrame,
    outputs.MessageModeratedFrame,
    outputs.ReadFrame,
    outputs.TypingFrame,
    outputs.AccessRevokedFrame,
    outputs.ResyncRequiredFrame,
)
