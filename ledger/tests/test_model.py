"""The books against a model of plain integers that shares no code with them (SECURITY-GOALS 11)."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from core.money import Money
from ledger.errors import InsufficientFunds, ReservationResolved
from ledger.faults import find_faults
from ledger.models import Posting
from ledger.selectors import balances
from ledger.services.postings import credit, debit, post, reverse
from ledger.services.reservations import post_reserved, reserve, void_reserved
from ledger.tests.conftest import NOW, opened

ACCOUNTS = ("outside", "bank", "escrow", "owner")
"""What the model knows of them: `outside` may go negative, and `bank` is an asset."""


@dataclass
class Model:
    """What is on each account, and what each posting moved. Nothing but integers."""

    posted: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    coming: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    going: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    def grows(self, account: int, debited: bool) -> bool:
        return debited == (account == 1)

    def changes(self, debited: int, credited: int, amount: int) -> list[tuple[int, int]]:
        return [
            (debited, amount if self.grows(debited, True) else -amount),
            (credited, amount if self.grows(credited, False) else -amount),
        ]

    def affords(self, changes: list[tuple[int, int]]) -> bool:
        return all(
            change > 0 or account == 0 or self.posted[account] - self.going[account] + change >= 0
            for account, change in changes
        )

    def post(self, changes: list[tuple[int, int]]) -> None:
        for account, change in changes:
            self.posted[account] += change

    def hold(self, changes: list[tuple[int, int]], times: int) -> None:
        for account, change in changes:
            if change > 0:
                self.coming[account] += times * change
            else:
                self.going[account] -= times * change


two_accounts = st.permutations(range(4)).map(lambda order: order[:2])
step = st.one_of(
    st.tuples(st.sampled_from(["post", "reserve"]), two_accounts, st.integers(1, 30)),
    st.tuples(st.sampled_from(["post_reserved", "void_reserved", "reverse", "repeat"]), st.integers(0, 5)),
)


class Books:
    """Drives the services and the model side by side, and compares them after every step."""

    def __init__(self) -> None:
        self.model = Model()
        self.accounts = [
            opened("outside", may_go_negative=True),
            opened("bank", "asset"),
            opened("escrow"),
            opened("owner"),
        ]
        self.postings: list[tuple[Posting, list[tuple[int, int]]]] = []
        self.reservations: list[list[Any]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.reversed: set[int] = set()

    def take(self, name: str, *facts: Any) -> None:
        match name, *facts:
            case "post", (debited, credited), minor:
                self.book(post, debited, credited, minor)
            case "reserve", (debited, credited), minor:
                self.book(reserve, debited, credited, minor)
            case "repeat", number if self.calls:
                book, call, made = self.calls[number % len(self.calls)]
                assert book(**call) == made
            case "reverse", number if self.postings:
                self.reverse(number % len(self.postings))
            case "post_reserved", number if self.reservations:
                self.resolve(post_reserved, number)
            case "void_reserved", number if self.reservations:
                self.resolve(void_reserved, number)

    def book(self, book: Any, debited: int, credited: int, minor: int) -> None:
        changes = self.model.changes(debited, credited, minor)
        money = Money(minor, "USD")
        call = {
            "key": f"key {len(self.calls)}",
            "kind": "test.moved",
            "lines": [debit(self.accounts[debited], money), credit(self.accounts[credited], money)],
            "now": NOW,
        }
        if not self.model.affords(changes):
            with pytest.raises(InsufficientFunds):
                book(**call)
            return
        made = book(**call)
        self.calls.append((book, call, made))
        if book is post:
            self.model.post(changes)
            self.postings.append((made, changes))
        else:
            self.model.hold(changes, 1)
            self.reservations.append([made, changes, None])

    def resolve(self, how: Any, number: int) -> None:
        held = self.reservations[number % len(self.reservations)]
        reservation, changes, resolved_by = held
        if resolved_by not in (None, how):
            with pytest.raises(ReservationResolved):
                how(reservation, now=NOW)
            return
        made = how(reservation, now=NOW)
        if resolved_by is None:
            held[2] = how
            self.model.hold(changes, -1)
            if how is post_reserved:
                self.model.post(changes)
                self.postings.append((made, changes))

    def reverse(self, number: int) -> None:
        posting, changes = self.postings[number]
        opposite = [(account, -change) for account, change in changes]
        if number in self.reversed:
            reverse(posting, kind="test.undone", now=NOW)
        elif self.model.affords(opposite):
            made = reverse(posting, kind="test.undone", now=NOW)
            self.reversed.add(number)
            self.model.post(opposite)
            self.postings.append((made, opposite))
        else:
            with pytest.raises(InsufficientFunds):
                reverse(posting, kind="test.undone", now=NOW)

    def compare(self) -> None:
        kept = balances(ACCOUNTS)
        assert [kept[code].posted.minor for code in ACCOUNTS] == self.model.posted
        assert [kept[code].pending_in.minor for code in ACCOUNTS] == self.model.coming
        assert [kept[code].pending_out.minor for code in ACCOUNTS] == self.model.going


@pytest.mark.django_db
@given(steps=st.lists(step, min_size=4, max_size=16))
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_books_agree_with_plain_integers(steps: Any) -> None:
    with transaction.atomic():
        books = Books()
        for each in steps:
            books.take(*each)
            books.compare()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert list(find_faults()) == []
        transaction.set_rollback(True)
