"""What this app knows of a person: how they pay, and where their money went (core.people)."""

from datetime import datetime
from uuid import UUID

from accounts.errors import MoneyInFlight
from core import people
from investments.models import UNDER_WAY, Investment, PaymentMethod, Refund, Status
from ledger.models import LedgerAccount

people.tells(
    PaymentMethod,
    by="owner_id",
    fields=("id", "type", "brand", "last4", "expiry_month", "expiry_year", "is_default", "created_at", "removed_at"),
)
people.tells(
    Investment,
    by="investor_id",
    fields=(
        "id",
        "campaign_id",
        "campaign__title",
        "amount_minor",
        "currency",
        "status",
        "reference",
        "cancellable_until",
        "created_at",
        "updated_at",
    ),
)


@people.objects
def object_while_money_moves(person_id: UUID) -> None:
    """:raises MoneyInFlight: a payment or refund is not done, money waits for a campaign's end, or we owe them some"""
    moving = Investment.objects.filter(investor_id=person_id, status__in=[*UNDER_WAY, Status.COMMITTED])
    refunds = Refund.objects.filter(payment__investment__investor_id=person_id, status=Refund.Status.PENDING)
    owed = LedgerAccount.objects.filter(code__startswith=f"payable:user:{person_id}:").exclude(posted=0)
    if moving.exists() or refunds.exists() or owed.exists():
        raise MoneyInFlight()


@people.forgets
def forget(*, person_id: UUID, now: datetime) -> None:
    """Investments and the ledger stay as they are, for an account without a name; how it paid goes."""
    methods = PaymentMethod.objects.filter(owner_id=person_id)
    methods.filter(removed_at__isnull=True).update(removed_at=now)
    methods.update(token="", brand="", is_default=False, expiry_month=None, expiry_year=None)
