"""Reading the books. Always from the primary database, never from a cache (SECURITY-GOALS 4)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from core.data.ids import first_id_at
from core.data.statements import load
from core.money import Money
from core.times import bounds_of
from ledger.models import Entry, LedgerAccount, Posting

_BALANCES_BY_DAY = load("ledger/sql/balances_by_day.sql")


@dataclass(frozen=True, slots=True)
class Balance:
    """On the account's own side: more is greater, whatever its kind."""

    posted: Money
    pending_in: Money
    pending_out: Money

    @property
    def available(self) -> Money:
        """What may still leave: reservations out count as gone, reservations in not yet."""
        return self.posted - self.pending_out


def balance(account: LedgerAccount) -> Balance:
    """What is on `account` now (not when the object was read)."""
    return balances([account.code])[account.code]


def balances(codes: Iterable[str]) -> dict[str, Balance]:
    """Balances by code in one query. An account not opened yet is left out."""
    accounts = LedgerAccount.objects.filter(code__in=list(codes))
    return {
        account.code: Balance(
            *(Money(minor, account.currency) for minor in (account.posted, account.pending_in, account.pending_out))
        )
        for account in accounts
    }


def totals(prefix: str) -> dict[str, Balance]:
    """
    Balances added up by currency over the accounts whose code starts with `prefix` (`escrow:`).

    Meant for accounts of one kind: an asset and a liability would be added, not set off.
    """
    rows = (
        LedgerAccount.objects.filter(code__startswith=prefix)
        .values("currency")
        .annotate(in_all=Sum("posted"), coming=Sum("pending_in"), going=Sum("pending_out"))
        .values_list("currency", "in_all", "coming", "going")
        .order_by("currency")
    )
    return {currency: Balance(*(Money(int(minor), currency) for minor in sums)) for currency, *sums in rows}


def closing_balances(prefix: str, days: Sequence[date]) -> dict[str, list[Money]]:
    """
    What was posted at the end of each day (UTC), by currency, on all accounts whose code starts with `prefix`. They are
    of one kind, as for `totals`.

    One statement, which reads the entries since the first day; the balances before them follow from the kept ones.

    :param days: one after the other; the last one is today
    """
    rows = _BALANCES_BY_DAY.rows(prefix=prefix, first=first_id_at(bounds_of(days[0], days[0])[0]))
    now = {row.currency: row.minor for row in rows if row.day is None}
    changes: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row.day is not None:
            changes[row.currency][row.day] += row.minor
    found = {}
    for currency, minor in now.items():
        balances = []
        for day in reversed(days):
            balances.append(Money(minor, currency))
            minor -= changes[currency][day]
        found[currency] = balances[::-1]
    return found


def moved(account: LedgerAccount, reference: str) -> Money:
    """What the posted postings of `reference` changed on `account`, on the account's own side."""
    entries = Entry.objects.filter(account=account, posting__reference=reference, posting__phase=Posting.Phase.POSTED)
    total = entries.aggregate(total=Sum("amount"))["total"] or 0
    return Money(account.side * int(total), account.currency)


def posted_sum(account: LedgerAccount) -> Money:
    """What the posted entries of an account come to, on its own side: its balance, found by the entries."""
    entries = Entry.objects.filter(account=account, posting__phase=Posting.Phase.POSTED)
    total = entries.aggregate(total=Sum("amount"))["total"] or 0
    return Money(account.side * int(total), account.currency)


def statement(account: LedgerAccount) -> QuerySet[Entry]:
    """Every entry of `account` with its posting, newest first; reservations included (see `posting.phase`)."""
    return Entry.objects.filter(account=account).select_related("posting").order_by("-id")


@contextmanager
def snapshot(*, read_only: bool = True) -> Iterator[None]:
    """
    Everything read inside sees the books at one moment (REPEATABLE READ, READ ONLY), however long it takes.

    :param read_only: False for callers that make temporary tables
    Inside somebody's transaction it only joins: that one decided what it sees.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ{', READ ONLY' if read_only else ''}")
        yield
