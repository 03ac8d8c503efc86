"""Who reacted to a post, and how."""

from typing import Any, Self

from accounts.outputs.people import UserCard
from core.api.outputs import Moment, Output


class ReactionOutput(Output):
    user: UserCard
    emoji: str
    created_at: Moment

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """From a row of `selectors.reactions`."""
        return cls(user=UserCard.of_row(row, "user"), emoji=row["emoji"], created_at=row["created_at"])
