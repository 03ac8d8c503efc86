"""Charges that their payer has contested at the bank (chargebacks), and what became of them (docs/money.md)."""

from django.db import models
from django.db.models import F, Q

from core.models import Entity
from core.money import Money
from investments.models.distributions import DistributionCharge
from investments.models.investments import Payment
from ledger.models import Posting


class Dispute(Entity):
    """
    A charge of an investment or of a distribution that its payer contests, as the provider tells. It takes the money at
    once and gives it back if the dispute is won. Its status moves forward once; the table refuses anything else.

    The amount is made up of what the row held (`held_minor`), of refunds that were on their way (`refund_minor`), and
    of the platform's own money. Once the campaign's money is released, the owner's stands in for what was held, as far
    as there is some (`payable_minor`).
    """

    class Status(models.TextChoices):
        OPEN = "open"
        WON = "won"
        LOST = "lost"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="disputes")
    distribution_charge = models.ForeignKey(
        DistributionCharge, on_delete=models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=100)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=40, default="", blank=True)
    """The provider's code: `fraudulent`, `product_not_received`, ..."""
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField()
    """By the provider's clock."""
    closed_at = models.DateTimeField(null=True, blank=True)
    """When its end was recorded here."""
    held_minor = models.BigIntegerField()
    """Of what the payment held (or the distribution's account): frozen, then gone or back."""
    is_released = models.BooleanField()
    """Whether the campaign's money was released, or the distribution split, when it was opened."""
    payable_minor = models.BigIntegerField(default=0)
    """Frozen of what the owner of the campaign is owed."""
    refund_minor = models.BigIntegerField(default=0)
    """Covered by refunds that were on their way, and that the provider refuses from now on."""
    restored_minor = models.BigIntegerField(default=0)
    """What came back into the campaign when it was won; the rest went back to the investor."""
    voided_minor = models.BigIntegerField(default=0)
    """What it has taken, when it was lost, of refunds that are void now."""
    fee_minor = models.BigIntegerField(default=0, db_default=0)
    """What went back with it, when it was lost, of the fees of its payment; the platform does not bear that."""
    opening = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    freeze = models.OneToOneField(Posting, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reversal = models.OneToOneField(Posting, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="dispute_is_recorded_once"),
            models.CheckConstraint(condition=Q(status__in=["open", "won", "lost"]), name="dispute_status_is_known"),
            models.CheckConstraint(
                condition=Q(payment=None) ^ Q(distribution_charge=None), name="dispute_is_about_one_charge"
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None) | (~Q(status="open") & Q(closed_at__isnull=False)),
                name="dispute_is_closed_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, held_minor__gte=0, payable_minor__gte=0, refund_minor__gte=0)
                & Q(amount_minor__gte=F("held_minor") + F("refund_minor"))
                & Q(amount_minor__gte=F("payable_minor") + F("refund_minor")),
                name="dispute_parts_are_of_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="won", restored_minor__gte=0, restored_minor__lte=F("held_minor"))
                | Q(restored_minor=0),
                name="dispute_restores_no_more_than_it_froze",
            ),
            models.CheckConstraint(
                condition=Q(status="won", reversal__isnull=False) | (~Q(status="won") & Q(reversal=None)),
                name="dispute_is_won_through_the_books",
            ),
        ]
        indexes = [models.Index(fields=["payment"], condition=Q(status="open"), name="dispute_open")]

    def __str__(self) -> str:
        return f"{self.amount} ({self.provider_id})"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def loss_minor(self) -> int:
        """What the platform itself bears if it is lost, or has borne."""
        covered = self.voided_minor if self.status == Dispute.Status.LOST else self.refund_minor
        covered += self.fee_minor
        return self.amount_minor - covered - (self.payable_minor if self.is_released else self.held_minor)
