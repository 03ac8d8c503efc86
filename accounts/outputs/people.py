"""A person: the card that others see, and what the person sees of themselves."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from accounts.models import Role, Status, User
from core.api.outputs import Moment, Output, Url

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

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

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
    def of_columns(cls, id: UUID, first_name: str, last_name: str, profile_photo: str, badges: list[str]) -> Self:
        """From the columns of `CARD_COLUMNS` in a row of a statement (`core.data.statements`)."""
        return cls(
            id=id, first_name=first_name, last_name=last_name, profile_photo=profile_photo or None, badges=badges
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


class SignedInUser(Output):
    id: UUID
    email: str
    first_name: str
    last_name: str

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(id=user.pk, email=user.email, first_name=user.first_name, last_name=user.last_name)


class MeOutput(Output):
    """A person as they see themselves."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    phone_number: str | None
    profile_photo: Url | None
    cover_photo: Url | None
    bio: str
    location: str
    website: str
    email_verified: bool
    phone_verified: bool
    kyc_verified: bool
    two_factor_enabled: bool
    role: Role
    status: Status
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            id=user.pk,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            phone_number=user.phone_number or None,
            profile_photo=user.profile_photo or None,
            cover_photo=user.cover_photo or None,
            bio=user.bio,
            location=user.location,
            website=user.website,
            email_verified=user.email_verified,
            phone_verified=user.phone_verified,
            kyc_verified=user.kyc_verified,
            two_factor_enabled=user.two_factor_enabled,
            role=Role(user.role),
            status=Status(user.status),
            created_at=user.created_at,
            updated_at=user.updated_at,
        )
