"""What owners tell their backers while a campaign runs and after it."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from campaigns.models.backing import Backing
from campaigns.models.campaigns import Campaign
from campaigns.permissions import MODERATE
from core.models import Entity


class AuthorRole(models.TextChoices):
    """What somebody was to a campaign when they said something about it (17 CFR 227.303(c))."""

    FOUNDER = "founder"
    STAFF = "staff"
    INVESTOR = "investor"


class UpdateQuerySet(models.QuerySet["Update"]):
    def visible_to(self, person: Any, now: datetime) -> Self:
        """
        Of campaigns that the person may see, what they may read at `now`: the one rule of who reads an update, which
        `campaigns/sql/update_list.sql` has as well. A block between two people does not count: it is about their money.
        """
        there = self.filter(deleted_at=None)
        if person.pk is None:
            return there.filter(publish_at__lte=now, audience=Update.Audience.PUBLIC)
        backs = Exists(Backing.objects.filter(campaign=OuterRef("campaign"), backer=person.pk, committed_minor__gt=0))
        reads = Q() if MODERATE.held_by(person) else Q(audience=Update.Audience.PUBLIC) | backs
        return there.filter(Q(campaign__owner=person.pk) | Q(reads, publish_at__lte=now))


class Update(Entity):
    """Something that the owner of a campaign tells, to everybody or to its investors."""

    class Audience(models.TextChoices):
        PUBLIC = "public"
        INVESTORS = "investors"

    class Kind(models.TextChoices):
        UPDATE = "update"
        ANNUAL_REPORT = "annual_report"

    lock_level: ClassVar = 71

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="updates", db_index=False)
    kind = models.CharField(max_length=13, choices=Kind, default=Kind.UPDATE)
    audience = models.CharField(max_length=9, choices=Audience)
    author_role = models.CharField(max_length=8, choices=AuthorRole)
    """Computed when it was written."""
    title = models.CharField(max_length=120, default="", blank=True)
    content = models.TextField(max_length=20_000)
    publish_at = models.DateTimeField()
    """From when on others read it, by the clock; the moment of writing unless it was scheduled."""
    announced_at = models.DateTimeField(null=True, blank=True)
    """When its readers were notified."""
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    """Since when only staff read it."""

    objects: ClassVar[UpdateQuerySet] = UpdateQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(audience__in=["public", "investors"]), name="update_audience_is_known"),
            models.CheckConstraint(condition=Q(kind__in=["update", "annual_report"]), name="update_kind_is_known"),
            models.CheckConstraint(
                condition=~Q(kind="annual_report") | Q(audience="public"), name="annual_report_is_public"
            ),
            models.CheckConstraint(
                condition=Q(author_role__in=["founder", "staff", "investor"]), name="update_author_role_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "-publish_at", "-id"], condition=Q(deleted_at=None), name="update_by_campaign"
            ),
            models.Index(
                fields=["publish_at"], condition=Q(deleted_at=None, announced_at=None), name="update_to_announce"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.content[:80]


class UpdateMedia(Entity):
    """A picture of an update, in its place."""

    update = models.ForeignKey(Update, on_delete=models.CASCADE, related_name="media", db_index=False)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "update media"
        constraints = [models.UniqueConstraint(fields=["update", "position"], name="update_media_has_its_own_place")]

    def __str__(self) -> str:
        return f"{self.update_id} {self.position}"


class UpdateEdit(Entity):
    """What an update said before an edit, read by those who could read it then and see the update now."""

    update = models.ForeignKey(Update, on_delete=models.CASCADE, related_name="edits", db_index=False)
    title = models.CharField(max_length=120, default="", blank=True)
    content = models.TextField(max_length=20_000)
    audience = models.CharField(max_length=9, choices=Update.Audience)
    replaced_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["update", "-id"], name="update_edit_by_update")]

    def __str__(self) -> str:
        return f"{self.update_id} until {self.replaced_at}"
