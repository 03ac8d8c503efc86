"""How people pay."""

from datetime import date
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import Entity


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
    fingerprint = models.CharField(max_length=64, default="", db_default="", blank=True)
    """What the provider knows the card itself by, so that it is known when it is added again; empty if it says none."""
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

    @property
    def card(self) -> str:
        """What stands for the card itself, however often it was added."""
        return self.fingerprint or str(self.pk)

    def is_expired_on(self, day: date) -> bool:
        """A card works through the last day of its month."""
        if self.expiry_year is None or self.expiry_month is None:
            return False
        return (day.year, day.month) > (self.expiry_year, self.expiry_month)
