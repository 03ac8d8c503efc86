"""
Payment methods, investments, and every try to move their money (docs/money.md).

The last section is the sandbox provider's own books: only `providers.sandbox` reads or writes them.
"""

from datetime import date, datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from core.models import Entity
from core.money import Money, minor_text
from ledger.models import Posting


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    def of(self, person: Any) -> Self:
        """The ones a person can use."""
        return self.filter(owner_id=person.pk, removed_at__isnull=True)


class PaymentMethod(Entity):
    """What the provider charges, by its token. A card number or CVV has no column anywhere (SECURITY-GOALS 20, 21)."""

    class Type(models.TextChoices):
        CARD = "card"
        BANK_ACCOUNT = "bank_account"
        WALLET = "wallet"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payment_methods")
    type = models.CharField(max_length=12, choices=Type)
    provider = models.CharField(max_length=20)
    token = models.CharField(max_length=255)
    brand = models.CharField(max_length=40)
    last4 = models.CharField(max_length=4)
    expiry_month = models.PositiveSmallIntegerField(null=True, blank=True)
    expiry_year = models.PositiveSmallIntegerField(null=True, blank=True)
    is_default = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, blank=True)
    """When the person removed it. The row is kept for the investments that it paid."""

    objects: ClassVar[PaymentMethodQuerySet] = PaymentMethodQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=["card", "bank_account", "wallet"]), name="payment_method_type_is_known"
            ),
            models.CheckConstraint(condition=Q(last4__regex="^[0-9]{4}$"), name="payment_method_keeps_four_digits"),
            models.CheckConstraint(
                condition=~Q(token__regex="[0-9]{13,}"), name="payment_method_token_is_no_card_number"
            ),
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(is_default=True, removed_at__isnull=True),
                name="payment_method_default_is_one_per_person",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-created_at"], name="payment_method_by_owner")]

    def __str__(self) -> str:
        return f"{self.brand} …{self.last4}"

    def is_expired_on(self, day: date) -> bool:
        """A card works through the last day of its month."""
        if self.expiry_year is None or self.expiry_month is None:
            return False
        return (day.year, day.month) > (self.expiry_year, self.expiry_month)


class Status(models.TextChoices):
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    COMMITTED = "committed"
    INVESTED = "invested"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    FAILED = "failed"


UNDER_WAY = (Status.PENDING, Status.REQUIRES_ACTION)
HOLDING = (Status.COMMITTED, Status.INVESTED)
"""Where the money is in the campaign."""


class Step(models.TextChoices):
    """Entries of an investment's timeline, as clients see them: the events `investment.<step>` (`events.py`)."""

    PLACED = "placed"
    REQUIRES_ACTION = "requires_action"
    COMMITTED = "committed"
    FAILED = "failed"
    WITHDRAWAL_REQUESTED = "withdrawal_requested"
    REFUND_REQUESTED = "refund_requested"
    REFUNDED = "refunded"
    INVESTED = "invested"
    CANCELLED = "cancelled"


class InvestmentQuerySet(models.QuerySet["Investment"]):
    def for_output(self) -> Self:
        """With what an investment's JSON shows: two queries for any number."""
        cards = models.Prefetch("campaign", queryset=Campaign.objects.for_cards())
        return self.select_related("payment", "method").prefetch_related(cards)


