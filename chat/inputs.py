"""What clients send to the chat, by REST and by socket."""

from rest_framework.serializers import (
    BooleanField,
    ChoiceField,
    FileField,
    IntegerField,
    ListField,
)

from chat.models import Conversation
from core.api.serializers import IdField, LineField, ProseField, Serializer

MAX_CHARACTERS = 8000


MAX_MEDIA = 5


LARGEST_SEQ = 2**63 - 1


class ConversationInput(Serializer):
    participants = ListField(child=IdField(), min_length=1, max_length=256)
    type = ChoiceField(choices=Conversation.Type.choices)
    title = LineField(max_length=120, required=False, allow_blank=True, default="")


class MessageInput(Serializer):
    content = ProseField(max_length=MAX_CHARACTERS, required=False, allow_blank=True, default="", trim_whitespace=False)
    media = ListField(
        child=FileField(), max_length=MAX_MEDIA, required=False, default=list, help_text="Pictures, as multipart."
    )
    client_id = IdField(required=False, default=None)
    reply_to_id = IdField(required=False, default=None)


class MessagesQuery(Serializer):
    before_seq = IntegerField(
        required=False, min_value=0, max_value=LARGEST_SEQ, help_text="Only messages before this one."
    )
    after_seq = IntegerField(
        required=False, min_value=0, max_value=LARGEST_SEQ, help_text="Only messages after this one."
    )


class ReadInput(Serializer):
    seq = IntegerField(required=False, default=None, min_value=0, max_value=LARGEST_SEQ)


class SendCommand(Serializer):
    conversation_id = IdField()
    client_id = IdField(required=False, default=None)
    content = ProseField(max_length=MAX_CHARACTERS, trim_whitespace=False)
    reply_to_id = IdField(required=False, default=None)


class ReadCommand(Serializer):
    conversation_id = IdField()
    seq = IntegerField(min_value=0, max_value=LARGEST_SEQ)


class TypingCommand(Serializer):
    conversation_id = IdField()
    is_typing = BooleanField()
