"""Who backs which campaign."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from core.models import Entity


class Backing(Entity):
    """
    Who backs what: one row per campaign and person, kept by `services.funding`.

    Apps beside `investments` read backers here without importing it.
    """

    lock_level: ClassVar = 60

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="backings")
    backer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="backings")
    committed_minor = models.BigIntegerField(default=0)
    """Zero once everything was taken back; the row stays."""
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "backer"], name="backing_is_one_per_campaign_and_person"),
            models.CheckConstraint(condition=Q(committed_minor__gte=0), name="backing_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.backer_id} in {self.campaign_id}"
