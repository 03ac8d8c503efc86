"""ledger_verify names what is wrong, ledger_export says everything, ledger_lockdown takes rights away."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, ProgrammingError, connection, transaction

from core.data.transactions import atomic
from core.money import Money
from core.testing import together
from ledger.faults import CHECKS, find_faults
from ledger.management.commands import ledger_export
from ledger.models import LedgerAccount, Posting
from ledger.selectors import balance, snapshot
from ledger.services.postings import credit, debit, post, reverse
from ledger.services.reservations import post_reserved, reserve, void_reserved
from ledger.tests.conftest import NOW, moving, opened, usd

TABLES = ("ledger_account", "ledger_transaction", "ledger_entry")


def run(command: str, *args: Any) -> list[str]:
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def story(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    """One of everything: a capture, a payout in two phases, a reservation voided, one open, a reversal, and yen."""
    post_reserved(reserve(key="payout", **moving(usd("60"), source=escrow_of_100, target=owner)), now=NOW)
    void_reserved(reserve(key="void", **moving(usd("10"), source=escrow_of_100, target=owner)), now=NOW)
    reserve(key="open", **moving(usd("5"), source=escrow_of_100, target=owner))
    reverse(post(key="wrong", **moving(usd("1"), source=escrow_of_100, target=owner)), kind="test.undone", now=NOW)
    yen, bank = opened("escrow:jpy", currency="JPY"), opened("bank:jpy", "asset", "JPY")
    post(key="yen", kind="x", lines=[debit(bank, Money(500, "JPY")), credit(yen, Money(500, "JPY"))], now=NOW)


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def guards_off(*more: str) -> Iterator[None]:
    """
    As somebody with the tables' ownership and bad intentions could. Undone with the test's transaction.

    :param more: tables beside those of the books themselves
    """

    def switch(state: str) -> None:
        tables = (*TABLES, *more)
        execute("SET CONSTRAINTS ALL IMMEDIATE", *(f"ALTER TABLE {table} {state} TRIGGER USER" for table in tables))

    switch("DISABLE")
    yield
    switch("ENABLE")


ENTRY = (
    "(SELECT id FROM ledger_entry WHERE transaction_id = (SELECT id FROM ledger_transaction WHERE key = '{}') LIMIT 1)"
)
COLUMNS = "created_at, phase, kind, reference, description, effective_at, entry_count"

OF_THE_BOOKS = [check for check in CHECKS if "sealed" not in check]
"""The others are in test_seals.py."""

PLANTED = {
    "posting_unbalanced": [
        f"UPDATE ledger_entry SET amount = amount + 1 WHERE id = {ENTRY.format('capture:1')}",
    ],
    "posting_incomplete": [
        f"DELETE FROM ledger_entry WHERE id = {ENTRY.format('yen')}",
    ],
    "posting_repeated": [
        "ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_key_is_used_once",
        f"INSERT INTO ledger_transaction (id, key, {COLUMNS})"
        f" SELECT gen_random_uuid(), key, {COLUMNS} FROM ledger_transaction WHERE key = 'yen'",
    ],
    "entry_homeless": [
        "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_account_id_e9f5e345_fk_ledger_account_id",
        "DELETE FROM ledger_account WHERE code = 'escrow:jpy'",
    ],
    "entry_currency": [
        "UPDATE ledger_entry SET currency = 'EUR' WHERE currency = 'JPY'",
    ],
    "reservation_resolved_twice": [
        "ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_resolves_id_key",
        f"INSERT INTO ledger_transaction (id, key, {COLUMNS}, resolves_id)"
        f" SELECT gen_random_uuid(), 'again', {COLUMNS}, resolves_id FROM ledger_transaction"
        " WHERE key = 'void/resolved'",
    ],
    "posting_reversed_twice": [
        "ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_reverses_id_key",
        f"INSERT INTO ledger_transaction (id, key, {COLUMNS}, reverses_id)"
        f" SELECT gen_random_uuid(), 'again', {COLUMNS}, reverses_id FROM ledger_transaction"
        " WHERE key = 'wrong/reversed'",
    ],
    "link_to_wrong_phase": [
        "UPDATE ledger_transaction SET resolves_id = (SELECT id FROM ledger_transaction WHERE key = 'yen')"
        " WHERE key = 'payout/resolved'",
    ],
    "link_with_other_amounts": [
        "UPDATE ledger_entry SET amount = amount * 2 WHERE transaction_id ="
        " (SELECT id FROM ledger_transaction WHERE key = 'wrong/reversed')",
    ],
    "balance_differs": [
        "UPDATE ledger_account SET pending_in = 0 WHERE code = 'payable:owner:1'",
    ],
    "account_below_zero": [
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_stays_at_or_above_zero",
        "UPDATE ledger_account SET posted = -1 WHERE code = 'escrow:jpy'",
    ],
    "guard_missing": [
        "DROP TRIGGER ledger_entry_balances ON ledger_entry",
    ],
}


@pytest.mark.usefixtures("story")
def test_verify_is_one_calm_line_when_all_is_well() -> None:
    assert run("ledger_verify") == ["Ledger is clean: 5 accounts, 9 postings (1 reserved), 16 entries in JPY USD."]


def test_verify_of_empty_books(db: None) -> None:
    assert run("ledger_verify") == ["Ledger is clean: 0 accounts, 0 postings (0 reserved), 0 entries in none."]


def test_every_check_has_a_planted_fault() -> None:
    assert list(PLANTED) == OF_THE_BOOKS


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("check", OF_THE_BOOKS)
def test_verify_finds_what_was_planted(check: Any) -> None:
    with guards_off():
        execute(*PLANTED[check])
    out = StringIO()
    with pytest.raises(CommandError, match=r"Ledger has [0-9]+ fault") as failed:
        call_command("ledger_verify", stdout=out)
    assert failed.value.returncode == 1
    assert check in {line.split(":")[0] for line in out.getvalue().splitlines()}


@pytest.mark.usefixtures("story")
def test_verify_names_each_fault() -> None:
    with guards_off():
        execute("UPDATE ledger_account SET posted = posted + 7 WHERE currency = 'USD'")
    faults = list(find_faults())
    assert {fault.check for fault in faults} == {"balance_differs"}
    assert sorted(fault.detail.split()[1] for fault in faults) == [
        "escrow:campaign:1",
        "payable:owner:1",
        "provider:clearing:USD",
    ]
    assert any("keeps posted 4007, in 0, out 500; its entries give 4000, 0, 500" in fault.detail for fault in faults)


@pytest.mark.usefixtures("story")
def test_verify_notices_guards_that_are_switched_off() -> None:
    execute("SET CONSTRAINTS ALL IMMEDIATE", "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_only_grows")
    assert [fault.detail for fault in find_faults()] == [
        "trigger ledger_entry_only_grows on ledger_entry is missing or switched off"
    ]


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_sees_one_moment_and_writes_nothing(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    def book() -> None:
        with atomic():
            post(key="meanwhile", **moving(usd("60"), source=escrow_of_100, target=owner))

    with snapshot():
        before = balance(escrow_of_100)
        assert together(book) == [None]
        assert balance(escrow_of_100) == before
        assert list(find_faults()) == []
        with pytest.raises(DatabaseError, match="read-only"), transaction.atomic():
            opened("not now")
    assert balance(escrow_of_100).posted == usd("40")


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_export_rebuilds_the_balances(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(ledger_export, "BATCH", batch)
    records = [json.loads(line) for line in run("ledger_export")]
    accounts = {record["code"]: record for record in records if record["type"] == "account"}
    postings = [record for record in records if record["type"] == "posting"]
    assert len(accounts) == LedgerAccount.objects.count()
    assert len(postings) == Posting.objects.count()
    assert [record["id"] for record in postings] == sorted(record["id"] for record in postings)

    rebuilt: defaultdict[str, int] = defaultdict(int)
    for posting in postings:
        by_currency: defaultdict[str, int] = defaultdict(int)
        for entry in posting["entries"]:
            by_currency[entry["currency"]] += entry["minor"]
            assert entry["currency"] == accounts[entry["account"]]["currency"]
            if posting["phase"] == "posted":
                grows = 1 if accounts[entry["account"]]["kind"] == "asset" else -1
                rebuilt[entry["account"]] += grows * entry["minor"]
        assert not any(by_currency.values())
    assert dict(rebuilt) == {code: record["posted"] for code, record in accounts.items()}
    amounts = {entry["amount"] for posting in postings for entry in posting["entries"]}
    assert {"500", "-500", "100.00", "-100.00"} <= amounts


@pytest.mark.usefixtures("story")
def test_export_is_the_same_each_time() -> None:
    assert run("ledger_export") == run("ledger_export")


def test_lockdown_leaves_only_what_booking_needs(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    execute("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED", "CREATE ROLE books_clerk")
    assert run("ledger_lockdown", "books_clerk") == ["books_clerk may read and add to the books, and nothing else."]
    execute("SET LOCAL ROLE books_clerk")
    post_reserved(reserve(key="r", **moving(usd("60"), source=escrow_of_100, target=owner)), now=NOW)
    opened("another")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in (
        "UPDATE ledger_entry SET amount = 1",
        "UPDATE ledger_transaction SET key = '1'",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_transaction",
        "DELETE FROM ledger_account",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_account SET currency = 'EUR'",
        "ALTER TABLE ledger_entry DISABLE TRIGGER USER",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
            execute(statement)
    execute("RESET ROLE")
    assert balance(owner).posted == usd("60")


def test_lockdown_says_when_it_cannot_bind_a_role(db: None) -> None:
    with pytest.raises(CommandError, match="There is no role nobody_here"):
        run("ledger_lockdown", "nobody_here")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
    with pytest.raises(CommandError, match="could still change ledger_account, ledger_entry, ledger_seal"):
        run("ledger_lockdown", owner)
