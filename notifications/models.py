"""Recipients and their preferences, inbox entries, and the development mailbox."""

from typing import Self
from uuid import UUID

from django.db import models

from core.models import Entity


class Recipient(models.Model):
    """
    The addresses and preferences of one person. `accounts` writes them through `services.recipients`.

    The switches carry the names of `/api/profile/notifications`; what they mean for each message is in `messages.py`.
    """

    user_id = models.UUIDField(primary_key=True)
    """The account's id. No foreign key: `accounts` is an upper app."""
    email_address = models.EmailField(max_length=254)
    email_verified = models.BooleanField(default=False)
    phone_number = models.CharField(max_length=16, default="", blank=True)
    first_name = models.CharField(max_length=80, default="", blank=True)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=50, default="UTC")
    """A name of the IANA database, such as `Europe/Berlin`; the person sets it beside the quiet hours."""
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    """Local times between which no mail or SMS leaves, but for those about the safety of the account."""

    email = models.BooleanField(default=True)
    sms = models.BooleanField(default=False)
    push = models.BooleanField(default=True)
    login_alerts = models.BooleanField(default=True)
    investment_updates = models.BooleanField(default=True)
    campaign_updates = models.BooleanField(default=True)
    social_interactions = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_two_ends",
            )
        ]

    def __str__(self) -> str:
        return str(self.user_id)


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, user_id: UUID) -> Self:
        return self.filter(user_id=user_id)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


class Notification(Entity):
    """One entry of a person's inbox. Its words are fixed when it is written, in the person's language."""

    user_id = models.UUIDField()
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    body = models.TextField()
    data = models.JSONField(default=dict)
    """The facts for a client to act on, under camelCase names: ids, amounts as text."""
    event_id = models.UUIDField()
    """What the entry is about (`core.models.Event`); the last event of a group."""
    actor_id = models.UUIDField(null=True, blank=True)
    """The person who did it. Null for the platform, and for the several of a group (`NoticeItem`)."""
    group_key = models.UUIDField(null=True, blank=True)
    """The same for every entry that shows one group; there is one of them at a time."""
    supersedes = models.UUIDField(null=True, blank=True)
    """The id of the entry that showed the group before and is gone."""
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user_id", "-id"], name="notification_inbox"),
            models.Index(fields=["user_id"], condition=models.Q(read_at__isnull=True), name="notification_unread"),
            models.Index(
                fields=["actor_id", "user_id"], condition=models.Q(actor_id__isnull=False), name="notification_by_actor"
            ),
            models.Index(
                fields=["group_key"], condition=models.Q(group_key__isnull=False), name="notification_of_group"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event_id", "user_id", "kind"], name="one_notification_per_event_and_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class NoticeGroup(Entity):
    """
    What people do about one thing, for one recipient, and the entry that shows it. Changes under the recipient's lock.

    A group that was read, or whose window is over, is followed by the next `generation`, with an entry of its own.
    """

    user_id = models.UUIDField()
    kind = models.CharField(max_length=60)
    about = models.CharField(max_length=200, blank=True)
    """The values of the message's `group`."""
    generation = models.PositiveIntegerField(default=0)
    entry_id = models.UUIDField(null=True, blank=True)
    """The notification that shows this generation, if it is there still."""
    opened_at = models.DateTimeField(null=True, blank=True)
    """When this generation began."""
    shown_at = models.DateTimeField(null=True, blank=True)
    """When its entry was written last."""
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_id", "kind", "about"], name="notice_group_is_one_per_subject"),
        ]
        indexes = [models.Index(fields=["created_at"], name="notice_group_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


class NoticeItem(models.Model):
    """One act of a group: who did it, and whether it still counts."""

    group = models.ForeignKey(NoticeGroup, on_delete=models.CASCADE, related_name="items", db_index=False)
    user_id = models.UUIDField()
    """The group's recipient."""
    actor_id = models.UUIDField()
    item = models.CharField(max_length=200)
    """What it is called: the value of the message's `item`, or the actor's id."""
    event_id = models.UUIDField()
    """The last event about it. An older one that is delivered late, or again, changes nothing."""
    data = models.JSONField(default=dict)
    """Its facts, as clients get them; an entry has those of its last act."""
    done_at = models.DateTimeField()
    withdrawn = models.BooleanField(default=False)
    generation = models.PositiveIntegerField(null=True, blank=True)
    """Of the group that counts it; null while it waits to be shown."""
    told_at = models.DateTimeField(null=True, blank=True)
    """When the recipient was notified of it."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "item"], name="notice_item_counts_once")]
        indexes = [
            models.Index(fields=["group", "generation"], name="notice_item_of_generation"),
            models.Index(fields=["actor_id", "user_id"], name="notice_item_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.item} of {self.group_id}"


class SilencedAddress(models.Model):
    """An address without an account that wants no invitations any more; kept as a keyed fingerprint."""

    fingerprint = models.BinaryField(primary_key=True, max_length=32)
    created_at = models.DateTimeField()


class MailboxMessage(models.Model):
    """A mail or SMS that development kept instead of sending. Its content is sealed: mails carry tokens."""

    class Channel(models.TextChoices):
        MAIL = "mail", "Mail"
        SMS = "sms", "SMS"

    id = models.UUIDField(primary_key=True)
    """The outbox event's id, so that a repeated delivery is one message."""
    created_at = models.DateTimeField()
    channel = models.CharField(max_length=4, choices=Channel)
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=300, default="", blank=True)
    content = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["to", "-created_at"], name="mailbox_by_address")]

    def __str__(self) -> str:
        return f"{self.channel} to {self.to}"
