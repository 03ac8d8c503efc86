"""Identities at other companies."""

from typing import Any

from rest_framework.fields import (
    BooleanField,
    CharField,
)

from core.api.serializers import Serializer


class IdentityOutput(Serializer):
    platform = CharField()
    linked = BooleanField(help_text="Always true.")
    email = CharField(help_text="As the provider told it when it was linked.", allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"platform": instance.platform, "linked": True, "email": instance.email or None}


class IdentitiesOutput(Serializer):
    password = BooleanField(help_text="Whether the account has a password.")
    items = IdentityOutput(many=True)
