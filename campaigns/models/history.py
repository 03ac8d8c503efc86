"""Every step of a campaign's life."""

from django.conf import settings
from django.db import models

from campaigns.models.campaigns import Campaign, Status
from core.models import Entity


class StatusChange(Entity):
    """One step of a campaign, kept for good."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="status_changes")
    from_status = models.CharField(max_length=10, choices=Status)
    to_status = models.CharField(max_length=10, choices=Status)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Empty when the clock did it."""
    reason = models.TextField(max_length=1000, default="", blank=True)
    raised_minor = models.BigIntegerField(default=0)
    """What had been raised at that moment."""

    class Meta:
        indexes = [models.Index(fields=["campaign", "id"], name="campaign_history")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
