"""What payment providers take for themselves (docs/fees.md)."""

from django.db import models

from core.models import Entity
from core.money import Money


class ProviderFee(Entity):
    """The fee of one line of a provider's statement, written in the commit that books it. It never changes."""

    provider = models.CharField(max_length=20)
    line_id = models.CharField(max_length=100)
    """The provider's id of the line."""
    amount_minor = models.BigIntegerField()
    """Below zero when the provider gives one back."""
    currency = models.CharField(max_length=3)
    taken_at = models.DateTimeField()
    """When it was taken, as the statement says."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "line_id"], name="provider_fee_is_one_per_line"),
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="provider_fee_is_not_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.line_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