class Investment(Entity):
    """Someone puts an amount into a campaign. Its status only moves forward; the table refuses another step."""

    lock_level: ClassVar = 30

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="investments")
    investor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="investments")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="investments")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=15, choices=Status, default=Status.PENDING)
    reference = models.CharField(max_length=14, unique=True)
    """The reference that people quote to support: `VG-8F3K-Q2ZP`."""
    cancellable_until = models.DateTimeField()
    """Until then it may be taken back while the campaign is live."""
    updated_at = models.DateTimeField()

    objects: ClassVar[InvestmentQuerySet] = InvestmentQuerySet.as_manager()  # type: ignore[assignment]
    payment: "Payment"

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="investment_status_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="investment_amount_is_above_zero"),
            models.UniqueConstraint(
                fields=["campaign", "investor"],
                condition=Q(status="requires_action"),
                name="investment_waits_for_its_investor_once_per_campaign",
            ),
        ]
        indexes = [
            models.Index(fields=["investor", "-created_at", "-id"], name="investment_by_investor"),
            models.Index(fields=["campaign", "-created_at", "-id"], name="investment_by_campaign"),
            models.Index(
                fields=["campaign", "id"],
                condition=Q(status__in=["pending", "requires_action", "committed"]),
                name="investment_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def text(self, minor: int) -> str:
        return minor_text(minor, self.currency)

    def is_cancellable_at(self, now: datetime) -> bool:
        return self.status == Status.COMMITTED and now < self.cancellable_until


class Payment(Entity):
    """
    The one charge of an investment: what we asked the provider for and what is known of the answer.

    `key` goes to the provider on every try, so that it charges once whatever we have missed.
    """

    lock_level: ClassVar = 40

    class Status(models.TextChoices):
        PENDING = "pending"
        REQUIRES_ACTION = "requires_action"
        CAPTURED = "captured"
        FAILED = "failed"

    investment = models.OneToOneField(Investment, on_delete=models.PROTECT, related_name="payment")
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=60, unique=True)
    provider_id = models.CharField(max_length=100, default="", blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.PENDING)
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    """Refunds asked for, done or under way."""
    reservation = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    action_url = models.URLField(max_length=500, default="", blank=True)
    failure_code = models.CharField(max_length=40, default="", blank=True)
    expires_at = models.DateTimeField()
    """When an unfinished one is given up."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    """When its investor gave it up unpaid: nothing more is taken, and what was taken nevertheless goes back."""
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "requires_action", "captured", "failed"]),
                name="payment_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status="captured", captured_minor__gt=0) | (~Q(status="captured") & Q(captured_minor=0)),
                name="payment_has_money_only_when_captured",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("captured_minor")),
                name="payment_refunds_no_more_than_it_captured",
            ),
        ]
        indexes = [
            models.Index(
                fields=["updated_at"], condition=Q(status__in=["pending", "requires_action"]), name="payment_under_way"
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_open(self) -> bool:
        return self.status in (Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION)

    @property
    def held_minor(self) -> int:
        """Captured and not on its way back."""
        return self.captured_minor - self.refunded_minor

    @property
    def held(self) -> Money:
        return Money(self.held_minor, self.investment.currency)


class Refund(Entity):
    """Money on its way back to where it came from. Asked for once, sent until the provider has said yes."""

    lock_level: ClassVar = 50

    class Status(models.TextChoices):
        PENDING = "pending"
        REFUNDED = "refunded"

    class Reason(models.TextChoices):
        CAMPAIGN_FAILED = "campaign_failed"
        CAMPAIGN_CANCELLED = "campaign_cancelled"
        WITHDRAWN = "withdrawn"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    reason = models.CharField(max_length=20, choices=Reason)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempt = models.PositiveSmallIntegerField(default=1)
    """Part of the key; a new one only after the provider has clearly refused, never after silence."""
    provider_id = models.CharField(max_length=100, default="", blank=True)
    reservation = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    failure_code = models.CharField(max_length=40, default="", blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    """Not before this, after a clear no; empty: at once."""
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=["pending", "refunded"]), name="refund_status_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_is_above_zero"),
        ]
        indexes = [models.Index(fields=["retry_at"], condition=Q(status="pending"), name="refund_under_way")]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        return f"refund-{self.pk}-{self.attempt}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ProviderEvent(Entity):
    """An event that a provider sent, by its id, stored in the commit that applied it (SECURITY-GOALS 13)."""

    class Outcome(models.TextChoices):
        APPLIED = "applied"
        IGNORED = "ignored"
        SET_ASIDE = "set_aside"

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100)
    type = models.CharField(max_length=60)
    key = models.CharField(max_length=60, default="", blank=True)
    """The payment that it is about, by our key."""
    outcome = models.CharField(max_length=10, choices=Outcome)
    note = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_is_applied_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["applied", "ignored", "set_aside"]), name="provider_event_outcome_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


# --- The sandbox provider's own books -------------------------------------------------------------------------------


class SandboxCharge(Entity):
    """What a real provider would keep about a charge. A cancelled one may have no amount: it was never asked for."""

    class State(models.TextChoices):
        CAPTURED = "captured"
        DECLINED = "declined"
        REQUIRES_ACTION = "requires_action"
        CANCELLED = "cancelled"

    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="", blank=True)
    state = models.CharField(max_length=15, choices=State)
    reason = models.CharField(max_length=40, default="", blank=True)
    action_token = models.CharField(max_length=43, default="", blank=True)
    refunded_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("amount_minor")),
                name="sandbox_refunds_no_more_than_it_captured",
            ),
            models.UniqueConstraint(
                fields=["action_token"], condition=~Q(action_token=""), name="sandbox_action_token_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class SandboxRefund(Entity):
    charge = models.ForeignKey(SandboxCharge, on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField()

    def __str__(self) -> str:
        return self.key
