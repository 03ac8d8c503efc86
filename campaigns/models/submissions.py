"""What owners handed in for review."""

from django.db import models

from campaigns.models.campaigns import Campaign
from core.models import Entity


class Submission(Entity):
    """What a campaign said when it was submitted: reviewers see what the owner changed since. Nothing changes it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="submissions", db_index=False)
    fields = models.JSONField()
    """Each field as text, by the names of `services.submissions.FIELDS`."""
    pictures = models.JSONField()
    """The ids of the pictures' files, in their order."""

    class Meta:
        indexes = [models.Index(fields=["campaign", "-id"], name="submission_by_campaign")]

    def __str__(self) -> str:
        return f"{self.campaign_id} at {self.created_at}"
