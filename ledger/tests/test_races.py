"""
Rivals on connections of their own. A twin takes the lock away and holds everybody at that point until all have read:
it must show the bug that the lock prevents, so we know that the test can see it.
"""

from functools import partial
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError

from core.api.errors import Busy
from core.data import locks, sql, transactions
from core.data.locks import lock
from core.data.transactions import atomic
from core.money import Money
from core.testing import WAIT_LIMIT, together
from ledger.errors import InsufficientFunds, PostingKeyReused, ReservationResolved
from ledger.models import LedgerAccount, Posting
from ledger.selectors import balance
from ledger.services import postings, reservations
from ledger.services.postings import post
from ledger.services.reservations import post_reserved, reserve, void_reserved
from ledger.tests.conftest import moving, opened, usd

pytestmark = pytest.mark.django_db(transaction=True)


def booked(book: Any, *args: Any, **call: Any) -> Any:
    with atomic():
        return book(*args, **call)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts are only read, and two that have read them go on together. Ask for it last: setting up books, too."""
    barrier = Barrier(2)

    def read_accounts(account_ids: Any) -> dict[UUID, LedgerAccount]:
        accounts = {account.pk: account for account in LedgerAccount.objects.filter(pk__in=list(account_ids))}
        barrier.wait(timeout=WAIT_LIMIT)
        return accounts

    monkeypatch.setattr(postings, "lock_accounts", read_accounts)


def spend_60_twice(escrow: LedgerAccount, owner: LedgerAccount) -> list[Any]:
    return together(
        *(partial(booked, post, key=key, **moving(usd("60"), source=escrow, target=owner)) for key in ("a", "b"))
    )


def test_two_cannot_spend_the_same_money(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    outcomes = spend_60_twice(escrow_of_100, owner)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InsufficientFunds", "Posting"]
    assert (balance(escrow_of_100).posted, balance(owner).posted) == (usd("40"), usd("60"))


def test_two_cannot_spend_the_same_money_twin(
    escrow_of_100: LedgerAccount, owner: LedgerAccount, unlocked: None
) -> None:
    """Without the lock both believe there is enough, and only the database's own check stops the second: a crash."""
    outcomes = spend_60_twice(escrow_of_100, owner)
    assert not any(isinstance(outcome, InsufficientFunds) for outcome in outcomes)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IntegrityError", "Posting"]
    assert "ledger_account_stays_at_or_above_zero" in str([o for o in outcomes if isinstance(o, IntegrityError)])


def cross_over(escrow: LedgerAccount, owner: LedgerAccount) -> list[Any]:
    """Money goes both ways between two accounts at once."""
    return together(
        partial(booked, post, key="there", **moving(usd("10"), source=escrow, target=owner)),
        partial(booked, post, key="back", **moving(usd("10"), source=owner, target=escrow)),
    )


