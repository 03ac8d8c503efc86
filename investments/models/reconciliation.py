"""What the last comparisons of our books with a provider's statement found."""

from datetime import datetime

from django.db import models

from core.models import Entity


class Reconciliation(Entity):
    """One comparison. It does not change afterwards; the newest one of each provider counts."""

    provider = models.CharField(max_length=20)
    since = models.DateTimeField()
    """From when on the provider's statement was compared."""
    finished_at = models.DateTimeField()
    line_count = models.PositiveIntegerField()
    """Lines of the provider's statement."""
    finding_count = models.PositiveIntegerField()
    findings = models.JSONField(default=list, blank=True)
    """The first of them, as `reconcile --json` writes them."""

    class Meta:
        indexes = [models.Index(fields=["provider", "-id"], name="reconciliation_newest")]

    def __str__(self) -> str:
        return f"{self.provider} {self.finished_at:%Y-%m-%d %H:%M}"

    @property
    def is_clean(self) -> bool:
        return not self.finding_count

    def is_older_than_a_day(self, now: datetime) -> bool:
        return (now - self.finished_at).total_seconds() > 86_400
