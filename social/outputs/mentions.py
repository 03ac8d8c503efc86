"""People whom a post or comment names."""

from uuid import UUID

import msgspec

from accounts.outputs.people import UserCard

_rows = msgspec.json.Decoder(list[tuple[UUID, str, str, str, list[str]]])


def mention_cards(column: str | None) -> list[UserCard]:
    """From the column `mentions` of a statement: an array with the columns of `UserCard.of_columns` for each person."""
    return [UserCard.of_columns(*row) for row in _rows.decode(column)] if column else []
