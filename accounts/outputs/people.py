"""A person: the card that others see, and what the person sees of themselves."""

from rest_framework.fields import (
    BooleanField,
    CharField,
    DateTimeField,
    EmailField,
    ListField,
    UUIDField,
)

from accounts.models import User
from core.api.serializers import Serializer


class UserCard(Serializer):
    id = UUIDField()
    first_name = CharField()
    last_name = CharField()
    profile_photo = CharField(allow_null=True)
    badges = ListField(child=CharField())


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
