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
    """What the entry is about (`core.models.Event`)."""
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user_id", "-id"], name="notification_inbox"),
            models.Index(fields=["user_id"], condition=models.Q(read_at__isnull=True), name="notification_unread"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event_id", "user_id", "kind"], name="one_notification_per_event_and_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


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
