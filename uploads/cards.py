from typing import Any

from rest_framework import serializers

from core.api.serializers import Serializer
from uploads.models import StoredFile
from uploads.selectors import media_url


class MediaCard(Serializer):
    """A public picture inside another answer."""

    id = serializers.UUIDField()
    url = serializers.URLField()
    type = serializers.CharField(help_text="The content type, such as `image/jpeg`.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)


def media_card(stored: StoredFile) -> dict[str, Any]:
    return {
        "id": str(stored.pk),
        "url": media_url(stored.storage_name),
        "type": stored.content_type,
        "width": stored.width,
        "height": stored.height,
    }
