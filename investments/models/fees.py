"""What was due of each fee of a campaign's schedule (docs/fees.md)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from campaigns.fees import FeeKind, given_back
from campaigns.models import Campaign
from core.models import Entity
from core.money import Money
from investments.models.investments import Payment


class FeeLine(Entity):
    """
    A fee that an investor pays with one payment, or that the owner pays out of what was released. It changes under the
    lock of its payment; an owner's does not change.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="fee_lines", db_index=False)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="fee_lines", db_index=False
    )
    """With which its investor pays it; empty for the owner's."""
    fee = models.CharField(max_length=40)
    """Its id in the schedule of the campaign."""
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in FeeKind])
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    of_minor = models.BigIntegerField()
    """What it is paid for: the amount of the investment, or what was released."""
    refunded_of_minor = models.BigIntegerField(default=0)
    """What of that went back for a reason that gives the fee back."""
    refunded_minor = models.BigIntegerField(default=0)
    """What of the fee went back, or is on its way."""

    objects: ClassVar[models.Manager["FeeLine"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "fee"], condition=Q(payment__isnull=False), name="fee_line_is_one_per_payment"
            ),
            models.UniqueConstraint(
                fields=["campaign", "fee"], condition=Q(payment=None), name="fee_line_is_one_per_release"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in FeeKind]), name="fee_line_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, of_minor__gt=0), name="fee_line_amount_is_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(
                    refunded_minor__gte=0,
                    refunded_minor__lte=F("amount_minor"),
                    refunded_of_minor__gte=0,
                    refunded_of_minor__lte=F("of_minor"),
                ),
                name="fee_line_gives_back_no_more_than_it_took",
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False) | Q(refunded_minor=0), name="fee_line_of_an_owner_stays"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "kind"], name="fee_line_by_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.fee} {self.amount}"

    def give_back(self, minor: int) -> int:
        """
        Count `minor` units of what it is paid for as refunded. Returns what goes back of the fee because of them.

        The parts add up to the whole, however it is cut: see `campaigns.fees.given_back`. A part that was void left its
        rounding to the others: then nothing goes back until the sum is more again.
        """
        before = self.refunded_minor
        self.refunded_of_minor += minor
        due = given_back(self.amount_minor, self.of_minor, self.refunded_of_minor)
        self.refunded_minor = max(before, due)
        return self.refunded_minor - before

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def refunded(self) -> Money:
        return Money(self.refunded_minor, self.currency)
