"""
Booking what a payment provider has taken for itself, so that the books hold what it holds (docs/fees.md).

Each line of its statement is booked once: the unique id of the line makes whoever comes second wait for the first, and
then do nothing.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from core.data import sql
from core.data.transactions import retrying
from investments import books
from investments.models import ProviderFee
from investments.providers.base import StatementLine
from ledger.errors import InsufficientFunds

logger = logging.getLogger("vectragrow.payments")

BATCH = 200
"""Lines per commit: everybody who pays through this provider waits for it."""


def book_provider_fees(provider: str, lines: Iterable[StatementLine], *, now: datetime) -> None:
    """
    Book the fees of lines of a statement that are not booked yet. What the books do not have at the provider yet, since
    the payment itself is not recorded, is left to the next time.
    """
    with_fees = [line for line in lines if line.fee_minor]
    for start in range(0, len(with_fees), BATCH):
        batch = with_fees[start : start + BATCH]
        ids = [line.id for line in batch]
        known = set(ProviderFee.objects.filter(provider=provider, line_id__in=ids).values_list("line_id", flat=True))
        new = [line for line in batch if line.id not in known]
        try:
            _book(provider, new, now)
        except InsufficientFunds:
            logger.warning("fees of the provider are left for later", extra={"provider": provider, "count": len(new)})


@retrying
def _book(provider: str, lines: Iterable[StatementLine], now: datetime) -> None:
    fees = [
        ProviderFee(
            provider=provider,
            line_id=line.id,
            amount_minor=line.fee_minor,
            currency=line.amount.currency,
            taken_at=line.at,
            created_at=now,
        )
        for line in lines
    ]
    inserted = sql.insert_missing(*fees)
    for currency in sorted({fee.currency for fee in fees}):
        mine = [fee for fee in fees if fee.pk in inserted and fee.currency == currency]
        if mine:
            books.post_provider_fees(
                provider=provider, currency=currency, fees=[(fee.pk, fee.amount) for fee in mine], now=now
            )
