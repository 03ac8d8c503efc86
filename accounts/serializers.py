"""Bodies in and out of /api/auth, and of the second factor and the login history under /api/profile."""

import re
from typing import Any

import phonenumbers
from django.utils.translation import gettext_lazy as _
from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    EmailField,
    IntegerField,
    ListField,
    UUIDField,
)
from rest_framework.serializers import ValidationError

from accounts.models import LONGEST_NAME, Platform, User
from core.api.serializers import LineField, Serializer
from core.devices import device_name

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")


class AddressField(EmailField):
    """
    An e-mail address in ASCII (RFC 5321), so that none can look like another's. Of a domain: neither a number in
    brackets nor a bare host name, which would have our mail server talk to its neighbours.
    """

    default_error_messages = {"not_ascii": _("Use the plain ASCII form of the address.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not value.isascii():
            self.fail("not_ascii")
        domain = value.rpartition("@")[2]
        if not value.isprintable() or domain.startswith("[") or "." not in domain:
            self.fail("invalid")
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


class NameField(LineField):
    """A name of a person, a place or a device."""

    default_error_messages = {"invalid_name": _("A name is one line of ordinary characters.")}
    unfit = unseen = "invalid_name"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_NAME, **kwargs})


class PasswordField(CharField):
    """As typed, no trimming. The bound only keeps hashing cheap; the rules are in `accounts.passwords`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 1000, "trim_whitespace": False, "write_only": True, **kwargs})


class DeviceField(CharField):
    """A `User-Agent` header, shown in our own words."""

    def to_representation(self, value: Any) -> str:
        return device_name(value)


class RegisterInput(Serializer):
    email = AddressField()
    password = PasswordField()
    first_name = NameField()
    last_name = NameField(required=False, allow_blank=True, help_text="A person may have one name.")
    phone_number = PhoneField(required=False)
    invite_token = CharField(required=False, max_length=200, help_text="From the mail of an invitation.")


class LoginInput(Serializer):
    email = EmailField(max_length=254)
    password = PasswordField()


class RefreshInput(Serializer):
    refresh_token = CharField(max_length=200)


class TokenInput(Serializer):
    token = CharField(max_length=200)


class CodeField(CharField):
    """A code of the authenticator app or a recovery code, as people type them; what it is worth is checked later."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, **kwargs})


class PackedField(CharField):
    """Bytes as base64url (RFC 4648 §5), as browsers write them into the JSON of a passkey's answer."""

    default_error_messages = {"invalid_base64url": _("Not base64url.")}

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not _BASE64URL.fullmatch(value):
            self.fail("invalid_base64url")
        return value


class KeyAnswer(Serializer):
    """Names as the standard writes them."""

    clientDataJSON = PackedField(max_length=4_000)
    authenticatorData = PackedField(max_length=2_000)
    signature = PackedField(max_length=2_000)
    userHandle = PackedField(max_length=100, required=False, allow_blank=True)


class NewKeyAnswer(Serializer):
    clientDataJSON = PackedField(max_length=4_000)
    attestationObject = PackedField(max_length=8_000)
    transports = ListField(child=CharField(max_length=20), max_length=10, required=False)


class _Key(Serializer):
    id = PackedField(max_length=1_400)
    rawId = PackedField(max_length=1_400)
    type = ChoiceField(["public-key"])


class KeyInput(_Key):
    """What `navigator.credentials.get()` gave: AuthenticationResponseJSON (WebAuthn Level 3 §5.1.8)."""

    response = KeyAnswer()


class NewKeyInput(_Key):
    """What `navigator.credentials.create()` gave: RegistrationResponseJSON (WebAuthn Level 3 §5.1.8)."""

    response = NewKeyAnswer()


