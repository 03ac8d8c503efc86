"""Decisions that need more than one person (ADR 27): who approved what, bound to what they were shown."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import Entity


class Approval(Entity):
    """
    One person approves one thing as it was shown to them. The table only grows; an approval of something that has
    changed since has another digest and does not count.
    """

    class Subject(models.TextChoices):
        SETTLEMENT = "settlement"
        REFUND = "refund"
        PAYOUT = "payout"
        STAFF_REFUND = "staff_refund"
        CORRECTION = "correction"

    subject_kind = models.CharField(max_length=12, choices=Subject)
    subject_id = models.UUIDField()
    digest = models.CharField(max_length=64)
    """SHA-256 of the evidence, in hex."""
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(subject_kind__in=["settlement", "refund", "payout", "staff_refund", "correction"]),
                name="approval_subject_is_known",
            ),
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="approval_digest_is_sha256"),
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id", "digest", "person"], name="approval_is_one_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"
