"""What reached whose feed (docs/feed.md)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import Entity


class FeedItem(models.Model):
    """
    A post or an announcement that was delivered to a person. Whether they see it is decided when they read: by the rule
    of visibility, and by whether they still follow its source. Nothing else points to one, and it points to nothing but
    its person, so that a post that is deleted takes no thousand rows with it; `social.trim_feeds` removes what is old.
    """

    class Kind(models.TextChoices):
        POST = "post"
        CAMPAIGN = "campaign"

    pk = models.CompositePrimaryKey("user_id", "kind", "item_id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    item_id = models.UUIDField()
    """Of a `Post` or an `Announcement`; its time is the order of the feed."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["post", "campaign"]), name="feed_item_kind_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.item_id}"


class Announcement(Entity):
    """What happened to a campaign, for the feeds of those who follow or back it."""

    class Kind(models.TextChoices):
        PUBLISHED = "published"
        ENDING = "ending"
        FUNDED = "funded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.CASCADE, related_name="announcements", db_index=False
    )
    kind = models.CharField(max_length=9, choices=Kind)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind"], name="campaign_is_announced_once_of_a_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=["published", "ending", "funded", "failed", "cancelled"]),
                name="announcement_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.kind}"
