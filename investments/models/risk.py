"""Declined payments, and the cases that too many of them open (docs/velocity.md)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from core.models import Entity
from investments.models.methods import PaymentMethod


class ChargeOrigin(Entity):
    """From which address a charge was asked for. Its id is that of the charge; without a row nobody knows."""

    address = models.CharField(max_length=64)
    """A keyed hash (`services.declines`)."""

    def __str__(self) -> str:
        return str(self.pk)


class Decline(Entity):
    """A clear no of the provider to a charge, written in the commit that records it. Silence is none."""

    key = models.CharField(max_length=60, unique=True)
    """Of the charge."""
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="+", db_index=False)
    card = models.CharField(max_length=64)
    """`PaymentMethod.card`"""
    address = models.CharField(max_length=64, default="", blank=True)
    """As `ChargeOrigin.address`; empty if nobody knows."""
    reason = models.CharField(max_length=40)

    class Meta:
        indexes = [
            models.Index(fields=["card", "created_at"], name="decline_by_card"),
            models.Index(fields=["person", "created_at"], name="decline_by_person"),
            models.Index(fields=["address", "created_at"], condition=~Q(address=""), name="decline_by_address"),
            models.Index(fields=["campaign", "created_at"], name="decline_by_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"


class RiskCase(Entity):
    """
    Too many declines by a rule: a payment method is suspended, or a person's payments are held, until somebody decides.

    What it says of the rule and of the declines does not change afterwards.
    """

    lock_level: ClassVar = 59

    class Consequence(models.TextChoices):
        SUSPEND_METHOD = "suspend_method"
        HOLD = "hold"

    class Status(models.TextChoices):
        OPEN = "open"
        LIFTED = "lifted"
        """The consequence has ended."""
        KEPT = "kept"
        """The consequence stays."""
        BANNED = "banned"
        """The card is of no use to anybody."""

    rule = models.CharField(max_length=40)
    rules_version = models.CharField(max_length=20)
    counted = models.CharField(max_length=10)
    """`velocity.Counts`"""
    subject = models.CharField(max_length=64)
    """Whose declines were counted: a card, an id, a hash."""
    failures = models.PositiveIntegerField()
    """How many there were when the case was opened."""
    limit = models.PositiveIntegerField()
    window_seconds = models.PositiveIntegerField()
    charges = models.JSONField(default=list)
    """Keys of the declined charges, the newest first; at most `services.declines.SHOWN`."""
    consequence = models.CharField(max_length=20, choices=Consequence)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="risk_cases")
    """Whose decline was the one too many."""
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="risk_cases")
    card = models.CharField(max_length=64)
    """`PaymentMethod.card` of the method."""
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    note = models.CharField(max_length=500, default="", blank=True)
    """For staff."""
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "lifted", "kept", "banned"]), name="risk_case_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(consequence__in=["suspend_method", "hold"]), name="risk_case_consequence_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_by=None, decided_at=None)
                | (~Q(status="open") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="risk_case_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("person")),
                name="risk_case_is_not_decided_by_its_person",
            ),
            models.UniqueConstraint(
                fields=["person", "card"],
                condition=Q(consequence="suspend_method", status__in=["open", "kept"]),
                name="risk_case_suspends_a_card_once",
            ),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(consequence="hold", status__in=["open", "kept"]),
                name="risk_case_holds_a_person_once",
            ),
        ]
        indexes = [
            models.Index(fields=["card"], condition=Q(status="banned"), name="risk_case_by_banned_card"),
            models.Index(fields=["created_at"], condition=Q(status="open"), name="risk_case_to_decide"),
            models.Index(fields=["rule", "subject"], condition=Q(status="lifted"), name="risk_case_lifted"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.created_at:%Y-%m-%d %H:%M}"
