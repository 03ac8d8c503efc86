"""Who follows which campaign."""

from django.conf import settings
from django.db import models

from campaigns.models.campaigns import Campaign
from core.models import Entity


class CampaignFollow(Entity):
    """Somebody wants to hear of a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="follows", db_index=False)
    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="campaign_follows", db_index=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "follower"], name="person_follows_a_campaign_once")]
        indexes = [
            models.Index(fields=["campaign", "-id"], name="campaign_follow_by_campaign"),
            models.Index(fields=["follower", "-id"], name="campaign_follow_by_follower"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.campaign_id}"


class CampaignAudience(models.Model):
    """How many follow a campaign. Apart from the campaign's own row, which is locked where money moves."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="audience")
    follower_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.campaign_id)
