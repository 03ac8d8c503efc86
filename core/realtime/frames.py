"""
What the server sends over the socket. Each frame is a class that names its `type`:

    class TypingFrame(Frame, tag="chat.typing"):
        conversation_id: UUID
        user_id: UUID
        is_typing: bool

An app names those that it publishes with `core.realtime.sockets.announces`; the AsyncAPI document is made from them.
"""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from core.api.outputs import FieldError, Output

Ref = str | int
"""The client's own reference for a frame, returned with its answer."""


class Frame(Output, tag_field="type"):
    """The base of every frame that the server sends; `tag` is its `type`."""


class Ready(Frame, tag="ready"):
    """The socket is signed in and receives everything from now on."""

    user_id: UUID
    session_id: UUID
    heartbeat_seconds: Annotated[int, Meta(description="How often the client should send `ping`.")]


class Pong(Frame, tag="pong"):
    """Answers `ping`, with its `ref`."""

    ref: Ref | UnsetType = UNSET


# A command whose ack has more members subclasses it; the socket adds the `ref`.
class Ack(Frame, tag="ack"):
    """A frame with `ref` was done."""

    ref: Ref | UnsetType = UNSET


class Error(Frame, tag="error"):
    """A frame was refused; the codes are those of the API (/api/docs/errors)."""

    ref: Ref | UnsetType = UNSET
    code: str
    detail: str
    errors: list[FieldError] | UnsetType = UNSET
