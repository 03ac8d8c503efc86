"""What signing in and refreshing answer."""

from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    IntegerField,
    ListField,
)

from accounts.outputs.people import SignedInUser
from core.api.serializers import Serializer


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
