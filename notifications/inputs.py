"""What clients send about notifications and preferences."""

import re
from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import IdField, Serializer


class ReadAllInput(Serializer):
    up_to_id = IdField(required=False)


class TimeZoneField(serializers.CharField):
    """A name of the IANA time zone database."""

    default_error_messages = {"unknown_time_zone": _("Not a time zone of the IANA database, such as Europe/Berlin.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 50, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if value not in available_timezones():
            self.fail("unknown_time_zone")
        return value


_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}")


class QuietTimeField(serializers.TimeField):
    """Hours and minutes of the person's own clock; empty text clears them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"format": "%H:%M", "input_formats": ["%H:%M"], "allow_null": True, **kwargs})

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            self.fail("invalid", format="hh:mm")
        return super().to_internal_value(value)


class InboxQuery(Serializer):
    unread = serializers.BooleanField(required=False, help_text="Only those not read yet.")


class PreferencesInput(Serializer):
    """Any subset."""

    email = serializers.BooleanField(required=False)
    sms = serializers.BooleanField(required=False)
    push = serializers.BooleanField(required=False)
    login_alerts = serializers.BooleanField(required=False)
    investment_updates = serializers.BooleanField(required=False)
    campaign_updates = serializers.BooleanField(required=False)
    social_interactions = serializers.BooleanField(required=False)
    quiet_from = QuietTimeField(required=False)
    quiet_until = QuietTimeField(required=False)
    time_zone = TimeZoneField(required=False)
