from datetime import UTC, datetime
from typing import Any

import pytest

from core.data.transactions import atomic
from core.money import Money
from ledger.models import LedgerAccount
from ledger.services.accounts import open_account
from ledger.services.postings import credit, debit, post

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def opened(code: str, kind: str = "liability", currency: str = "USD", may_go_negative: bool = False) -> LedgerAccount:
    return open_account(code, kind=kind, currency=currency, now=NOW, may_go_negative=may_go_negative)


def moving(amount: Money, *, source: LedgerAccount, target: LedgerAccount) -> dict[str, Any]:
    """The keywords every posting here shares: `amount` from one liability to another."""
    return {"kind": "test.moved", "lines": [debit(source, amount), credit(target, amount)], "now": NOW}


@pytest.fixture
def clearing(db: None) -> LedgerAccount:
    return opened("provider:clearing:USD", "asset")


@pytest.fixture
def escrow(db: None) -> LedgerAccount:
    return opened("escrow:campaign:1")


@pytest.fixture
def owner(db: None) -> LedgerAccount:
    return opened("payable:owner:1")


@pytest.fixture
def escrow_of_100(clearing: LedgerAccount, escrow: LedgerAccount) -> LedgerAccount:
    """An escrow account that a captured payment of 100.00 USD has filled."""
    with atomic():
        post(
            key="capture:1",
            kind="investment.captured",
            reference="investment:1",
            lines=[debit(clearing, usd("100")), credit(escrow, usd("100"))],
            now=NOW,
        )
    return escrow
