"""Exports of a person's data."""

from datetime import datetime

from django.db import models

from accounts.models.people import User
from core.models import Entity


class DataExport(Entity):
    """Everything about a person in one archive: asked for, made by the worker, gone after a week."""

    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        EXPIRED = "expired"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    status = models.CharField(max_length=7, choices=Status, default=Status.PENDING)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "ready", "expired"]), name="export_status_is_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="ready") | models.Q(file__isnull=False, expires_at__isnull=False),
                name="export_that_is_ready_has_its_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"

    def status_at(self, now: datetime) -> str:
        """By the clock: no job has to run for an archive to end."""
        is_over = self.expires_at is not None and self.expires_at <= now
        return self.Status.EXPIRED if is_over else self.status
