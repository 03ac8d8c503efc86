"""A person as others see them, nested wherever one appears (API.md, user card)."""

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
