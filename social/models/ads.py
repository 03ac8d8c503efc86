"""Ads in the feed, and how often they were seen on each day."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import Entity

MAX_A_DAY = 1_000_000


class AdQuerySet(models.QuerySet["Ad"]):
    def waiting(self) -> Self:
        return self.filter(status=Ad.Status.PENDING_REVIEW)


class Ad(Entity):
    """What somebody advertises: shown in feeds, labelled as an ad, once a moderator has approved it."""

    class Status(models.TextChoices):
        PENDING_REVIEW = "pending_review"
        APPROVED = "approved"
        REJECTED = "rejected"
        PAUSED = "paused"
        """Approved, and stopped by its advertiser."""
        ENDED = "ended"
        """By the clock (`status_at`); no row has it."""

    lock_level: ClassVar = 78

    advertiser = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ads", db_index=False
    )
    title = models.CharField(max_length=80)
    body = models.TextField(max_length=300, default="", blank=True)
    target_url = models.URLField(max_length=500)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    daily_cap = models.PositiveIntegerField(null=True, blank=True)
    """The most impressions of a day (UTC); without a limit if null."""
    status = models.CharField(max_length=14, choices=Status, default=Status.PENDING_REVIEW)
    revision = models.PositiveIntegerField(default=1)
    """Counts what was handed in for review, so that nobody approves what they have not seen."""
    reason = models.CharField(max_length=1000, default="", blank=True)
    """Why it was rejected, for the advertiser."""
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    """When moderation hid it: it is shown to nobody but its advertiser, whatever its status is."""

    objects: ClassVar[AdQuerySet] = AdQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending_review", "approved", "rejected", "paused"]), name="ad_status_is_known"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="ad_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(daily_cap__isnull=True) | Q(daily_cap__gte=1), name="ad_cap_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("advertiser")), name="nobody_reviews_their_own_ad"
            ),
        ]
        indexes = [
            models.Index(fields=["advertiser", "-id"], name="ad_by_advertiser"),
            models.Index(fields=["ends_at"], condition=Q(status="approved"), name="ad_running"),
            models.Index(fields=["id"], condition=Q(status="pending_review"), name="ad_waiting"),
        ]

    def __str__(self) -> str:
        return self.title

    def status_at(self, now: datetime) -> "Ad.Status":
        """What it is for clients: an approved or paused ad has ended once its time is over."""
        status = Ad.Status(self.status)
        is_over = now >= self.ends_at and status in (Ad.Status.APPROVED, Ad.Status.PAUSED)
        return Ad.Status.ENDED if is_over else status


class AdDay(models.Model):
    """How often an ad was seen and followed on a day (UTC). Of whom by, nothing is kept."""

    ad = models.ForeignKey(Ad, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    impressions = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ad", "day"], name="ad_has_a_day_once"),
            models.CheckConstraint(condition=Q(clicks__lte=F("impressions")), name="ad_is_followed_when_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.ad_id} on {self.day}"


class AdClick(Entity):
    """An impression that was followed: its id, so that it counts once. It holds nothing about a person."""

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="ad_click_age")]

    def __str__(self) -> str:
        return str(self.pk)
