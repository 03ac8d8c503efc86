"""What a browser's passkey answers, and what clients send about passkeys."""

from rest_framework.fields import (
    CharField,
    ChoiceField,
    ListField,
)

from accounts.inputs.fields import NameField, PackedField
from core.api.serializers import Serializer


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


class PasskeyNameInput(Serializer):
    name = NameField()


class NewPasskeyInput(Serializer):
    credential = NewKeyInput()
    name = NameField(
        required=False, allow_blank=True, help_text="How the person will know it again; empty: the device's name."
    )
