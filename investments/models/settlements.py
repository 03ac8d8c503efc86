"""Where an owner's money goes, and what a campaign owes its owner until it is paid (docs/money.md)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from core.models import Entity
from core.money import Money
from investments.models.methods import PaymentMethod
from ledger.models import Posting


class PayoutTarget(Entity):
    """
    The bank account that an owner's money goes to. Each choice is a row of its own; the one that is not removed counts.
    """

    lock_level: ClassVar = 46

    class Status(models.TextChoices):
        UNVERIFIED = "unverified"
        VERIFIED = "verified"
        REJECTED = "rejected"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_targets")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="payout_targets")
    status = models.CharField(max_length=10, choices=Status, default=Status.UNVERIFIED)
    reason = models.CharField(max_length=40, default="", blank=True)
    """The provider's code for a rejection."""
    verified_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["unverified", "verified", "rejected"]), name="payout_target_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="verified", verified_at__isnull=False)
                | (~Q(status="verified") & Q(verified_at=None)),
                name="payout_target_is_verified_at_a_moment",
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(removed_at=None), name="payout_target_is_one_per_person"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(status="unverified", removed_at=None), name="payout_target_to_verify"
            )
        ]

    def __str__(self) -> str:
        return str(self.method)

    @property
    def key(self) -> str:
        return f"target-{self.pk}"


class Settlement(Entity):
    """
    What a funded campaign owes its owner: made in the commit that releases its escrow, paid out of the owner's
    `payable` account once the target is verified and, above a sum, two people have approved.
    """

    lock_level: ClassVar = 48

    class Status(models.TextChoices):
        WAITING_FOR_TARGET = "waiting_for_target"
        WAITING_FOR_APPROVAL = "waiting_for_approval"
        APPROVED = "approved"
        PAYING = "paying"
        PAID = "paid"

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="settlement")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    """What was released."""
    fees_minor = models.BigIntegerField(default=0)
    """What of it the platform keeps."""
    late_minor = models.BigIntegerField(default=0, db_default=0)
    """What was released later: disputes that were open then, and were won. The owner pays no fee of it."""
    withheld_minor = models.BigIntegerField(default=0)
    """What of it went back after the release: refunds, disputes that were lost."""
    paid_minor = models.BigIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status, default=Status.WAITING_FOR_TARGET)
    because = models.CharField(max_length=40, default="", blank=True)
    """Why it waits, as a code: the last refusal of the provider, `rejected`, `nothing_available`."""
    reason = models.CharField(max_length=500, default="", blank=True)
    """What staff wrote to the owner when they rejected it."""
    revision = models.PositiveIntegerField(default=0)
    """Grows with each rejection and each payment: approvals from before do not count."""
    retry_at = models.DateTimeField(null=True, blank=True)
    """Not before this, after a clear no."""
    paid_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["waiting_for_target", "waiting_for_approval", "approved", "paying", "paid"],
                ),
                name="settlement_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    gross_minor__gt=0,
                    fees_minor__gte=0,
                    withheld_minor__gte=0,
                    paid_minor__gte=0,
                    late_minor__gte=0,
                    paid_minor__lte=F("gross_minor") + F("late_minor") - F("fees_minor") - F("withheld_minor"),
                ),
                name="settlement_pays_no_more_than_was_released",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False) | (~Q(status="paid") & Q(paid_at=None)),
                name="settlement_is_paid_at_a_moment",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=~Q(status="paid"), name="settlement_not_paid")]

    def __str__(self) -> str:
        return f"{self.net}"

    @property
    def net_minor(self) -> int:
        """What the owner gets altogether."""
        return self.gross_minor + self.late_minor - self.fees_minor - self.withheld_minor

    @property
    def remaining_minor(self) -> int:
        return self.net_minor - self.paid_minor

    @property
    def gross(self) -> Money:
        return Money(self.gross_minor, self.currency)

    @property
    def fees(self) -> Money:
        return Money(self.fees_minor, self.currency)

    @property
    def withheld(self) -> Money:
        return Money(self.withheld_minor, self.currency)

    @property
    def net(self) -> Money:
        return Money(self.net_minor, self.currency)

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor, self.currency)

    @property
    def remaining(self) -> Money:
        return Money(self.remaining_minor, self.currency)


class SettlementPayment(Entity):
    """One try to pay an owner. Changes only under its settlement's lock."""

    class Status(models.TextChoices):
        PENDING = "pending"
        PAID = "paid"
        FAILED = "failed"

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="payments")
    attempt = models.PositiveSmallIntegerField()
    target = models.ForeignKey(PayoutTarget, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    people_needed = models.SmallIntegerField(default=0, db_default=0)
    """How many people had to approve it."""
    digest = models.CharField(max_length=64, default="", db_default="", blank=True)
    """Of the evidence as it was when the money was reserved: what the approvals that counted are bound to."""
    provider_id = models.CharField(max_length=100, default="", blank=True)
    failure_code = models.CharField(max_length=40, default="", blank=True)
    reservation = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "paid", "failed"]), name="settlement_payment_status_is_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="settlement_payment_amount_is_above_zero"),
            models.UniqueConstraint(fields=["settlement", "attempt"], name="settlement_payment_is_one_per_attempt"),
            models.UniqueConstraint(
                fields=["settlement"], condition=Q(status="pending"), name="settlement_payment_is_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        return f"settlement-{self.settlement_id}-{self.attempt}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
