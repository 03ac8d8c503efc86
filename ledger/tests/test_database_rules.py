"""The rules that hold whatever speaks to PostgreSQL: here it is raw SQL that tries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.data.ids import uuid7
from ledger.models import Entry, LedgerAccount, Posting
from ledger.selectors import balance
from ledger.services.postings import post
from ledger.services.reservations import post_reserved, reserve, void_reserved
from ledger.tests.conftest import NOW, moving, opened, usd


def sql(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def refused(because: str) -> Iterator[None]:
    """What the block does is refused, at the latest by the commit. What came before it was fine."""
    sql("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    with pytest.raises(IntegrityError, match=because), transaction.atomic():
        yield
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def write(entries: list[tuple[LedgerAccount, int]], entry_count: int | None = None, **values: Any) -> Posting:
    """A posting past the services."""
    links = {"phase": "posted", "kind": "raw", "key": str(uuid7()), "effective_at": NOW} | values
    posting = Posting.objects.create(entry_count=len(entries) if entry_count is None else entry_count, **links)
    add(posting, entries)
    return posting


def add(posting: Posting, entries: list[tuple[LedgerAccount, int]]) -> None:
    for account, amount in entries:
        Entry.objects.create(posting=posting, account=account, amount=amount, currency=account.currency)


@pytest.mark.parametrize("table", ["ledger_transaction", "ledger_entry"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET id = id",
        "UPDATE {} SET id = id WHERE false",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
    ],
)
def test_postings_and_entries_only_grow(escrow_of_100: LedgerAccount, table: str, statement: str) -> None:
    with refused(f"ledger_.* only grows: {statement.split()[0]} refused"):
        sql(statement.format(table))


def test_an_upsert_is_a_change_too(escrow_of_100: LedgerAccount) -> None:
    with refused("only grows: UPDATE refused"):
        sql("INSERT INTO ledger_entry SELECT * FROM ledger_entry ON CONFLICT (id) DO UPDATE SET amount = 1")


def test_the_orm_cannot_change_them_either(escrow_of_100: LedgerAccount) -> None:
    posting = Posting.objects.get()
    posting.description = "changed"
    with refused("only grows"):
        posting.save()
    with refused("only grows"):
        Entry.objects.all().delete()


def test_accounts_are_never_deleted(escrow: LedgerAccount, owner: LedgerAccount) -> None:
    with refused("only grows: DELETE refused"):
        LedgerAccount.objects.filter(pk=owner.pk).delete()
    with refused("ledger_.* only grows: TRUNCATE refused"):
        sql("TRUNCATE ledger_account CASCADE")


@pytest.mark.parametrize(
    "change", ["code = 'other'", "kind = 'asset'", "currency = 'EUR'", "may_go_negative = true", "created_at = now()"]
)
def test_an_account_keeps_its_nature(escrow: LedgerAccount, change: str) -> None:
    with refused("keeps its nature"):
        sql(f"UPDATE ledger_account SET {change}")


@pytest.mark.parametrize("column", ["posted", "pending_in", "pending_out"])
def test_no_statement_moves_a_balance(escrow: LedgerAccount, column: str) -> None:
    with refused("follow its entries"):
        sql(f"UPDATE ledger_account SET {column} = {column} + 1")
    with refused("must open empty"):
        LedgerAccount.objects.create(code="rich", kind="liability", currency="USD", **{column: 1})


def test_entries_written_past_the_services_are_counted_all_the_same(
    escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    write([(escrow_of_100, 2500), (owner, -2500)])
    assert (balance(escrow_of_100).posted, balance(owner).posted) == (usd("75"), usd("25"))


def test_a_posting_sums_to_zero(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    with refused("off by 1 minor units of USD"):
        write([(escrow_of_100, 100), (owner, -99)])
    write([(escrow_of_100, 100), (owner, -100)])


def test_a_posting_sums_to_zero_in_each_currency(escrow_of_100: LedgerAccount) -> None:
    yen = opened("escrow:jpy", currency="JPY")
    with refused("off by"):
        write([(escrow_of_100, 100), (yen, -100)])


def test_zero_sum_waits_for_the_commit(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    with transaction.atomic():
        posting = write([(escrow_of_100, 100)], entry_count=2)
        add(posting, [(owner, -100)])
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_posting_has_its_entries(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    with refused("has 0 entries instead of 2"):
        write([], entry_count=2)
    with refused("ledger_transaction_has_two_entries_unless_voided"):
        write([], entry_count=0)
    with refused("ledger_transaction_has_two_entries_unless_voided"):
        write([(owner, -1)])
    with refused("ledger_entry_moves_something"):
        write([(owner, 0), (escrow_of_100, 0)])
    with refused("ledger_entry_is_one_per_account"):
        write([(owner, -1), (owner, 1)])


def test_nothing_is_added_to_a_posting_later(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    old = Posting.objects.get()
    elsewhere = opened("elsewhere", "asset")
    with refused("has 4 entries instead of 2"):
        add(old, [(owner, -100), (elsewhere, 100)])


def test_an_entry_has_the_currency_of_its_account_and_a_posting(
    escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    posting = Posting(phase="posted", kind="raw", key="late", effective_at=NOW, entry_count=2)
    with refused("currency of its account"):
        posting.save()
        Entry.objects.create(posting=posting, account=owner, amount=-100, currency="EUR")
    with refused("its posting first"):
        sql(
            "INSERT INTO ledger_entry (id, transaction_id, account_id, amount, currency)"
            " VALUES (gen_random_uuid(), %(posting)s, %(account)s, 1, 'USD')",
            posting=posting.pk,
            account=owner.pk,
        )


def test_no_account_falls_below_zero(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    with refused("ledger_account_stays_at_or_above_zero"):
        write([(escrow_of_100, 10001), (owner, -10001)])
    with refused("ledger_account_stays_at_or_above_zero"):
        write([(escrow_of_100, 10001), (owner, -10001)], phase="reserved")
    write([(escrow_of_100, 10000), (owner, -10000)])


def test_a_reservation_resolves_once(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    reservation = reserve(key="r", **moving(usd("60"), source=escrow_of_100, target=owner))
    void_reserved(reservation, now=NOW)
    with refused("ledger_transaction_resolves_id_key"):
        write([(escrow_of_100, 6000), (owner, -6000)], resolves=reservation)
    with refused("ledger_transaction_resolves_id_key"):
        write([], phase="voided", resolves=reservation)
    assert balance(escrow_of_100).posted == usd("100")


def test_a_resolution_is_what_was_reserved(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    reservation = reserve(key="r", **moving(usd("60"), source=escrow_of_100, target=owner))
    reserve(key="r2", **moving(usd("30"), source=escrow_of_100, target=owner))
    with refused("differs from what it resolves"):
        write([(escrow_of_100, 5000), (owner, -5000)], resolves=reservation)
    with refused("has 2 entries instead of 0"):
        write([(escrow_of_100, 1), (owner, -1)], entry_count=0, phase="voided", resolves=reservation)
    post_reserved(reservation, now=NOW)


def test_only_reservations_are_resolved(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    posting = post(key="p", **moving(usd("10"), source=escrow_of_100, target=owner))
    reserve(key="r", **moving(usd("60"), source=escrow_of_100, target=owner))
    with refused("a posting that is posted"):
        write([], phase="voided", resolves=posting)
    with refused("a posting that is posted"):
        write([(escrow_of_100, 1000), (owner, -1000)], resolves=posting)
    for values in ({"phase": "voided"}, {"phase": "reserved", "resolves": posting}, {"phase": "other"}):
        with refused("ledger_transaction_|voids no reservation"):
            write([] if values["phase"] == "voided" else [(escrow_of_100, 1), (owner, -1)], **values)


def test_a_reversal_is_the_opposite_once(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    posting = post(key="p", **moving(usd("10"), source=escrow_of_100, target=owner))
    with refused("differs from what it resolves or reverses"):
        write([(escrow_of_100, -999), (owner, 999)], reverses=posting)
    write([(escrow_of_100, -1000), (owner, 1000)], reverses=posting)
    with refused("ledger_transaction_reverses_id_key"):
        write([(escrow_of_100, -1000), (owner, 1000)], reverses=posting)


def test_a_reservation_cannot_be_reversed(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    reservation = reserve(key="r", **moving(usd("10"), source=escrow_of_100, target=owner))
    reserve(key="r2", **moving(usd("60"), source=escrow_of_100, target=owner))
    post(key="p", **moving(usd("10"), source=escrow_of_100, target=owner))
    with refused("a posting that is reserved"):
        write([(escrow_of_100, -1000), (owner, 1000)], reverses=reservation)
