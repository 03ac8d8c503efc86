from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from core.serializers import Serializer
from notifications.models import Notification


class NotificationOutput(Serializer):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # a field here, still `.data` outside
    read_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


def shown(entries: Iterable[Notification]) -> list[dict[str, Any]]:
    return list(NotificationOutput(entries, many=True).data)  # type: ignore[call-overload]


class InboxOutput(Serializer):
    """A page of the inbox with the number of unread entries in all of it."""

    items = NotificationOutput(many=True)
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(required=False)
    unread_count = serializers.IntegerField()


class UnreadOutput(Serializer):
    unread_count = serializers.IntegerField()


class ReadAllInput(Serializer):
    up_to_id = serializers.UUIDField(required=False, allow_null=True)


class PreferencesInput(Serializer):
    """Any subset."""

    email = serializers.BooleanField(required=False)
    sms = serializers.BooleanField(required=False)
    push = serializers.BooleanField(required=False)
    login_alerts = serializers.BooleanField(required=False)
    investment_updates = serializers.BooleanField(required=False)
    campaign_updates = serializers.BooleanField(required=False)
    social_interactions = serializers.BooleanField(required=False)


class PreferencesOutput(Serializer):
    email = serializers.BooleanField()
    sms = serializers.BooleanField()
    push = serializers.BooleanField()
    login_alerts = serializers.BooleanField()
    investment_updates = serializers.BooleanField()
    campaign_updates = serializers.BooleanField()
    social_interactions = serializers.BooleanField()
