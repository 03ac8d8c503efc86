"""A person: the card that others see, and what the person sees of themselves."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from rest_framework.fields import BooleanField, CharField, DateTimeField, EmailField, UUIDField

from accounts.models import User
from core.api.outputs import Output, Url
from core.api.serializers import Serializer

CARD_COLUMNS = ("id", "first_name", "last_name", "profile_photo", "badges")
"""What a queryset has to load for a card."""


def card_columns(prefix: str) -> list[str]:
    """The columns of `.values(...)` for somebody related: `card_columns("sender")`."""
    return [f"{prefix}__{column}" for column in CARD_COLUMNS]


class UserCard(Output):
    """A person as others see them."""

    id: UUID
    first_name: str
    last_name: str
    profile_photo: Url | None
    badges: list[str]

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            id=user.pk,
            first_name=user.first_name,
            last_name=user.last_name,
            profile_photo=user.profile_photo or None,
            badges=user.badges,
        )

    @classmethod
    def of_row(cls, row: Mapping[str, Any], prefix: str) -> Self:
        """The card of the person under `prefix` in a row read with `card_columns(prefix)`."""
        return cls(
            id=row[f"{prefix}__id"],
            first_name=row[f"{prefix}__first_name"],
            last_name=row[f"{prefix}__last_name"],
            profile_photo=row[f"{prefix}__profile_photo"] or None,
            badges=row[f"{prefix}__badges"],
        )


class SignedInUser(Serializer):
    id = UUIDField()
    email = EmailField()
    first_name = CharField()
    last_name = CharField()


class MeOutput(Serializer):
    id = UUIDField()
    email = EmailField()
    first_name = CharField()
    last_name = CharField()
    phone_number = CharField(allow_null=True)
    profile_photo = CharField(allow_null=True)
    cover_photo = CharField(allow_null=True)
    bio = CharField()
    location = CharField()
    website = CharField()
    email_verified = BooleanField()
    phone_verified = BooleanField()
    kyc_verified = BooleanField()
    two_factor_enabled = BooleanField()
    role = CharField()
    status = CharField()
    created_at = DateTimeField()
    updated_at = DateTimeField()


def me(user: User) -> dict[str, object]:
    """The answer of /me, shaped by hand: it is the most asked question of all."""
    return {
        "id": user.pk,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "phoneNumber": user.phone_number or None,
        "profilePhoto": user.profile_photo or None,
        "coverPhoto": user.cover_photo or None,
        "bio": user.bio,
        "location": user.location,
        "website": user.website,
        "emailVerified": user.email_verified,
        "phoneVerified": user.phone_verified,
        "kycVerified": user.kyc_verified,
        "twoFactorEnabled": user.two_factor_enabled,
        "role": user.role,
        "status": user.status,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
    }
