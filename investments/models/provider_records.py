"""
What a provider calls the things that we ask it for, where it has no lookup by our keys. Only the modules in `providers`
read and write this.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import Entity


class ProviderCustomer(Entity):
    """A person at a provider: payment methods are attached to it."""

    provider = models.CharField(max_length=20)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    customer_id = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "person"], name="provider_customer_is_one_per_person"),
        ]

    def __str__(self) -> str:
        return self.customer_id


class ProviderCharge(Entity):
    """
    A charge under one of our keys. Written before anything can be taken: only the charge named here ever is.

    Without a `charge_id` nothing is taken under this key any more, and `reason` says why.
    """

    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=60)
    charge_id = models.CharField(max_length=100, default="", blank=True)
    reason = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="provider_charge_is_one_per_key"),
            models.CheckConstraint(
                condition=Q(charge_id="") ^ Q(reason=""), name="provider_charge_exists_or_says_why_not"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ProviderRefund(Entity):
    """A refund that was asked for under one of our keys, written before the first time."""

    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="provider_refund_is_one_per_key"),
        ]

    def __str__(self) -> str:
        return self.key


class ProviderAccount(Entity):
    """An account of a person at a provider, to which money is paid out."""

    provider = models.CharField(max_length=20)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    account_id = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "person"], name="provider_account_is_one_per_person"),
        ]

    def __str__(self) -> str:
        return self.account_id


class ProviderPayout(Entity):
    """A payout that was asked for under one of our keys, written before the first time; a refusal stays."""

    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=60)
    reason = models.CharField(max_length=40, default="", blank=True)
    """Why it was refused; empty: it was not."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="provider_payout_is_one_per_key"),
        ]

    def __str__(self) -> str:
        return self.key
