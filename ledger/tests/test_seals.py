"""Each day of the books is sealed, chained to the one before, and whoever changes it afterwards is found."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from core import clock
from core.jobs.runner import run
from core.money import Money
from core.testing import together
from ledger import oracle
from ledger.faults import find_faults
from ledger.jobs import SEAL_DAYS
from ledger.models import Entry, LedgerAccount, Posting, Seal, SealedDay
from ledger.services import seals
from ledger.services.postings import credit, debit, post
from ledger.services.reservations import reserve, void_reserved
from ledger.tests.conftest import moving, opened, usd
from ledger.tests.test_commands import TABLES, execute, guards_off, run as command

SEALS = ("ledger_seal", "ledger_sealed_day")
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Postings get ids of a day, as if they were booked then."""

    @contextmanager
    def booked_on(moment: datetime) -> Iterator[None]:
        count = iter(range(4096))

        def made() -> UUID:
            lead = (int(moment.timestamp() * 1000) << 16) | (0x7 << 12) | next(count)
            return UUID(int=(lead << 64) | (0b10 << 62))

        with monkeypatch.context() as patch:
            patch.setattr(Posting._meta.get_field("id"), "default", made)
            patch.setattr(Posting._meta.get_field("id"), "_get_default", made)
            yield

    return booked_on


@pytest.fixture
def three_days(escrow_of_100: LedgerAccount, owner: LedgerAccount, on_day: Any) -> None:
    """Postings on the first, second and fourth of March, sealed; the escrow's own is of today."""
    for day in (0, 1, 3):
        with on_day(FIRST + timedelta(days=day)):
            post(key=f"a{day}", **moving(usd("1"), source=escrow_of_100, target=owner))
            void_reserved(
                reserve(key=f'über "{day}"\t中', **moving(usd("2"), source=escrow_of_100, target=owner)), now=FIRST
            )
    run(SEAL_DAYS, now=clock.now())


def exported() -> list[str]:
    return command("ledger_export")


def checks() -> set[str]:
    return {fault.check for fault in find_faults()}


def test_days_are_sealed_once_they_are_over(three_days: None) -> None:
    days = list(SealedDay.objects.order_by("day"))
    assert [(one.day, one.posting_count) for one in days] == [
        (date(2026, 3, 1), 3), (date(2026, 3, 2), 3), (date(2026, 3, 4), 3)
    ]  # fmt: skip
    assert [bytes(one.previous) for one in days] == [bytes(32), *(bytes(one.digest) for one in days[:2])]
    assert Seal.objects.count() == 9
    again = run(SEAL_DAYS, now=clock.now())
    assert (again.due, SealedDay.objects.count()) == (0, 3)
    assert not list(find_faults())
    assert f"sealed up to 2026-03-04 as {bytes(days[-1].digest).hex()}" in command("ledger_verify")[-1]


def test_a_day_is_sealed_an_hour_after_it(escrow_of_100: LedgerAccount, owner: LedgerAccount, on_day: Any) -> None:
    with on_day(FIRST):
        post(key="a", **moving(usd("1"), source=escrow_of_100, target=owner))
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert list(seals.days_to_seal(midnight + timedelta(minutes=59))) == []
    assert list(seals.days_to_seal(midnight + timedelta(hours=1))) == [date(2026, 3, 1)]
    with pytest.raises(ValueError, match="not over"):
        seals.seal_day(date(2026, 3, 1), now=midnight)


def test_an_earlier_day_cannot_be_sealed_later(three_days: None) -> None:
    with pytest.raises(ValueError, match="cannot be any more"):
        seals.seal_day(date(2026, 3, 3), now=clock.now())
    seals.seal_day(date(2026, 3, 2), now=clock.now())
    assert SealedDay.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_at_once_seal_a_day_once(on_day: Any) -> None:
    bank, escrow = opened("bank", "asset"), opened("escrow")
    with on_day(FIRST), transaction.atomic():
        post(key="a", kind="x", lines=[debit(bank, usd("1")), credit(escrow, usd("1"))], now=FIRST)
    together(*[lambda: seals.seal_day(date(2026, 3, 1), now=clock.now())] * 4)
    assert (SealedDay.objects.count(), Seal.objects.count()) == (1, 1)
    assert not list(find_faults())


@pytest.mark.parametrize("table", SEALS)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {}"])
def test_seals_are_not_rewritten(table: str, statement: str, three_days: None) -> None:
    setting = "hash = hash" if table == "ledger_seal" else "digest = digest"
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        execute(statement.format(table, setting))


