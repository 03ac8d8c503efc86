"""What was said to owners about reports that they owe (`campaigns.reporting`)."""

from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from campaigns.models.updates import Update
from core.models import Entity


class ReportingWatch(models.Model):
    """When to look next at what the owner of a funded campaign owes. A row for each campaign that was funded."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="reporting_watch"
    )
    next_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "reporting watches"
        indexes = [models.Index(fields=["next_at"], name="reporting_watch_by_time")]

    def __str__(self) -> str:
        return str(self.campaign_id)


class ReportingReminder(Entity):
    """The owner was reminded of a report: each stage once."""

    class Stage(models.TextChoices):
        SOON = "soon"
        """Two weeks before."""
        NEAR = "near"
        """Three days before."""
        OVERDUE = "overdue"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="reporting_reminders", db_index=False)
    kind = models.CharField(max_length=13, choices=Update.Kind)
    due_at = models.DateTimeField()
    stage = models.CharField(max_length=7, choices=Stage)
    lowers_trend = models.BooleanField(default=False)
    """Whether the campaign stands lower in `trending` because of it: overdue, and still not published."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind", "due_at", "stage"], name="reporting_stage_comes_once"),
            models.CheckConstraint(
                condition=Q(lowers_trend=False) | Q(stage="overdue"), name="only_overdue_reports_lower_the_trend"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.campaign_id}, {self.stage}"
