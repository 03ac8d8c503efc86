"""The shapes that clients see."""

from typing import Literal

from core.api.outputs import Message, Output


class Tracked(Message):
    """`ignored`: the sender asked not to be tracked (`DNT`, `Sec-GPC`), so nothing is kept."""

    status: Literal["stored", "duplicate", "ignored"]


class EventResult(Output):
    """What became of one event of a batch, in the order of the batch. A refused one may be mended and sent again."""

    index: int
    status: Literal["stored", "duplicate", "ignored", "refused"]
    code: str | None
    detail: str | None
    field: str | None


class BatchResult(Output):
    stored: int
    duplicates: int
    ignored: int
    refused: int
    items: list[EventResult]
