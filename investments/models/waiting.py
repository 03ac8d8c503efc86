"""Who waits for a place in a campaign that is full (docs/waiting-list.md)."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from core.models import Entity
from core.money import Money
from investments.models.investments import Investment
from investments.models.methods import PaymentMethod


class WaitingStatus(models.TextChoices):
    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    LEFT = "left"


IN_LIST = (WaitingStatus.WAITING, WaitingStatus.OFFERED)


class WaitingQuerySet(models.QuerySet["WaitingEntry"]):
    def in_list(self) -> Self:
        """Those that were not accepted, given up or ended; the clock may have ended some (`status_at`)."""
        return self.filter(status__in=IN_LIST)


class WaitingEntry(Entity):
    """
    Somebody wants to put an amount into a campaign once there is room for it. Nothing is charged.

    Changed only under the lock of its campaign, which also keeps the sum of what is offered.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="waiting_entries", db_index=False)
    investor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="waiting_entries")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="waiting_entries")
    """What pays when an offer is accepted."""
    amount_minor = models.BigIntegerField()
    """What is wanted."""
    currency = models.CharField(max_length=3)
    position = models.PositiveIntegerField()
    """Given under the campaign's lock, counting from 1: who has the smaller one comes first."""
    status = models.CharField(max_length=10, choices=WaitingStatus, default=WaitingStatus.WAITING)
    offered_minor = models.BigIntegerField(default=0)
    """What is kept free for its investor: all that is wanted, or the part that there is room for."""
    offer_ends_at = models.DateTimeField(null=True, blank=True)
    investment = models.OneToOneField(
        Investment, on_delete=models.PROTECT, null=True, blank=True, related_name="waiting_entry"
    )
    """What became of it, when it was accepted."""
    updated_at = models.DateTimeField()

    objects: ClassVar[WaitingQuerySet] = WaitingQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "waiting entries"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "position"], name="waiting_entry_has_a_position_of_its_own"),
            models.UniqueConstraint(
                fields=["campaign", "investor"],
                condition=Q(status__in=["waiting", "offered"]),
                name="waiting_entry_is_one_per_campaign_and_person",
            ),
            models.CheckConstraint(condition=Q(status__in=WaitingStatus.values), name="waiting_status_is_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, offered_minor__gte=0, offered_minor__lte=F("amount_minor")),
                name="waiting_offer_is_at_most_what_is_wanted",
            ),
            models.CheckConstraint(
                condition=Q(status="offered", offered_minor__gt=0, offer_ends_at__isnull=False)
                | ~Q(status="offered") & Q(offered_minor=0),
                name="waiting_offer_has_an_amount_and_an_end",
            ),
            models.CheckConstraint(
                condition=Q(status="accepted", investment__isnull=False)
                | ~Q(status="accepted") & Q(investment__isnull=True),
                name="waiting_entry_has_an_investment_when_accepted",
            ),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "position"], condition=Q(status__in=["waiting", "offered"]), name="waiting_in_line"
            ),
            models.Index(fields=["offer_ends_at"], condition=Q(status="offered"), name="waiting_offers"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.position}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def offered(self) -> Money:
        return Money(self.offered_minor, self.currency)

    @property
    def missing_minor(self) -> int:
        """What is wanted and not offered yet."""
        return self.amount_minor - self.offered_minor

    def is_expired_at(self, now: datetime) -> bool:
        """Whether an offer has run out, though nobody may have passed it on yet."""
        return self.status == WaitingStatus.OFFERED and self.offer_ends_at is not None and self.offer_ends_at <= now

    def status_at(self, now: datetime, campaign: Campaign) -> WaitingStatus:
        """By the clock: offers run out, and the list ends with the campaign, also when no job has run."""
        is_over = self.is_expired_at(now) or not campaign.is_open_at(now)
        if self.status in IN_LIST and is_over:
            return WaitingStatus.EXPIRED
        return WaitingStatus(self.status)
