"""Changes of the terms of a campaign that is live (docs/amendments.md)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from core.models import Entity


class AmendmentStatus(models.TextChoices):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    """The campaign ended before it was decided."""


class Amendment(Entity):
    """What its owner wants to change, and what staff decided. Written under the campaign's lock."""

    objects: ClassVar["models.Manager[Amendment]"]

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="amendments")
    changes = models.JSONField()
    """New values of material fields by their columns, as `terms.stored` writes them."""
    before = models.JSONField()
    """The values that these fields had when it was proposed."""
    words = models.TextField(max_length=1000)
    """Why, for staff and investors."""
    status = models.CharField(max_length=10, choices=AmendmentStatus, default=AmendmentStatus.PROPOSED)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    review_note = models.TextField(max_length=1000, default="", blank=True)
    """What the reviewer wrote when rejecting it; for the owner."""
    decided_at = models.DateTimeField(null=True, blank=True)
    terms_version = models.PositiveIntegerField(null=True, blank=True)
    """The version of the terms that it made, when it was approved."""
    reconfirm_until = models.DateTimeField(null=True, blank=True)
    """Until when investors have to confirm it, when it was approved."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(status="proposed"), name="amendment_is_proposed_once_per_campaign"
            ),
            models.CheckConstraint(condition=Q(status__in=AmendmentStatus.values), name="amendment_status_is_known"),
            models.CheckConstraint(
                condition=Q(status="approved", terms_version__isnull=False, reconfirm_until__isnull=False)
                | ~Q(status="approved") & Q(terms_version=None, reconfirm_until=None),
                name="amendment_has_a_version_when_approved",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "-created_at", "-id"], name="amendment_by_campaign")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.status}"
