"""What clients send about comments."""

from core.api.serializers import ProseField, Serializer

MOST_CHARACTERS = 2000


class CommentInput(Serializer):
    content = ProseField(max_length=MOST_CHARACTERS)
