"""What clients see of the chat, by REST and by socket."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta
from msgspec.structs import replace

from accounts.outputs.people import UserCard
from chat.models import Conversation, Member
from core.api.outputs import Count, Moment, Output, Url
from core.realtime.frames import Ack, Frame
from uploads.models import StoredFile
from uploads.services import make_link

LINK_LIFETIME = timedelta(minutes=15)
"""Of a picture's link; reading the message again gives a new one."""
EXCERPT = 200

Hidden = Annotated[
    bool,
    Meta(description="One of us blocks the other: its place is kept, without sender and content."),
]
Moderated = Annotated[
    Literal["hidden"] | None,
    Meta(description="`hidden`: moderators took its content away, for everybody; its place and its sender are kept."),
]
Seq = Annotated[Count, Meta(description="Grows by one from message to message of a conversation, without gaps.")]


class PictureOutput(Output):
    id: UUID
    url: Annotated[
        Url, Meta(description="Opens without a token until `expiresAt`; read the message again for a new one.")
    ]
    expires_at: Moment
    type: Annotated[str, Meta(description="The content type, such as `image/jpeg`.")]
    width: int | None
    height: int | None
    alt: str

    @classmethod
    def of(cls, stored: StoredFile, now: datetime) -> Self:
        """
        A picture with a link. It opens for whoever holds it, since a frame goes to everybody in the conversation;
        reading the message was the access check.
        """
        link = make_link(stored.pk, viewer_id=None, now=now, lifetime=LINK_LIFETIME)
        return cls(
            id=stored.pk,
            url=link.url,
            expires_at=link.expires_at,
            type=stored.content_type,
            width=stored.width,
            height=stored.height,
            alt="",
        )


class ReplyTo(Output):
    """The message that another one answers."""

    id: UUID
    seq: Seq
    sender: UserCard | None
    content: Annotated[str, Meta(description=f"The first {EXCERPT} characters.")]
    deleted_at: Moment | None
    hidden: Hidden = False
    moderation: Moderated = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any], message_id: UUID, prefix: str = "") -> Self:
        reply = cls(
            id=message_id,
            seq=row[f"{prefix}seq"],
            sender=UserCard.of_row(row, f"{prefix}sender"),
            content=row[f"{prefix}content"][:EXCERPT],
            deleted_at=row[f"{prefix}deleted_at"],
        )
        return reply.taken_away() if row[f"{prefix}hidden_at"] else reply

    def taken_away(self) -> Self:
        """As everybody sees it while moderators hide it."""
        return replace(self, content="", moderation="hidden")

    def concealed(self) -> Self:
        return replace(self, sender=None, content="", deleted_at=None, hidden=True, moderation=None)


class MessageOutput(Output):
    id: UUID
    conversation_id: UUID
    seq: Seq
    sender: UserCard | None
    content: str
    media: list[PictureOutput]
    reply_to: ReplyTo | None
    client_id: UUID | None
    created_at: Moment
    edited_at: Moment | None
    deleted_at: Moment | None
    hidden: Hidden = False
    moderation: Moderated = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any], media: list[PictureOutput]) -> Self:
        """From a row of `MESSAGE_COLUMNS`."""
        message = cls(
            id=row["id"],
            conversation_id=row["conversation_id"],
            seq=row["seq"],
            sender=UserCard.of_row(row, "sender"),
            content=row["content"],
            media=media,
            reply_to=ReplyTo.of_row(row, row["reply_to_id"], "reply_to__") if row["reply_to_id"] else None,
            client_id=row["client_id"],
            created_at=row["created_at"],
            edited_at=row["edited_at"],
            deleted_at=row["deleted_at"],
        )
        return message.taken_away() if row["hidden_at"] else message

    def taken_away(self) -> Self:
        """As everybody sees it while moderators hide it."""
        return replace(self, content="", media=[], reply_to=None, moderation="hidden")

    def without(self, hidden: Collection[UUID]) -> Self:
        """As somebody sees it from whom these people are hidden: of their messages only the place is left."""
        if self.sender is not None and self.sender.id in hidden:
            return self.concealed()
        if self.reply_to and self.reply_to.sender and self.reply_to.sender.id in hidden:
            return replace(self, reply_to=self.reply_to.concealed())
        return self

    def concealed(self) -> Self:
        return replace(
            self,
            sender=None,
            content="",
            media=[],
            reply_to=None,
            client_id=None,
            edited_at=None,
            deleted_at=None,
            hidden=True,
            moderation=None,
        )

    @property
    def people(self) -> set[UUID]:
        """Whose words it shows."""
        cards = (self.sender, self.reply_to.sender if self.reply_to else None)
        return {card.id for card in cards if card is not None}


