from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from core.api.errors import InvalidAmount
from core.money import Money
from ledger.models import LedgerAccount
from ledger.selectors import balance, balances, moved, statement, totals
from ledger.services.accounts import open_account
from ledger.services.postings import credit, debit, post, reverse
from ledger.services.reservations import reserve
from ledger.tests.conftest import NOW, moving, opened, usd


def test_opening_twice_gives_the_same_empty_account(escrow: LedgerAccount) -> None:
    again = opened(escrow.code)
    assert again == escrow
    assert balance(again).posted == Money(0, "USD")


@pytest.mark.parametrize("changed", [{"kind": "asset"}, {"currency": "EUR"}, {"may_go_negative": True}])
def test_an_account_cannot_be_opened_again_as_something_else(escrow: LedgerAccount, changed: dict[str, Any]) -> None:
    nature: dict[str, Any] = {"kind": "liability", "currency": "USD", "may_go_negative": False, **changed}
    with pytest.raises(ValueError, match=escrow.code):
        open_account(escrow.code, now=NOW, **nature)


def test_balances_reads_many_in_one_query(
    escrow_of_100: LedgerAccount, owner: LedgerAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        found = balances([escrow_of_100.code, owner.code, "escrow:campaign:never-opened"])
    assert {code: each.posted for code, each in found.items()} == {
        escrow_of_100.code: usd("100"),
        owner.code: Money(0, "USD"),
    }


def test_totals_add_up_by_currency_and_prefix(
    escrow_of_100: LedgerAccount, clearing: LedgerAccount, owner: LedgerAccount
) -> None:
    yen = opened("escrow:campaign:2", currency="JPY")
    bank = opened("provider:clearing:JPY", "asset", "JPY")
    post(key="y", kind="x", lines=[debit(bank, Money(500, "JPY")), credit(yen, Money(500, "JPY"))], now=NOW)
    reserve(key="r", **moving(usd("30"), source=escrow_of_100, target=owner))

    found = totals("escrow:")
    assert list(found) == ["JPY", "USD"]
    assert found["JPY"].posted == Money(500, "JPY")
    assert (found["USD"].posted, found["USD"].available) == (usd("100"), usd("70"))
    assert totals("nothing:") == {}


def test_moved_counts_what_one_cause_changed(
    escrow_of_100: LedgerAccount, clearing: LedgerAccount, owner: LedgerAccount
) -> None:
    refund = post(
        key="refund:1",
        kind="investment.refunded",
        reference="investment:1",
        lines=[debit(escrow_of_100, usd("40")), credit(clearing, usd("40"))],
        now=NOW,
    )
    reserve(key="r", reference="investment:1", **moving(usd("5"), source=escrow_of_100, target=owner))
    assert moved(escrow_of_100, "investment:1") == usd("60")
    assert moved(clearing, "investment:1") == usd("60")
    reverse(refund, kind="investment.refund_reversed", now=NOW)
    assert moved(escrow_of_100, "investment:1") == usd("100")
    assert moved(escrow_of_100, "investment:2") == Money(0, "USD")


@pytest.mark.parametrize("more", [0, 9])
def test_statement_is_newest_first_in_one_query(
    escrow_of_100: LedgerAccount, owner: LedgerAccount, django_assert_num_queries: DjangoAssertNumQueries, more: int
) -> None:
    for number in range(more):
        post(key=f"p{number}", **moving(usd("1"), source=escrow_of_100, target=owner))
    with django_assert_num_queries(1):
        keys = [entry.posting.key for entry in statement(escrow_of_100)]
    assert keys == [f"p{number}" for number in reversed(range(more))] + ["capture:1"]


@pytest.mark.parametrize(("currency", "text", "minor"), [("JPY", "1000", 1000), ("KWD", "1.234", 1234)])
def test_currencies_keep_their_own_decimals(db: None, currency: str, text: str, minor: int) -> None:
    bank, escrow = opened("bank", "asset", currency), opened("escrow", currency=currency)
    amount = Money.of(text, currency)
    post(key="k", kind="x", lines=[debit(bank, amount), credit(escrow, amount)], now=NOW)
    assert LedgerAccount.objects.get(code="escrow").posted == minor
    assert balance(escrow).posted.text == text
    with pytest.raises(InvalidAmount):
        Money.of(f"{text}{'.' if '.' not in text else ''}5", currency)
