"""What a browser is asked about passkeys, and the passkeys of a person."""

from rest_framework.fields import (
    BooleanField,
    CharField,
    DateTimeField,
    DictField,
    ListField,
    UUIDField,
)

from core.api.serializers import Serializer


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
