"""Conversations, their members, how far each has read, and messages."""

from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import Entity


class Conversation(Entity):
    """
    Two people (`direct`, one per pair) or an audience (`group`).

    `last_seq` is the number of the newest message; it moves under the row's lock in the message's own transaction,
    which is what keeps the sequence without gaps.
    """

    class Type(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"

    type = models.CharField(max_length=6, choices=Type)
    title = models.CharField(max_length=120, default="", blank=True)
    direct_key = models.CharField(max_length=65, null=True, blank=True)
    """Both people's ids in order: a pair has one direct conversation. Null for groups."""
    last_seq = models.BigIntegerField(default=0)
    is_blocked = models.BooleanField(default=False, db_default=False)
    """Of a direct one: either blocks the other, so it is not there for both. Kept by `services.blocking`."""
    active_at = models.DateTimeField()
    """When the last message came, or the beginning: what lists are ordered by."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["direct_key"], name="pair_has_one_direct_conversation"),
            models.CheckConstraint(
                condition=Q(type="direct", direct_key__isnull=False) | Q(type="group", direct_key__isnull=True),
                name="direct_conversation_names_its_pair",
            ),
            models.CheckConstraint(condition=Q(type="direct") | Q(is_blocked=False), name="only_a_pair_is_blocked"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"

    @property
    def stream(self) -> str:
        """Its name for the hub."""
        return stream_of(self.pk)


def stream_of(conversation_id: UUID | str) -> str:
    return f"chat:{conversation_id}"


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, user: Any) -> Self:
        """
        A person's memberships of conversations that they see: one they deleted is hidden until its next message, a
        direct one while either blocks the other.
        """
        return self.not_deleted_by(user).filter(conversation__is_blocked=False)

    def not_deleted_by(self, user: Any) -> Self:
        """The same, and those that only a block hides."""
        there = Q(gone_at_seq__isnull=True) | Q(conversation__last_seq__gt=F("gone_at_seq"))
        return self.filter(there, user=user)


class Member(Entity):
    """A person's membership of a conversation."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MEMBER = "member"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=6, choices=Role, default=Role.MEMBER)
    last_read_seq = models.BigIntegerField(default=0)
    """Whoever writes has read what came before, so `last_seq - last_read_seq` never counts one's own messages."""
    muted = models.BooleanField(default=False)
    cleared_seq = models.BigIntegerField(default=0)
    """Messages up to here are gone for this person."""
    gone_at_seq = models.BigIntegerField(null=True, blank=True)
    """Set when the person deletes the conversation: it is hidden until a message follows this one."""

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "user"], name="person_is_in_a_conversation_once"),
        ]
        indexes = [models.Index(fields=["user", "conversation"], name="chat_member_by_user")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    def seen_by(self, member: Member) -> Self:
        """What is there for this member; messages of people hidden from them are, without their content."""
        return self.filter(conversation=member.conversation_id, seq__gt=member.cleared_seq)


class Message(Entity):
    """One message. Its `seq` says where it stands; rows are never removed one by one, so the sequence has no gaps."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(null=True, blank=True)
    """The client's own name for it: sent again, over whichever way, it is the same message."""
    content = models.TextField(blank=True)
    reply_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    """When moderation hid it: everybody sees its place and its sender, and nobody its content."""

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_has_its_own_place"),
            models.UniqueConstraint(
                fields=["conversation", "sender", "client_id"],
                condition=Q(client_id__isnull=False),
                name="message_is_sent_once",
            ),
            models.CheckConstraint(condition=Q(seq__gte=1), name="message_place_starts_at_one"),
        ]

    def __str__(self) -> str:
        return f"#{self.seq} of {self.conversation_id}"


class Attachment(models.Model):
    """A picture of a message, in its order. The file is private: a link is made for whoever may read the message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    file = models.ForeignKey("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="attachment_has_its_own_place"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.message_id}"
