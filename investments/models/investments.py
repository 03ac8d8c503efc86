"""What people put into campaigns, and every try to move its money (docs/money.md)."""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign, deadline, place_of, rules_of
from core.models import Entity
from core.money import Money, minor_text
from investments.models.methods import PaymentMethod
from ledger.models import Posting


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
    RECONFIRMED = "reconfirmed"
    RETURNED = "returned"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    PAYOUT_REQUESTED = "payout_requested"
    PAYOUT_FAILED = "payout_failed"
    PAID_OUT = "paid_out"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


def cancellable_until(reflection_ends_at: datetime | None, campaign: Any, now: datetime | None = None) -> datetime:
    """
    Until when a commitment may be taken back, in UTC; from that moment on it may not.

    A reflection period is fixed when the investment is placed. What is counted from the deadline follows the deadline,
    which moves when the campaign closes early or its terms are amended.

    :param campaign: as it is now: a `Campaign`, or a row with its columns
    :param now: the moment whose deadline counts, for a campaign that was not locked by the clock
    """
    if reflection_ends_at is not None:
        return reflection_ends_at
    ends_at = campaign.ends_at if now is None else deadline(campaign, now)
    return rules_of(campaign)["cancel_before_deadline"].before(ends_at, place_of(campaign))


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
    reflection_ends_at = models.DateTimeField(null=True, blank=True)
    """Until then it may be taken back, fixed when it is placed; empty where the rules count from the deadline."""
    terms_version = models.PositiveIntegerField(default=1, db_default=1)
    """The campaign's terms that its investor has agreed to."""
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
            models.Index(
                fields=["investor"],
                condition=Q(status__in=["pending", "requires_action"]),
                name="investment_under_way",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def text(self, minor: int) -> str:
        return minor_text(minor, self.currency)

    @property
    def cancellable_until(self) -> datetime:
        """Until when it may be taken back while its campaign is live. Reads `campaign`."""
        return cancellable_until(self.reflection_ends_at, self.campaign)


HELD = F("captured_minor") - F("refunded_minor") - F("disputed_minor")
"""What a payment holds, for queries: see `Payment.held_minor`."""
HELD_OF_PAYMENT = F("payment__captured_minor") - F("payment__refunded_minor") - F("payment__disputed_minor")
"""The same, in queries of investments."""


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
    fee_minor = models.BigIntegerField(default=0, db_default=0)
    """What the investor pays on top of the investment; the sums below are without it."""
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    """Refunds asked for, done or under way."""
    disputed_minor = models.BigIntegerField(default=0, db_default=0)
    """Frozen by open disputes, or taken by lost ones."""
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
            models.CheckConstraint(
                condition=Q(disputed_minor__gte=0, disputed_minor__lte=F("captured_minor") - F("refunded_minor")),
                name="payment_holds_no_less_than_nothing",
            ),
            models.CheckConstraint(condition=Q(fee_minor__gte=0), name="payment_fee_is_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["updated_at"], condition=Q(status__in=["pending", "requires_action"]), name="payment_under_way"
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def amount_minor(self) -> int:
        """What is charged: the investment and its fee. Reads `investment`."""
        return self.investment.amount_minor + self.fee_minor

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.investment.currency)

    @property
    def payer_id(self) -> UUID:
        return self.investment.investor_id

    @property
    def paying_method(self) -> PaymentMethod:
        return self.investment.method

    @property
    def is_open(self) -> bool:
        return self.status in (Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION)

    @property
    def paid(self) -> Money:
        """What was taken, with the fee; zero until it is captured. Reads `investment`."""
        return self.amount if self.status == Payment.Status.CAPTURED else Money(0, self.investment.currency)

    @property
    def held_minor(self) -> int:
        """Captured, not on its way back and not disputed, without the fee."""
        return self.captured_minor - self.refunded_minor - self.disputed_minor

    @property
    def held(self) -> Money:
        return Money(self.held_minor, self.investment.currency)


class Refund(Entity):
    """Money on its way back to where it came from. Asked for once, sent until the provider has said yes."""

    lock_level: ClassVar = 50

    class Status(models.TextChoices):
        PENDING = "pending"
        REFUNDED = "refunded"
        VOIDED = "voided"
        """The provider refused it, since a dispute that was lost has taken its money."""

    class Reason(models.TextChoices):
        CAMPAIGN_FAILED = "campaign_failed"
        CAMPAIGN_CANCELLED = "campaign_cancelled"
        WITHDRAWN = "withdrawn"
        NOT_RECONFIRMED = "not_reconfirmed"
        """New terms of the campaign were declined, or not confirmed in time."""
        BY_STAFF = "by_staff"
        NO_ROOM = "no_room"
        """A dispute about it was won, and its place in the campaign was taken meanwhile."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    reason = models.CharField(max_length=20, choices=Reason)
    amount_minor = models.BigIntegerField()
    """What leaves the campaign."""
    fee_minor = models.BigIntegerField(default=0, db_default=0)
    """What is given back of the fee of the payment, on top."""
    fee_parts = models.JSONField(default=dict, db_default={}, blank=True)
    """Minor units of it by the id of the fee, nothing included; for when the refund is void."""
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempt = models.PositiveSmallIntegerField(default=1)
    """Part of the key; a new one only after the provider has clearly refused, never after silence."""
    provider_id = models.CharField(max_length=100, default="", blank=True)
    reservation = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    failure_code = models.CharField(max_length=40, default="", blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    """Not before this, after a clear no; empty: at once."""
    people_needed = models.SmallIntegerField(default=0, db_default=0)
    """How many people have to approve it before it is sent."""
    approved_at = models.DateTimeField(null=True, blank=True)
    """When the last of them did."""
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "refunded", "voided"]), name="refund_status_is_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_is_above_zero"),
            models.CheckConstraint(condition=Q(fee_minor__gte=0), name="refund_fee_is_not_negative"),
        ]
        indexes = [models.Index(fields=["retry_at"], condition=Q(status="pending"), name="refund_under_way")]

    NOT_HELD = Q(people_needed=0) | Q(approved_at__isnull=False)
    """A condition for those that may be sent."""

    def __str__(self) -> str:
        return self.key

    @property
    def is_held(self) -> bool:
        """Whether it waits for people."""
        return self.people_needed > 0 and self.approved_at is None

    @property
    def key(self) -> str:
        return f"refund-{self.pk}-{self.attempt}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def total(self) -> Money:
        """What the provider sends back: the amount and what is given back of the fee."""
        return Money(self.amount_minor + self.fee_minor, self.currency)
