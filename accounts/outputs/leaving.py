"""Exports and the end of an account."""

from rest_framework.fields import CharField, DateTimeField, UUIDField

from core.api.serializers import Serializer


class ExportOutput(Serializer):
    id = UUIDField()
    status = CharField(help_text="`pending`, `ready` or `expired`.")
    link = CharField(allow_null=True, help_text="The archive, for five minutes; ask again for another link.")
    created_at = DateTimeField()
    expires_at = DateTimeField(allow_null=True)


class LeavingOutput(Serializer):
    message = CharField()
    deletion_due_at = DateTimeField(help_text="Until then signing in keeps the account.")
