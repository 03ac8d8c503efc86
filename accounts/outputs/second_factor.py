"""What setting up the second factor answers."""

from rest_framework.fields import (
    BooleanField,
    CharField,
    ListField,
)

from core.api.serializers import Serializer


class EnrolmentOutput(Serializer):
    secret = CharField(help_text="Base32, for typing.")
    otpauth_url = CharField()
    qr_code = CharField(help_text="A data URL of a PNG.")


class TwoFactorOutput(Serializer):
    two_factor_enabled = BooleanField()


class RecoveryCodesOutput(TwoFactorOutput):
    recovery_codes = ListField(child=CharField(), help_text="Ten codes, shown this once.")
