"""What clients see of the chat, by REST and by socket."""

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    IntegerField,
    URLField,
    UUIDField,
)

from accounts.outputs.people import UserCard
from chat.models import Conversation, Member
from core.api.openapi import OutputField
from core.api.serializers import Serializer


class PictureOutput(Serializer):
    id = UUIDField()
    url = URLField(help_text="Opens without a token until `expiresAt`; read the message again for a new one.")
    expires_at = DateTimeField()
    type = CharField()
    width = IntegerField()
    height = IntegerField()
    alt = CharField()


class ReplyTo(Serializer):
    id = UUIDField()
    seq = IntegerField()
    sender = OutputField(UserCard)
    content = CharField(help_text="The first 200 characters.")
    deleted_at = DateTimeField(allow_null=True)


class MessageOutput(Serializer):
    id = UUIDField()
    conversation_id = UUIDField()
    seq = IntegerField(help_text="Grows by one from message to message of a conversation, without gaps.")
    sender = OutputField(UserCard)
    content = CharField()
    media = PictureOutput(many=True)
    reply_to = ReplyTo(allow_null=True)
    client_id = UUIDField(allow_null=True)
    created_at = DateTimeField()
    edited_at = DateTimeField(allow_null=True)
    deleted_at = DateTimeField(allow_null=True)


class ConversationCard(Serializer):
    id = UUIDField()
    type = ChoiceField(choices=Conversation.Type.choices)
    title = CharField(allow_null=True)
    participants = OutputField(list[UserCard], help_text="In lists at most the first 20.")
    participant_count = IntegerField()
    last_message = MessageOutput(allow_null=True)
    last_seq = IntegerField()
    unread_count = IntegerField()
    muted = BooleanField()
    updated_at = DateTimeField()


class MemberOutput(Serializer):
    user = OutputField(UserCard)
    role = ChoiceField(choices=Member.Role.choices)
    last_read_seq = IntegerField()


class ConversationOutput(ConversationCard):
    members = MemberOutput(many=True)


class MessageAck(Serializer):
    message = MessageOutput()


class ReadAck(Serializer):
    seq = IntegerField(help_text="Where the mark is now.")


class MessageAnnounced(Serializer):
    """A new message, to everybody in the conversation, the sender's devices included; in order of `seq`."""

    message = MessageOutput()


class ReadAnnounced(Serializer):
    """Somebody has read up to `seq`; to everybody in the conversation."""

    conversation_id = UUIDField()
    user_id = UUIDField()
    seq = IntegerField()


class TypingAnnounced(Serializer):
    """Somebody began or stopped writing; to the others. Take it as ended after 10 seconds without news."""

    conversation_id = UUIDField()
    user_id = UUIDField()
    is_typing = BooleanField()


class AccessRevoked(Serializer):
    """This person is not (any more) in the conversation; forget it."""

    conversation_id = UUIDField()


class ResyncRequired(Serializer):
    """Too much is lacking for a `resume`; read the messages of this conversation again over REST."""

    conversation_id = UUIDField()
