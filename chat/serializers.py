"""Bodies and frames, in and out. Answers are shaped by `selectors`; the …Output classes here describe them."""

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    FileField,
    IntegerField,
    ListField,
    URLField,
    UUIDField,
)

from accounts.outputs.people import UserCard
from chat.models import Conversation, Member
from core.api.serializers import IdField, LineField, ProseField, Serializer

MOST_CHARACTERS = 8000
MOST_MEDIA = 5
LARGEST_SEQ = 2**63 - 1


class ConversationInput(Serializer):
    participants = ListField(child=IdField(), min_length=1, max_length=256)
    type = ChoiceField(choices=Conversation.Type.choices)
    title = LineField(max_length=120, required=False, allow_blank=True, default="")


class MessageInput(Serializer):
    content = ProseField(
        max_length=MOST_CHARACTERS, required=False, allow_blank=True, default="", trim_whitespace=False
    )
    media = ListField(
        child=FileField(), max_length=MOST_MEDIA, required=False, default=list, help_text="Pictures, as multipart."
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


class SendFrame(Serializer):
    conversation_id = IdField()
    client_id = IdField(required=False, default=None)
    content = ProseField(max_length=MOST_CHARACTERS, trim_whitespace=False)
    reply_to_id = IdField(required=False, default=None)


class ReadFrame(Serializer):
    conversation_id = IdField()
    seq = IntegerField(min_value=0, max_value=LARGEST_SEQ)


class TypingFrame(Serializer):
    conversation_id = IdField()
    is_typing = BooleanField()


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
    sender = UserCard()
    content = CharField(help_text="The first 200 characters.")
    deleted_at = DateTimeField(allow_null=True)


class MessageOutput(Serializer):
    id = UUIDField()
    conversation_id = UUIDField()
    seq = IntegerField(help_text="Grows by one from message to message of a conversation, without gaps.")
    sender = UserCard()
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
    participants = UserCard(many=True, help_text="In lists at most the first 20.")
    participant_count = IntegerField()
    last_message = MessageOutput(allow_null=True)
    last_seq = IntegerField()
    unread_count = IntegerField()
    muted = BooleanField()
    updated_at = DateTimeField()


class MemberOutput(Serializer):
    user = UserCard()
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
