"""What this app knows of a person: how they pay, and where their money went (core.privacy.people)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.errors import MoneyInFlight
from core.privacy import people
from investments.models import UNDER_WAY, Investment, InvestmentEvent, Payment, PaymentMethod, Refund, Status
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
people.tells(
    Payment,
    by="investment__investor_id",
    fields=("investment_id", "provider", "status", "captured_minor", "refunded_minor", "created_at", "updated_at"),
)
people.tells(
    Refund,
    by="payment__investment__investor_id",
    fields=("payment__investment_id", "reason", "amount_minor", "currency", "status", "created_at", "updated_at"),
)
people.tells(
    InvestmentEvent,
    by="investment__investor_id",
    fields=("investment_id", "kind", "amount_minor", "note", "created_at"),
)


def books_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """What the books owe the person, or owed."""
    kept = LedgerAccount.objects.filter(code__contains=f":user:{person_id}:").order_by("code")
    for code, currency, posted in kept.values_list("code", "currency", "posted"):
        yield {"account": code.partition(":")[0], "currency": currency, "balanceMinor": posted}


people.tells(LedgerAccount, rows=books_of)


@people.objects(MoneyInFlight)
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
