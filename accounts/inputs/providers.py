"""What clients send after Google or LinkedIn."""

from rest_framework.fields import (
    CharField,
    ChoiceField,
)

from accounts.models import Platform
from core.api.serializers import Serializer


class OAuthCodeInput(Serializer):
    code = CharField(max_length=200)


class LinkInput(Serializer):
    platform = ChoiceField(Platform.choices)
    token = CharField(max_length=16_384, help_text="The ID token that the provider gave to the client.")
    nonce = CharField(max_length=300, required=False, help_text="If the client sent one, to be compared.")
