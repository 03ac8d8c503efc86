"""What payment providers reported."""

from django.db import models
from django.db.models import Q

from core.models import Entity


class ProviderEvent(Entity):
    """
    An event that a provider sent, by its id (SECURITY-GOALS 13). Its outcome changes once, from `received`, in the
    commit that applies it.
    """

    class Outcome(models.TextChoices):
        RECEIVED = "received"
        """The provider has yet to be asked about it."""
        APPLIED = "applied"
        IGNORED = "ignored"
        SET_ASIDE = "set_aside"

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100)
    type = models.CharField(max_length=60)
    key = models.CharField(max_length=60, default="", blank=True)
    """The payment that it is about, by our key."""
    dispute_id = models.CharField(max_length=100, default="", db_default="", blank=True)
    """The dispute that it is about, as the provider calls it."""
    outcome = models.CharField(max_length=10, choices=Outcome)
    reported = models.CharField(max_length=15, default="", db_default="", blank=True)
    """The state of the charge that it tells of."""
    note = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_is_applied_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["received", "applied", "ignored", "set_aside"]),
                name="provider_event_outcome_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(outcome="received"), name="provider_event_to_apply"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
