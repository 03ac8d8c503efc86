"""What clients send about ads."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from rest_framework.fields import CharField, FileField, IntegerField

from accounts.inputs.fields import LinkField
from core.api.serializers import LineField, MomentField, ProseField, Serializer
from social.models.ads import MAX_A_DAY

_PUBLIC_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+(?:xn--[a-z0-9-]+|[a-z]{2,})", re.ASCII)
_PRIVATE = re.compile(
    r"(?:.*\.)?(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|example|invalid|onion"
    r"|home\.arpa|in-addr\.arpa|ip6\.arpa)"
)


class TargetField(LinkField):
    """Where an ad leads: https, a public name and not an address, the usual port, nobody's credentials."""

    default_error_messages = {
        "not_a_public_address": _(
            "Use an address that starts with https:// and is public, such as https://example.com/."
        )
    }

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        parts = urlsplit(value)
        host = (parts.hostname or "").removesuffix(".")
        is_public = _PUBLIC_NAME.fullmatch(host) and not _PRIVATE.fullmatch(host)
        if parts.scheme != "https" or parts.port not in (None, 443) or not is_public:
            self.fail("not_a_public_address")
        return value


class AdInput(Serializer):
    title = LineField(max_length=80)
    body = ProseField(max_length=300, required=False, allow_blank=True, default="")
    target_url = TargetField(max_length=500)
    media = FileField()
    starts_at = MomentField()
    ends_at = MomentField()
    daily_cap = IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=MAX_A_DAY,
        help_text="The most impressions of a day (UTC); without a limit if absent.",
    )


class ClickInput(Serializer):
    token = CharField(max_length=300, help_text="The `clickToken` of the ad in the feed.")
