"""The sandbox provider's own books: only `providers.sandbox` reads or writes them."""

from django.db import models
from django.db.models import F, Q

from core.models import Entity
from investments.models.disputes import Dispute


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
    disputed_minor = models.BigIntegerField(default=0, db_default=0)
    """Taken by disputes that are open or lost."""
    open_disputes = models.PositiveSmallIntegerField(default=0, db_default=0)
    captured_at = models.DateTimeField(null=True, blank=True)

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


class SandboxDispute(Entity):
    """A charge that its payer contests: the sandbox takes the money at once, and gives it back if we win."""

    State = Dispute.Status

    charge = models.ForeignKey(SandboxCharge, on_delete=models.PROTECT, related_name="disputes")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.provider_id

    @property
    def provider_id(self) -> str:
        return f"dp_{self.pk.hex}"


class SandboxPayout(Entity):
    """Money that the sandbox paid out of what it holds, or refused to; the answer to a key stays."""

    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=40, default="", blank=True)
    """Why it was refused; empty: it was paid."""

    def __str__(self) -> str:
        return self.key


class SandboxTarget(Entity):
    """A bank account that the sandbox was asked to verify; some take it a minute."""

    key = models.CharField(max_length=60, unique=True)
    token = models.CharField(max_length=255)

    def __str__(self) -> str:
        return self.key
