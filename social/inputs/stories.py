"""What clients send about stories."""

from rest_framework.fields import FileField

from core.api.serializers import ProseField, Serializer


class StoryInput(Serializer):
    media = FileField(help_text="One picture, or a video of at most 60 seconds.")
    caption = ProseField(max_length=500, required=False, allow_blank=True, default="")
