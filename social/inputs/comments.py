"""What clients send about comments."""

from core.api.serializers import ProseField, Serializer

MAX_CHARACTERS = 2000


class CommentInput(Serializer):
    content = ProseField(max_length=MAX_CHARACTERS)