class ConversationCard(Output):
    """A conversation in a list."""

    id: UUID
    type: Conversation.Type
    title: str | None
    participants: Annotated[list[UserCard], Meta(description="In lists at most the first 20.")]
    participant_count: Count
    last_message: MessageOutput | None
    last_seq: Count
    unread_count: Count
    muted: bool
    updated_at: Moment

    @classmethod
    def of(
        cls,
        member: Member,
        *,
        participants: list[UserCard],
        participant_count: int,
        last_message: MessageOutput | None,
        hidden_unread: int,
    ) -> Self:
        """
        As this member sees it.

        :param hidden_unread: how many messages behind the member's mark are of people hidden from them
        """
        conversation = member.conversation
        return cls(
            id=conversation.pk,
            type=Conversation.Type(conversation.type),
            title=conversation.title or None,
            participants=participants,
            participant_count=participant_count,
            last_message=last_message,
            last_seq=conversation.last_seq,
            unread_count=conversation.last_seq - member.last_read_seq - hidden_unread,
            muted=member.muted,
            updated_at=conversation.active_at,
        )


class MemberOutput(Output):
    user: UserCard
    role: Member.Role
    last_read_seq: Annotated[Count, Meta(description="How far this person has read.")]


class ConversationOutput(ConversationCard):
    """One conversation with everybody in it."""

    members: list[MemberOutput]


# --- Frames of the socket ---------------------------------------------------------------------------------------------


class MessageAck(Ack):
    """The message was sent, now or before under the same `clientId`."""

    message: MessageOutput


class ReadAck(Ack):
    """The mark was moved."""

    seq: Annotated[Count, Meta(description="Where the mark is now.")]


class MessageFrame(Frame, tag="chat.message"):
    """A new message, to everybody in the conversation, the sender's devices included; in order of `seq`."""

    message: MessageOutput


class MessageModeratedFrame(Frame, tag="chat.message_moderated"):
    """
    Moderators hid a message, or show it again; to everybody in the conversation. It belongs to no order: put the
    message in the place of the one with its `seq`, and of what replies show of it.
    """

    message: MessageOutput


def audiences(
    message: MessageOutput,
    users: Sequence[UUID],
    hidden: Mapping[UUID, Collection[UUID]],
    frame: type[MessageFrame] | type[MessageModeratedFrame] = MessageFrame,
) -> dict[str, Any]:
    """
    Who gets which frame of a message: the arguments `users`, `frame` and `others` of `publish`.

    :param hidden: who is hidden from each of the users
    """
    parts: defaultdict[frozenset[UUID], list[UUID]] = defaultdict(list)
    for user in users:
        parts[frozenset(hidden.get(user, ()))].append(user)
    whole = parts.pop(frozenset(), [])
    others = [(some, frame(message=message.without(who))) for who, some in parts.items()]
    return {"users": whole, "frame": frame(message=message), "others": others}


class ReadFrame(Frame, tag="chat.read"):
    """Somebody has read up to `seq`; to everybody in the conversation."""

    conversation_id: UUID
    user_id: UUID
    seq: Count


class TypingFrame(Frame, tag="chat.typing"):
    """Somebody began or stopped writing; to the others. Take it as ended after 10 seconds without news."""

    conversation_id: UUID
    user_id: UUID
    is_typing: bool


class AccessRevokedFrame(Frame, tag="access_revoked"):
    """This person is not (any more) in the conversation; forget it."""

    conversation_id: UUID


class ResyncRequiredFrame(Frame, tag="resync_required"):
    """Too much is lacking for a `resume`; read the messages of this conversation again over REST."""

    conversation_id: UUID