@pytest.fixture
def owner_of_50(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> LedgerAccount:
    booked(post, key="first", **moving(usd("50"), source=escrow_of_100, target=owner))
    return owner


def test_crossing_payments_do_not_deadlock(escrow_of_100: LedgerAccount, owner_of_50: LedgerAccount) -> None:
    for outcome in cross_over(escrow_of_100, owner_of_50):
        assert isinstance(outcome, Posting)
    assert (balance(escrow_of_100).posted, balance(owner_of_50).posted) == (usd("50"), usd("50"))


def test_crossing_payments_do_not_deadlock_twin(
    escrow_of_100: LedgerAccount, owner_of_50: LedgerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked in the order of the lines instead of one order for all, each waits for what the other holds."""
    barrier = Barrier(2)

    def lock_as_listed(account_ids: Any) -> dict[Any, LedgerAccount]:
        accounts: dict[Any, LedgerAccount] = {}
        for account_id in account_ids:
            if accounts:
                barrier.wait(timeout=WAIT_LIMIT)
            accounts[account_id] = lock(LedgerAccount.objects).get(pk=account_id)
        return accounts

    monkeypatch.setattr(postings, "lock_accounts", lock_as_listed)
    monkeypatch.setattr(locks, "is_guarded", False)
    outcomes = cross_over(escrow_of_100, owner_of_50)
    assert [transactions.sqlstate(outcome) for outcome in outcomes if isinstance(outcome, OperationalError)] == [
        "40P01"
    ]


def test_the_same_key_at_once_books_once(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    call = partial(booked, post, key="a", **moving(usd("60"), source=escrow_of_100, target=owner))
    first, second = together(call, call)
    assert first == second == Posting.objects.get(key="a")
    assert balance(owner).posted == usd("60")


@pytest.mark.parametrize(("amounts", "refusals"), [(("30", "30"), 0), (("30", "31"), 1)])
def test_a_rival_with_the_same_key_between_check_and_write(
    escrow_of_100: LedgerAccount, owner: LedgerAccount, unlocked: None, amounts: Any, refusals: int
) -> None:
    """Both looked before either wrote. The unique key decides, and the loser answers as if it had come later."""
    outcomes = together(
        *(
            partial(booked, post, key="a", **moving(usd(amount), source=escrow_of_100, target=owner))
            for amount in amounts
        )
    )
    assert [isinstance(outcome, PostingKeyReused) for outcome in outcomes].count(True) == refusals
    assert {outcome for outcome in outcomes if isinstance(outcome, Posting)} == {Posting.objects.get(key="a")}


def resolve_both_ways() -> list[Any]:
    reservation = Posting.objects.get(key="r")
    return together(
        partial(booked, post_reserved, reservation, now=reservation.created_at),
        partial(booked, void_reserved, reservation, now=reservation.created_at),
    )


@pytest.fixture
def reservation_of_60(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> Posting:
    return booked(reserve, key="r", **moving(usd("60"), source=escrow_of_100, target=owner))


def assert_resolved_once(outcomes: Any, escrow: LedgerAccount) -> None:
    refused = [outcome for outcome in outcomes if isinstance(outcome, ReservationResolved)]
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Posting)]
    assert [refusal.facts["state"] for refusal in refused] == [won.phase]
    assert balance(escrow).available == (usd("40") if won.phase == "posted" else usd("100"))
    assert balance(escrow).pending_out == Money(0, "USD")


def test_a_reservation_is_posted_or_voided(
    reservation_of_60: Posting, escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    assert_resolved_once(resolve_both_ways(), escrow_of_100)


def test_a_reservation_is_posted_or_voided_even_between_check_and_write(
    reservation_of_60: Posting, escrow: LedgerAccount, owner: LedgerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Both have read that it is not resolved before either writes. No lock is taken here, so there is none to remove: the
    unique key decides, and the loser is refused as if it had come later.
    """
    barrier = Barrier(2)

    def read_together(*reads: Any) -> Any:
        found = sql.read(*reads)
        barrier.wait(timeout=WAIT_LIMIT)
        return found

    monkeypatch.setattr(reservations, "sql", SimpleNamespace(**{**vars(sql), "read": read_together}))
    assert_resolved_once(resolve_both_ways(), escrow)


def test_an_account_is_opened_once(db: None) -> None:
    accounts = together(*[partial(opened, "escrow:campaign:new")] * 4)
    assert len(set(accounts)) == LedgerAccount.objects.count() == 1


def test_nobody_waits_long_for_an_account(
    escrow_of_100: LedgerAccount, owner: LedgerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "200ms")
    has_lock, done = Event(), Event()

    def hold() -> None:
        with atomic():
            postings.lock_accounts([escrow_of_100.pk])
            has_lock.set()
            done.wait(timeout=WAIT_LIMIT)

    def book() -> Any:
        has_lock.wait(timeout=WAIT_LIMIT)
        try:
            return booked(post, key="a", **moving(usd("1"), source=escrow_of_100, target=owner))
        finally:
            done.set()

    _, outcome = together(hold, book)
    assert isinstance(outcome, Busy)
    assert balance(owner).posted == Money(0, "USD")
