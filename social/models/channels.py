"""Channels: a few write, everybody may read, subscribers are told."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.relations import not_hidden_from
from core.models import Entity
from social.permissions import MODERATE


class ChannelQuerySet(models.QuerySet["Channel"]):
    def visible_to(self, viewer: Any) -> Self:
        """All but those that moderation hid, and those of owners who are hidden from the person by a block."""
        if MODERATE.held_by(viewer):
            return self
        return self.filter(not_hidden_from(viewer.pk, "owner_id"), hidden_at__isnull=True)


class Channel(Entity):
    """Its owner and editors post; everybody may read what is not for subscribers only."""

    lock_level: ClassVar = 74

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, editable=False)
    """The name as the eye sees it (`social.names.small_form`)."""
    capitals_key = models.CharField(max_length=200, null=True, editable=False)
    """The same in capitals (`social.names.capital_form`)."""
    description = models.TextField(max_length=5000, default="", blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="channels")
    cover_image = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    profile_image = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    banner = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    subscriber_count = models.PositiveIntegerField(default=0)
    """How many `ChannelMember` rows there are, editors and the owner included; changed under this row's lock."""
    hidden_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ChannelQuerySet] = ChannelQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name_key"], name="channel_name_looks_like_no_other"),
            models.UniqueConstraint(fields=["capitals_key"], name="channel_capitals_look_like_no_others"),
        ]
        indexes = [models.Index(fields=["-subscriber_count", "-id"], name="channel_by_size")]

    def __str__(self) -> str:
        return self.name


class ChannelMember(Entity):
    """A subscription; owner and editors have one too."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        SUBSCRIBER = "subscriber"

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.SUBSCRIBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "user"], name="person_subscribes_to_a_channel_once"),
            models.UniqueConstraint(fields=["channel"], condition=Q(role="owner"), name="channel_has_one_owner"),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="subscription_by_user"),
            models.Index(fields=["channel", "-id"], name="subscription_by_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.channel_id}"


WRITERS = (ChannelMember.Role.OWNER, ChannelMember.Role.EDITOR)
"""Who posts in a channel and pins its posts."""
MAX_PINS = 3


class ChannelPin(Entity):
    """A post at the top of its channel: three at most, shown in the order of their ids, as they were pinned."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="pins", db_index=False)
    post = models.OneToOneField("social.Post", on_delete=models.CASCADE, related_name="pin")
    place = models.PositiveSmallIntegerField()
    """Which of the three places it takes: that there are no more than three is the table's own rule."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "place"], name="channel_pin_has_its_own_place"),
            models.CheckConstraint(
                condition=Q(place__gte=1, place__lte=MAX_PINS), name="channel_has_at_most_three_pins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} in {self.channel_id}"
