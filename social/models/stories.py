"""Stories: a picture or a video that is there for a day."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Status
from accounts.relations import not_hidden_from
from core.models import Entity
from social.models.follows import Follow


class StoryQuerySet(models.QuerySet["Story"]):
    def live_at(self, now: datetime) -> Self:
        """Those that have not ended, by the clock."""
        return self.filter(expires_at__gt=now)

    def visible_to(self, viewer: Any, now: datetime) -> Self:
        """One's own, and those of people whom one follows; `social/sql/story_list.sql` says the same."""
        follows = Exists(Follow.objects.filter(follower=viewer.pk, followed=OuterRef("author_id")))
        shown = Q(author__status=Status.ACTIVE, hidden_at__isnull=True) & not_hidden_from(viewer.pk, "author_id")
        return self.live_at(now).filter(Q(author=viewer.pk) | (shown & follows))


class Story(Entity):
    """It ends by the clock; the job `social.delete_stories` removes row and bytes soon after."""

    lock_level: ClassVar = 76

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stories", db_index=False
    )
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    caption = models.CharField(max_length=500, default="", blank=True)
    expires_at = models.DateTimeField()
    views_count = models.PositiveIntegerField(default=0)
    """How many `StoryView` rows there are; changed under this row's lock."""
    hidden_at = models.DateTimeField(null=True, blank=True)
    """When moderation hid it: only its author sees it."""

    objects: ClassVar[StoryQuerySet] = StoryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "stories"
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="story_ends_after_it_begins")
        ]
        indexes = [
            models.Index(fields=["author", "-id"], name="story_by_author"),
            models.Index(fields=["expires_at"], name="story_end"),
        ]

    def __str__(self) -> str:
        return self.caption[:80] or f"Story of {self.created_at:%d %b %Y, %H:%M} UTC"


class StoryView(Entity):
    """Somebody has seen a story."""

    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="views", db_index=False)
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["story", "viewer"], name="person_views_a_story_once")]
        indexes = [models.Index(fields=["story", "-id"], name="view_by_story")]

    def __str__(self) -> str:
        return f"{self.viewer_id} of {self.story_id}"
