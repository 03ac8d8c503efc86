"""What clients see about notifications and preferences."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from core.api.openapi import Page
from core.api.serializers import Serializer
from notifications.inputs import QuietTimeField
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


class InboxOutput(Page):
    """A page of the inbox with the number of unread entries in all of it."""

    items = NotificationOutput(many=True)
    unread_count = serializers.IntegerField()


class UnreadOutput(Serializer):
    unread_count = serializers.IntegerField()


class PreferencesOutput(Serializer):
    email = serializers.BooleanField()
    sms = serializers.BooleanField()
    push = serializers.BooleanField()
    login_alerts = serializers.BooleanField()
    investment_updates = serializers.BooleanField()
    campaign_updates = serializers.BooleanField()
    social_interactions = serializers.BooleanField()
    quiet_from = QuietTimeField(help_text="Local time, `22:00`; mails and SMS wait until `quietUntil`.")
    quiet_until = QuietTimeField()
    time_zone = serializers.CharField()
