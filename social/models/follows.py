"""Who follows whom."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import Entity


class Follow(Entity):
    """A person follows another one: sees their posts in the feed, those for followers included."""

    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows", db_index=False
    )
    followed = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="followed_by", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="person_follows_another_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="person_does_not_follow_themselves"),
        ]
        indexes = [
            models.Index(fields=["follower", "-id"], name="follow_by_follower"),
            models.Index(fields=["followed", "-id"], name="follow_by_followed"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followed_id}"
