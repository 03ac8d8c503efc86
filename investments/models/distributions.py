"""Money that an owner pays back to those who hold a settled campaign, and each holder's part (docs/money.md)."""

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from core.models import Entity
from core.money import Money
from investments.models.investments import Investment
from investments.models.methods import PaymentMethod
from ledger.models import Posting


class Distribution(Entity):
    """
    An amount for all holders of a campaign. Its owner proposes it and pays it in, staff approve it, then each holder is
    credited with a `Return`. Its status only moves forward; the table refuses another step.
    """

    lock_level: ClassVar = 52

    class Kind(models.TextChoices):
        DIVIDEND = "dividend"
        INTEREST = "interest"
        REPAYMENT = "repayment"
        EXIT = "exit"

    class Status(models.TextChoices):
        PROPOSED = "proposed"
        APPROVED = "approved"
        PAID = "paid"
        REJECTED = "rejected"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="distributions")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.CharField(max_length=500, default="", blank=True)
    """What the owner writes to the holders."""
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Who approved or rejected it; empty if its payment failed."""
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, default="", blank=True)
    """Why it was rejected, for the owner."""
    split_at = models.DateTimeField(null=True, blank=True)
    """When the parts of all holders were computed; they do not change afterwards."""
    holder_count = models.PositiveIntegerField(default=0)
    """How many investments get a part."""
    paid_at = models.DateTimeField(null=True, blank=True)
    """When the last holder was credited."""
    updated_at = models.DateTimeField()

    charge: "DistributionCharge"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "approved", "paid", "rejected"]),
                name="distribution_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["dividend", "interest", "repayment", "exit"]), name="distribution_kind_is_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="distribution_amount_is_above_zero"),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_at=None) | (~Q(status="proposed") & Q(decided_at__isnull=False)),
                name="distribution_is_decided_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="distribution_is_not_decided_by_its_owner",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "paid"]) | Q(decided_by__isnull=False),
                name="distribution_is_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(split_at__isnull=False, paid_at__isnull=False),
                name="distribution_is_paid_after_its_split",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "-created_at", "-id"], name="distribution_by_campaign"),
            models.Index(fields=["id"], condition=Q(status="approved"), name="distribution_to_pay"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class DistributionCharge(Entity):
    """
    The one charge that pays a distribution in, and its way back should staff reject the distribution.

    `key` goes to the provider on every try, as that of a `Payment`; `refund_key` likewise.
    """

    lock_level: ClassVar = 54

    class Status(models.TextChoices):
        PENDING = "pending"
        REQUIRES_ACTION = "requires_action"
        CAPTURED = "captured"
        FAILED = "failed"
        REFUNDING = "refunding"
        REFUNDED = "refunded"
        DISPUTED = "disputed"
        """The bank of the owner has taken it back."""

    distribution = models.OneToOneField(Distribution, on_delete=models.PROTECT, related_name="charge")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="distribution_charges")
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=60, unique=True)
    provider_id = models.CharField(max_length=100, default="", blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.PENDING)
    reservation = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    action_url = models.URLField(max_length=500, default="", blank=True)
    failure_code = models.CharField(max_length=40, default="", blank=True)
    """Of the charge, or of the last try to refund it."""
    expires_at = models.DateTimeField()
    """When an unfinished one is given up."""
    refund_reservation = models.OneToOneField(
        Posting, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    refund_attempt = models.PositiveSmallIntegerField(default=1)
    """Part of the refund's key; a new one only after the provider has clearly refused."""
    refund_id = models.CharField(max_length=100, default="", blank=True)
    """The provider's."""
    retry_at = models.DateTimeField(null=True, blank=True)
    """Its refund is not asked for before this, after a clear no."""
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["pending", "requires_action", "captured", "failed", "refunding", "refunded", "disputed"]
                ),
                name="distribution_charge_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["refunding", "refunded"], refund_reservation__isnull=False)
                | (~Q(status__in=["refunding", "refunded"]) & Q(refund_reservation=None)),
                name="distribution_charge_goes_back_through_the_books",
            ),
        ]
        indexes = [
            models.Index(
                fields=["updated_at"],
                condition=Q(status__in=["pending", "requires_action", "refunding"]),
                name="distribution_charge_under_way",
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def amount(self) -> Money:
        return self.distribution.amount

    @property
    def payer_id(self) -> UUID:
        return self.distribution.proposed_by_id

    @property
    def paying_method(self) -> PaymentMethod:
        return self.method

    @property
    def is_open(self) -> bool:
        return self.status in (DistributionCharge.Status.PENDING, DistributionCharge.Status.REQUIRES_ACTION)

    @property
    def refund_key(self) -> str:
        return f"refund-{self.pk}-{self.refund_attempt}"


class Return(Entity):
    """One holder's part of a distribution: of one investment. Written when the amount is split, then credited once."""

    lock_level: ClassVar = 56

    distribution = models.ForeignKey(Distribution, on_delete=models.PROTECT, related_name="returns")
    investment = models.ForeignKey(Investment, on_delete=models.PROTECT, related_name="returns")
    investor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    credited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["distribution", "investment"], name="return_is_one_per_investment"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="return_amount_is_above_zero"),
        ]
        indexes = [
            models.Index(
                fields=["investor", "-credited_at", "-id"],
                condition=Q(credited_at__isnull=False),
                name="return_by_investor",
            ),
            models.Index(fields=["distribution", "id"], condition=Q(credited_at=None), name="return_to_credit"),
        ]

    def __str__(self) -> str:
        return str(self.amount)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Payout(Entity):
    """Returned money on its way to a payment method of its owner. Asked for once, sent until the provider answers."""

    lock_level: ClassVar = 58

    class Status(models.TextChoices):
        PENDING = "pending"
        PAID = "paid"
        FAILED = "failed"

    investment = models.ForeignKey(Investment, on_delete=models.PROTECT, related_name="payouts")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="payouts")
    provider = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    provider_id = models.CharField(max_length=100, default="", blank=True)
    failure_code = models.CharField(max_length=40, default="", blank=True)
    people_needed = models.SmallIntegerField(default=0, db_default=0)
    """How many people have to approve it before it is sent."""
    approved_at = models.DateTimeField(null=True, blank=True)
    """When the last of them did."""
    reservation = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "paid", "failed"]), name="payout_status_is_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_amount_is_above_zero"),
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(status="pending"), name="payout_under_way")]

    def __str__(self) -> str:
        return self.key

    NOT_HELD = Q(people_needed=0) | Q(approved_at__isnull=False)
    """A condition for those that may be sent."""

    @property
    def is_held(self) -> bool:
        """Whether it waits for people."""
        return self.people_needed > 0 and self.approved_at is None

    @property
    def key(self) -> str:
        return f"payout-{self.pk}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