class _OneProof(Serializer):
    """Takes one of several proofs; those of the second factor come out as `proof`."""

    default_error_messages = {"one_proof": _("Send exactly one proof: %(names)s.")}
    proofs: tuple[str, ...]
    usual = ""
    """Which of them is asked for when there is none."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in self.proofs if name in attrs]
        if not given and self.usual:
            raise ValidationError({self.usual: self.fields[self.usual].error_messages["required"]}, code="required")
        if len(given) != 1:
            raise ValidationError(
                self.default_error_messages["one_proof"] % {"names": ", ".join(self.proofs)}, code="one_proof"
            )
        if given[0] in ("code", "credential"):
            attrs["proof"] = attrs.pop(given[0])
        return attrs


class SecondStepInput(_OneProof):
    proofs = ("code", "credential")
    usual = "code"

    two_factor_token = CharField(max_length=200)
    code = CodeField(required=False, help_text="Six digits of the authenticator app, or a recovery code.")
    credential = KeyInput(required=False, help_text="A passkey's answer to `POST /api/auth/login/2fa/passkey`.")


class ChallengeTokenInput(Serializer):
    two_factor_token = CharField(max_length=200)


class StepUpInput(_OneProof):
    """One of three: a code or a passkey once a second factor is on, the password before."""

    proofs = ("password", "code", "credential")

    password = PasswordField(required=False)
    code = CodeField(required=False)
    credential = KeyInput(required=False, help_text="A passkey's answer to `POST /api/auth/step-up/passkey`.")


class PasskeyLoginInput(Serializer):
    credential = KeyInput()


class PasskeyNameInput(Serializer):
    name = NameField()


class NewPasskeyInput(Serializer):
    credential = NewKeyInput()
    name = NameField(
        required=False, allow_blank=True, help_text="How the person will know it again; empty: the device's name."
    )


class PasskeyQuestion(Serializer):
    """For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get()`."""

    publicKey = DictField(help_text="PublicKeyCredentialRequestOptionsJSON, good for five minutes.")


class NewPasskeyQuestion(Serializer):
    """For `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create()`."""

    publicKey = DictField(help_text="PublicKeyCredentialCreationOptionsJSON, good for five minutes.")


class PasskeyOutput(Serializer):
    id = UUIDField()
    name = CharField()
    synced = BooleanField(source="backed_up", help_text="Whether a password manager carries it to other devices.")
    created_at = DateTimeField()
    last_used_at = DateTimeField(allow_null=True)


class NewPasskeyOutput(PasskeyOutput):
    recovery_codes = ListField(
        child=CharField(),
        allow_null=True,
        help_text="With the first second factor: ten codes, shown this once. Else null.",
    )


class CodeInput(Serializer):
    code = CodeField()


class OAuthCodeInput(Serializer):
    code = CharField(max_length=200)


class LinkInput(Serializer):
    platform = ChoiceField(Platform.choices)
    token = CharField(max_length=16_384, help_text="The ID token that the provider gave to the client.")
    nonce = CharField(max_length=300, required=False, help_text="If the client sent one, to be compared.")


class IdentityOutput(Serializer):
    platform = CharField()
    linked = BooleanField(help_text="Always true.")
    email = CharField(help_text="As the provider told it when it was linked.", allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"platform": instance.platform, "linked": True, "email": instance.email or None}


class IdentitiesOutput(Serializer):
    password = BooleanField(help_text="Whether the account has a password.")
    items = IdentityOutput(many=True)


class ForgotPasswordInput(Serializer):
    email = AddressField()


class ResetPasswordInput(Serializer):
    token = CharField(max_length=200)
    password = PasswordField()


class ChangePasswordInput(Serializer):
    current_password = PasswordField()
    new_password = PasswordField()


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


class ChallengeOutput(Serializer):
    """The first step was right; `POST /api/auth/login/2fa` with the token and a proof ends the login."""

    two_factor_required = BooleanField(help_text="Always true.")
    two_factor_token = CharField()
    methods = ListField(child=ChoiceField(["passkey", "totp", "recovery_code"]))
    expires_in = IntegerField(help_text="Seconds until `twoFactorToken` expires.")


class RefreshOutput(Serializer):
    token = CharField()
    refresh_token = CharField()
    expires_in = IntegerField()


class SessionOutput(Serializer):
    id = UUIDField()
    device = DeviceField(help_text="In words, such as `Firefox on Linux`.")
    ip = CharField(source="address", allow_null=True)
    created_at = DateTimeField()
    last_seen_at = DateTimeField()
    current = BooleanField()


class LoginAttemptOutput(Serializer):
    id = UUIDField()
    at = DateTimeField(source="created_at")
    ip = CharField(source="address", allow_null=True)
    device = DeviceField(help_text="In words, such as `Firefox on Linux`.")
    method = CharField(
        help_text="`password`, `password+totp`, `passkey`, `google`, `registration`, `password_reset`, `admin` …"
    )
    success = BooleanField()
    reason = CharField(help_text="The code of the refusal; null for a sign-in.", allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**super().to_representation(instance), "reason": instance.reason or None}


class EnrolmentOutput(Serializer):
    secret = CharField(help_text="Base32, for typing.")
    otpauth_url = CharField()
    qr_code = CharField(help_text="A data URL of a PNG.")


class TwoFactorOutput(Serializer):
    two_factor_enabled = BooleanField()


class RecoveryCodesOutput(TwoFactorOutput):
    recovery_codes = ListField(child=CharField(), help_text="Ten codes, shown this once.")


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
