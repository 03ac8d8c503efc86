"""What clients send about people they mute."""

from core.api.serializers import MomentField, Serializer


class MuteInput(Serializer):
    until = MomentField(required=False, default=None, help_text="When the mute ends; left out, it has no end.")
