"""Signed-in devices and the login history."""

from typing import Any

from rest_framework.fields import (
    BooleanField,
    CharField,
    DateTimeField,
    UUIDField,
)

from accounts.inputs.fields import DeviceField
from core.api.serializers import Serializer


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
