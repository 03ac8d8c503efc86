"""Decisions that need more than one person (ADR 27): who approved what, bound to what they were shown."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import Entity
from core.money import Money
from investments.models.investments import Investment, Refund
from ledger.models import Posting


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


class StaffRefund(Entity):
    """
    A refund that staff propose, outside of what an investor may ask for. Above a sum a second person approves it; then
    it becomes a `Refund`.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed"
        APPROVED = "approved"
        REJECTED = "rejected"

    investment = models.ForeignKey(Investment, on_delete=models.PROTECT, related_name="staff_refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=500)
    """Why, in the words of who proposes it."""
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="staff_refund")
    answer = models.CharField(max_length=500, default="", blank=True)
    """Why it was rejected."""
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "approved", "rejected"]), name="staff_refund_status_is_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="staff_refund_amount_is_above_zero"),
            models.CheckConstraint(
                condition=Q(status="approved", refund__isnull=False) | (~Q(status="approved") & Q(refund=None)),
                name="staff_refund_becomes_a_refund",
            ),
            models.UniqueConstraint(
                fields=["investment"], condition=Q(status="proposed"), name="staff_refund_is_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return str(self.amount)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Correction(Entity):
    """
    A correcting transaction: the reverse of a posting, or lines of their own that add up to zero. One person proposes
    it, another one approves it; then the books have it, and nothing in them is changed.
    """

    lock_level: ClassVar = 49

    class Status(models.TextChoices):
        PROPOSED = "proposed"
        BOOKED = "booked"
        REJECTED = "rejected"

    original = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+")
    """What it corrects."""
    lines = models.JSONField(default=list, blank=True)
    """`[account's code, minor units]` of each line, debit positive; empty: the reverse of the original."""
    reason = models.CharField(max_length=500)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    posting = models.OneToOneField(Posting, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, default="", blank=True)
    """Why it was rejected."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "booked", "rejected"]), name="correction_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="booked", posting__isnull=False) | (~Q(status="booked") & Q(posting=None)),
                name="correction_is_booked_as_a_posting",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="correction_is_decided_by_another_person",
            ),
            models.CheckConstraint(
                condition=~Q(status="booked") | Q(decided_by__isnull=False), name="correction_is_approved_by_somebody"
            ),
            models.UniqueConstraint(
                fields=["original"], condition=Q(status="proposed"), name="correction_is_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return self.original.key
