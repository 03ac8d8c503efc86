"""Bodies in and out of /api/auth."""

from typing import Any

import phonenumbers
from django.utils.translation import gettext_lazy as _
from rest_framework.fields import (
    BooleanField,
    CharField,
    DateTimeField,
    EmailField,
    IntegerField,
    ListField,
    UUIDField,
)

from accounts.models import User
from core.serializers import Serializer


class AddressField(EmailField):
    """An e-mail address in ASCII (RFC 5321), so that none can look like another's."""

    default_error_messages = {"not_ascii": _("Use the plain ASCII form of the address.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not value.isascii():
            self.fail("not_ascii")
        return value


class PhoneField(CharField):
    """A number in E.164, checked against the numbering plans."""

    default_error_messages = {
        "invalid_phone_number": _("Not a valid phone number in E.164 form, such as +12025550123.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 16, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        try:
            number = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            self.fail("invalid_phone_number")
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if not phonenumbers.is_valid_number(number) or e164 != value:
            self.fail("invalid_phone_number")
        return e164


class NameField(CharField):
    """A name of a person: one line, without control characters."""

    default_error_messages = {"invalid_name": _("A name is one line of ordinary characters.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 80, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not value.isprintable():
            self.fail("invalid_name")
        return value


class PasswordField(CharField):
    """As typed, no trimming. The bound only keeps hashing cheap; the rules are in `accounts.passwords`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 1000, "trim_whitespace": False, "write_only": True, **kwargs})


class RegisterInput(Serializer):
    email = AddressField()
    password = PasswordField()
    first_name = NameField()
    last_name = NameField()
    phone_number = PhoneField(required=False)
    invite_token = CharField(required=False, max_length=200, help_text="From the mail of an invitation.")


class LoginInput(Serializer):
    email = EmailField(max_length=254)
    password = PasswordField()


class RefreshInput(Serializer):
    refresh_token = CharField(max_length=200)


class TokenInput(Serializer):
    token = CharField(max_length=200)


class StepUpInput(Serializer):
    password = PasswordField()


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


class TokensOutput(Serializer):
    token = CharField()
    refresh_token = CharField()
    expires_in = IntegerField(help_text="Seconds until `token` expires.")
    user = SignedInUser()


class RefreshOutput(Serializer):
    token = CharField()
    refresh_token = CharField()
    expires_in = IntegerField()


class SessionOutput(Serializer):
    id = UUIDField()
    device = CharField()
    ip = CharField(source="address", allow_null=True)
    created_at = DateTimeField()
    last_seen_at = DateTimeField()
    current = BooleanField()


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