class TestWhoeverChangesTheBooks:
    """Past every trigger, in a way that the other checks do not see: balances and sums stay right."""

    def test_a_changed_posting_is_named(self, three_days: None) -> None:
        with guards_off():
            execute("UPDATE ledger_transaction SET reference = 'investment:other' WHERE key = 'a1'")
        (fault,) = find_faults()
        assert (fault.check, "a1 (" in fault.detail) == ("sealed_posting_changed", True)

    def test_an_amount_moved_between_two_postings_is_named(self, three_days: None) -> None:
        with guards_off():
            for key, sign in (("a0", "+"), ("a1", "-")):
                execute(
                    f"UPDATE ledger_entry SET amount = amount {sign} 50 * sign(amount) WHERE transaction_id = "
                    f"(SELECT id FROM ledger_transaction WHERE key = '{key}')"
                )
        found = [fault.detail for fault in find_faults()]
        assert [detail.split()[1] for detail in found] == ["a0", "a1"]
        assert oracle.check(exported())[0]

    def test_a_missing_posting_is_named(self, three_days: None) -> None:
        posting = Posting.objects.get(key="a1")
        with guards_off():
            Entry.objects.filter(posting=posting)._raw_delete("default")
            Posting.objects.filter(pk=posting.pk)._raw_delete("default")
            execute("UPDATE ledger_account SET posted = posted + 100 WHERE code LIKE 'escrow%'")
            execute("UPDATE ledger_account SET posted = posted - 100 WHERE code LIKE 'payable%'")
        missing = [fault for fault in find_faults() if fault.check == "sealed_posting_missing"]
        assert [str(posting.pk) in fault.detail for fault in missing] == [True]
        assert any("2026-03-02" in fault for fault in oracle.check(exported())[0])

    def test_an_added_posting_is_named(
        self, three_days: None, escrow_of_100: LedgerAccount, owner: LedgerAccount, on_day: Any
    ) -> None:
        with on_day(FIRST + timedelta(hours=1)):
            post(key="late", **moving(usd("1"), source=escrow_of_100, target=owner))
        (fault,) = find_faults()
        assert (fault.check, "late" in fault.detail) == ("posting_added_to_sealed_day", True)

    def test_a_rewritten_seal_breaks_its_day(self, three_days: None) -> None:
        with guards_off(*SEALS):
            execute("UPDATE ledger_transaction SET reference = 'x' WHERE key = 'a1'")
            execute(
                "UPDATE ledger_seal SET hash = ledger_hash(p) FROM ledger_transaction p "
                "WHERE p.id = posting_id AND p.key = 'a1'"
            )
        assert checks() == {"sealed_day_changed"}

    def test_a_rewritten_day_breaks_the_chain(self, three_days: None) -> None:
        with guards_off(*SEALS):
            execute("UPDATE ledger_transaction SET reference = 'x' WHERE key = 'a1'")
            execute(
                "UPDATE ledger_seal SET hash = ledger_hash(p) FROM ledger_transaction p "
                "WHERE p.id = posting_id AND p.key = 'a1'"
            )
            execute(
                "UPDATE ledger_sealed_day s SET digest = ledger_digest(previous, day, (SELECT string_agg("
                "hash, ''::bytea ORDER BY posting_id) FROM ledger_seal WHERE ledger_day(posting_id) = s.day)) "
                "WHERE day = '2026-03-02'"
            )
        assert checks() == {"sealed_day_missing"}

    def test_a_day_that_is_gone_breaks_the_chain(self, three_days: None) -> None:
        with guards_off(*SEALS):
            execute("DELETE FROM ledger_sealed_day WHERE day = '2026-03-02'")
        assert checks() == {"sealed_day_changed", "sealed_day_missing"}


class TestOracle:
    """Rebuilds the books from the export, without any of our code."""

    def test_agrees_with_sound_books(self, three_days: None, tmp_path: Path) -> None:
        lines = exported()
        faults, held = oracle.check(lines)
        assert (faults, held.split(", ")[-1]) == ([], "3 sealed days")
        (tmp_path / "books.jsonl").write_text("\n".join(lines), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", oracle.__file__, str(tmp_path / "books.jsonl")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.startswith("The books agree")) == (0, True), done.stdout + done.stderr

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda posting: posting["entries"][0].update(minor=7), "off by"),
            (lambda posting: posting["entries"][0].update(currency="EUR"), "which holds USD"),
            (lambda posting: posting["entries"][0].update(account="nowhere"), "no account"),
            (lambda posting: posting.update(description="x"), "another digest"),
            (lambda posting: posting.update(phase="reserved"), "its entries give"),
        ],
    )
    def test_names_what_is_wrong(self, change: Any, says: str, three_days: None) -> None:
        lines = [json.loads(line) for line in exported()]
        change(next(line for line in lines if line.get("key") == "a0"))
        faults, _ = oracle.check(map(json.dumps, lines))
        assert any(says in fault for fault in faults), faults

    def test_misses_what_was_left_out(self, three_days: None) -> None:
        lines = [line for line in exported() if '"a3"' not in line]
        assert oracle.check(lines)[0]

    def test_knows_books_of_several_currencies(self, db: None) -> None:
        for currency, minor in (("JPY", 5), ("KWD", 5125)):
            bank, escrow = (
                opened(f"bank:{currency}", "asset", currency),
                opened(f"escrow:{currency}", currency=currency),
            )
            money = Money(minor, currency)
            post(key=currency, kind="x", lines=[debit(bank, money), credit(escrow, money)], now=FIRST)
        assert oracle.check(exported())[0] == []


def test_every_table_of_the_books_is_guarded(db: None) -> None:
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith("ledger_")]
    assert sorted(tables) == sorted([*TABLES, *SEALS])
