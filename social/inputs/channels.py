"""What clients send about channels."""

from rest_framework.fields import BooleanField, FileField

from core.api.serializers import IdField, LineField, ProseField, Serializer
from social.inputs.groups import MAX_CHARACTERS


class ChannelInput(Serializer):
    name = LineField(max_length=100)
    description = ProseField(max_length=MAX_CHARACTERS, required=False, allow_blank=True)
    cover_image = FileField(required=False)
    profile_image = FileField(required=False)
    banner = FileField(required=False)


class ChannelQuery(Serializer):
    subscribed = BooleanField(required=False, help_text="Only those that I subscribe to.")


class OwnerInput(Serializer):
    user_id = IdField()
