from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from core.data.transactions import atomic
from core.money import Money
from ledger.errors import InsufficientFunds, PostingKeyReused
from ledger.models import Entry, LedgerAccount, Posting
from ledger.selectors import balance
from ledger.services.postings import credit, debit, post, reverse
from ledger.services.reservations import reserve
from ledger.tests.conftest import NOW, moving, opened, usd


def test_post_grows_each_account_on_its_own_side(escrow_of_100: LedgerAccount, clearing: LedgerAccount) -> None:
    assert balance(clearing).posted == balance(escrow_of_100).posted == usd("100")
    posting = Posting.objects.get(key="capture:1")
    assert posting.phase == "posted" and posting.reference == "investment:1" and posting.created_at == NOW
    assert {entry.account_id: entry.amount for entry in posting.entries.all()} == {
        clearing.pk: 10000,
        escrow_of_100.pk: -10000,
    }


def test_post_takes_what_is_there_and_refuses_a_cent_more(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    with pytest.raises(InsufficientFunds) as refused:
        post(key="a", **moving(usd("100.01"), source=escrow_of_100, target=owner))
    assert refused.value.facts == {"account": escrow_of_100.code, "available": usd("100")}
    assert refused.value.detail == "Only $100.00 is available."
    assert refused.value.status == 409

    post(key="a", **moving(usd("100"), source=escrow_of_100, target=owner))
    assert balance(escrow_of_100).posted == Money(0, "USD")
    assert balance(owner).posted == usd("100")


def test_an_account_that_may_go_negative_does(owner: LedgerAccount) -> None:
    losses = opened("loss", may_go_negative=True)
    post(key="a", **moving(usd("5"), source=losses, target=owner))
    assert balance(losses).posted == Money(-500, "USD")


def test_post_with_several_lines_and_currencies(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    fees = opened("fees", "income")
    euros, bank = opened("escrow:eur", currency="EUR"), opened("bank:eur", "asset", "EUR")
    whole = usd("100")
    net, fee = whole.split([95, 5])
    post(
        key="settled",
        kind="campaign.settled",
        lines=[
            debit(escrow_of_100, net),
            credit(owner, net),
            debit(escrow_of_100, fee),
            credit(fees, fee),
            debit(bank, Money(7, "EUR")),
            credit(euros, Money(7, "EUR")),
        ],
        now=NOW,
    )
    assert balance(escrow_of_100).posted == Money(0, "USD")
    assert (balance(owner).posted, balance(fees).posted, balance(euros).posted) == (net, fee, Money(7, "EUR"))
    assert Entry.objects.filter(posting__key="settled", account=escrow_of_100).count() == 1


def test_the_same_key_books_once(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    call = moving(usd("60"), source=escrow_of_100, target=owner)
    first = post(key="a", **call)
    again = post(key="a", **call | {"now": NOW + timedelta(hours=1)})
    assert again == first
    assert balance(owner).posted == usd("60")


@pytest.mark.parametrize(
    "change",
    [
        lambda source, target: moving(usd("61"), source=source, target=target),
        lambda source, target: moving(usd("60"), source=target, target=source),
        lambda source, target: moving(usd("60"), source=source, target=target) | {"kind": "other"},
        lambda source, target: moving(usd("60"), source=source, target=target) | {"reference": "other"},
    ],
)
def test_the_same_key_for_something_else_is_refused(
    escrow_of_100: LedgerAccount, owner: LedgerAccount, change: Any
) -> None:
    post(key="a", **moving(usd("60"), source=escrow_of_100, target=owner))
    with pytest.raises(PostingKeyReused):
        post(key="a", **change(escrow_of_100, owner))
    assert balance(owner).posted == usd("60")


def test_a_key_of_a_posting_cannot_reserve(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    post(key="a", **moving(usd("60"), source=escrow_of_100, target=owner))
    with pytest.raises(PostingKeyReused):
        reserve(key="a", **moving(usd("60"), source=escrow_of_100, target=owner))


def test_lines_that_do_not_balance_are_a_bug(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    euros = opened("eur", currency="EUR")
    for lines in (
        [debit(escrow_of_100, usd("10")), credit(owner, usd("9.99"))],
        [debit(escrow_of_100, usd("10")), credit(euros, Money(1000, "EUR"))],
        [debit(escrow_of_100, usd("10")), credit(escrow_of_100, usd("10"))],
        [],
    ):
        with pytest.raises(ValueError, match="the lines"):
            post(key="a", kind="x", lines=lines, now=NOW)
    assert not Posting.objects.filter(key="a").exists()


@pytest.mark.parametrize("amount", [Money(100, "EUR"), Money(0, "USD"), Money(-1, "USD")])
def test_a_line_takes_only_positive_amounts_of_its_currency(escrow: LedgerAccount, amount: Any) -> None:
    with pytest.raises(ValueError, match=escrow.code):
        debit(escrow, amount)
    with pytest.raises(ValueError, match=escrow.code):
        credit(escrow, amount)


def test_reverse_gives_back_once(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    posting = post(key="a", reference="payout:1", **moving(usd("60"), source=escrow_of_100, target=owner))
    reversal = reverse(posting, kind="test.undone", now=NOW)
    assert reverse(posting, kind="test.undone", now=NOW) == reversal
    assert reversal.reverses == posting and reversal.reference == "payout:1"
    assert balance(escrow_of_100).posted == usd("100")
    assert balance(owner).posted == Money(0, "USD")


def test_reverse_refuses_when_the_money_moved_on(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    posting = post(key="a", **moving(usd("60"), source=escrow_of_100, target=owner))
    post(key="b", **moving(usd("50"), source=owner, target=opened("elsewhere")))
    with pytest.raises(InsufficientFunds):
        reverse(posting, kind="test.undone", now=NOW)
    assert balance(owner).posted == usd("10")


def test_effective_at_may_differ_from_when_it_was_written(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    yesterday = NOW - timedelta(days=1)
    posting = post(key="a", **moving(usd("1"), source=escrow_of_100, target=owner), effective_at=yesterday)
    posting.refresh_from_db()
    assert (posting.effective_at, posting.created_at) == (yesterday, NOW)


@pytest.mark.django_db(transaction=True)
def test_money_is_booked_only_in_a_transaction(clearing: LedgerAccount, escrow: LedgerAccount) -> None:
    lines = [debit(clearing, usd("1")), credit(escrow, usd("1"))]
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError, match="transaction"):
        post(key="a", kind="x", lines=lines, now=NOW)
    with atomic():
        post(key="a", kind="x", lines=lines, now=NOW)
    assert balance(escrow).posted == usd("1")


@pytest.mark.django_db(transaction=True)
def test_money_is_gone_when_its_cause_rolls_back(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    with pytest.raises(LookupError):
        with atomic():
            post(key="a", **moving(usd("60"), source=escrow_of_100, target=owner))
            raise LookupError
    assert balance(escrow_of_100).posted == usd("100")
    assert not Posting.objects.filter(key="a").exists()
