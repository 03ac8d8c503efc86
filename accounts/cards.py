"""A person as others see them, nested wherever one appears (API.md, user card)."""

from collections.abc import Mapping
from typing import Any

from accounts.models import User

CARD_COLUMNS = ("id", "first_name", "last_name", "profile_photo", "badges")
"""What a queryset has to load for a card."""


def user_card(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "profilePhoto": user.profile_photo or None,
        "badges": user.badges,
    }


def card_columns(prefix: str) -> list[str]:
    """The columns of `.values(...)` for somebody related: `card_columns("sender")`."""
    return [f"{prefix}__{column}" for column in CARD_COLUMNS]


def card_of(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The card of the person under `prefix` in a row read with `card_columns(prefix)`."""
    return {
        "id": row[f"{prefix}__id"],
        "firstName": row[f"{prefix}__first_name"],
        "lastName": row[f"{prefix}__last_name"],
        "profilePhoto": row[f"{prefix}__profile_photo"] or None,
        "badges": row[f"{prefix}__badges"],
    }
