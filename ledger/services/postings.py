"""
Booking: lines in, one posting out, inside the caller's transaction, so that a fact and its money commit together.

Accounts are locked last of all rows (docs/locking.md), in the order of their ids: here where one may run short, else by
the database when the entries arrive. Open the transaction with `atomic` or `retrying` of `core.data.transactions`,
which limit the wait to 3 s.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from core.data import sql
from core.data.locks import lock
from core.money import Money
from ledger.errors import AccountFull, InsufficientFunds, PostingKeyReused, ReservationResolved
from ledger.models import Entry, LedgerAccount, Posting

log = logging.getLogger(__name__)

Sums = Mapping[UUID, int]
"""Minor units per account id."""
Accounts = Mapping[UUID, LedgerAccount]


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a posting in the making: minor units, debit positive and credit negative."""

    account: LedgerAccount
    minor: int


def debit(account: LedgerAccount, amount: Money) -> Line:
    """A line that makes an asset or expense grow, and a liability or income shrink."""
    return Line(account, _minor_for(account, amount))


def credit(account: LedgerAccount, amount: Money) -> Line:
    """A line that makes a liability or income grow, and an asset or expense shrink."""
    return Line(account, -_minor_for(account, amount))


class Booking(NamedTuple):
    """One of several postings that are made at once."""

    key: str
    lines: Sequence[Line]
    reference: str = ""


def post(
    *,
    key: str,
    kind: str,
    lines: Iterable[Line],
    now: datetime,
    reference: str = "",
    description: str = "",
    effective_at: datetime | None = None,
) -> Posting:
    """
    Book `lines` at once. Lines of the same account are added up.

    :param key: makes it happen once, at most 200 characters; the same call again returns the first posting
    :param kind: the caller's word for it, such as `investment.refunded`
    :param reference: what caused it, such as `investment:<uuid>`; never personal data
    :param effective_at: when it counts, if not `now`
    :raises InsufficientFunds: an account that may not go negative would
    :raises AccountFull: an account would pass the range of its column
    :raises PostingKeyReused: the key names a posting that differs in lines, kind or reference
    :raises ValueError: the lines do not balance in each currency
    """
    return write(
        Posting(
            key=key,
            phase=Posting.Phase.POSTED,
            kind=kind,
            reference=reference,
            description=description,
            created_at=now,
            effective_at=effective_at or now,
        ),
        *balanced(lines),
    )


def post_new(bookings: Iterable[Booking], *, kind: str, now: datetime) -> list[Posting]:
    """
    Several bookings at once, either all or none. Nobody may have booked their keys: whoever calls holds a lock on what
    they are about, and knows from it that it is not booked.

    :raises InsufficientFunds: an account that may not go negative has too little for all
    :raises PostingKeyReused: a key was used before
    """
    return write_new(bookings, phase=Posting.Phase.POSTED, kind=kind, now=now)


def reverse(posting: Posting, *, kind: str, now: datetime, description: str = "") -> Posting:
    """
    Undo a posted posting by booking its opposite. Doing it twice returns the first reversal.

    :raises InsufficientFunds: the money has moved on
    :raises ValueError: it is a reservation or a voiding, which hold no posted money
    """
    if posting.phase != Posting.Phase.POSTED:
        raise ValueError(f"{posting.key} is {posting.phase}; only posted money can be reversed")
    return write(
        Posting(
            key=f"{posting.key}/reversed",
            phase=Posting.Phase.POSTED,
            kind=kind,
            reference=posting.reference,
            description=description,
            created_at=now,
            effective_at=now,
            reverses=posting,
        ),
        *_opposite(posting),
    )


def _opposite(posting: Posting) -> tuple[dict[UUID, int], Accounts]:
    entries = posting.entries.select_related("account")
    return {entry.account_id: -entry.amount for entry in entries}, {
        entry.account_id: entry.account for entry in entries
    }


def entry_sums(posting: Posting) -> dict[UUID, int]:
    """Minor units per account id."""
    return dict(posting.entries.values_list("account_id", "amount"))


def balanced(lines: Iterable[Line]) -> tuple[dict[UUID, int], Accounts]:
    """
    Minor units per account id, zero ones left out, and the accounts.

    :raises ValueError: not zero in each currency, or nothing left
    """
    sums: defaultdict[UUID, int] = defaultdict(int)
    totals: defaultdict[str, int] = defaultdict(int)
    accounts: dict[UUID, LedgerAccount] = {}
    for line in lines:
        sums[line.account.pk] += line.minor
        totals[line.account.currency] += line.minor
        accounts[line.account.pk] = line.account
    if any(totals.values()):
        raise ValueError(f"the lines do not balance: {dict(totals)}")
    moved = {account_id: minor for account_id, minor in sums.items() if minor}
    if not moved:
        raise ValueError("the lines move nothing")
    return moved, accounts


def write(posting: Posting, sums: Sums, accounts: Accounts, *, is_new: bool = False) -> Posting:
    """
    Save `posting` with an entry per account of `sums`, or return the one its key already names.

    The way in for `post`, `reverse` and `ledger.services.reservations`; other apps call those. Inside
    `core.data.sql.together` the rows travel with the others of the transaction.

    Accounts that may run short are locked and looked at. One that only grows needs no look: the database locks it when
    the entry arrives, so that the accounts that everybody pays into are held for as short as can be.

    :param accounts: those of `sums`
    :param is_new: the key is made of an id that this transaction makes, so nobody can have booked it
    """
    accounts = _seen_now(sums, accounts)  # first, so that concurrent calls with the same key are serialised
    if not is_new and (earlier := _earlier(posting, sums)):
        return earlier
    _refuse_overdraft(accounts, sums)
    _refuse_overflow(accounts, sums)
    return save(posting, entries_of(posting, sums, accounts)) or earlier_of_concurrent(posting, sums)


def write_new(bookings: Iterable[Booking], *, phase: Posting.Phase, kind: str, now: datetime) -> list[Posting]:
    """The way in for `post_new` and `ledger.services.reservations.reserve_new`."""
    made = [(booking, *balanced(booking.lines)) for booking in bookings]
    refuse_what_does_not_fit(*balanced(line for booking, _, _ in made for line in booking.lines))
    postings = []
    for booking, sums, accounts in made:
        posting = Posting(
            key=booking.key,
            phase=phase,
            kind=kind,
            reference=booking.reference,
            created_at=now,
            effective_at=now,
        )
        if save(posting, entries_of(posting, sums, accounts)) is None:
            raise PostingKeyReused(key=posting.key)
        postings.append(posting)
    return postings


def refuse_what_does_not_fit(sums: Sums, accounts: Accounts) -> None:
    """
    Lock and look at the accounts where there is something to see.

    :raises InsufficientFunds: :raises AccountFull:
    """
    accounts = _seen_now(sums, accounts)
    _refuse_overdraft(accounts, sums)
    _refuse_overflow(accounts, sums)


def entries_of(posting: Posting, sums: Sums, accounts: Accounts) -> list[Entry]:
    return [
        Entry(posting=posting, account_id=account_id, amount=amount, currency=accounts[account_id].currency)
        for account_id, amount in sums.items()
    ]


def save(posting: Posting, entries: Sequence[Entry]) -> Posting | None:
    """
    Insert a posting with its entries, in one statement.

    :returns: None if a concurrent call has booked this key
    :raises PostingKeyReused: the same, found out at the end of `core.data.sql.together`
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Book inside the transaction of what caused it (core.data.transactions.atomic).")
    posting.entry_count = len(entries)
    rows = len(entries) or 1

    def check(count: int) -> None:
        if count != rows:
            raise PostingKeyReused(key=posting.key)

    transaction.on_commit(partial(log.info, "booked %s %s (%s)", posting.kind, posting.key, posting.phase))
    try:
        sql.change(*_booking(posting, entries), check=check)
    except PostingKeyReused:
        return None
    return posting


def _booking(posting: Posting, entries: Sequence[Entry]) -> sql.Statement:
    """A posting whose key is taken is not inserted, and neither are its entries."""
    into, values = sql.insertion(posting)
    into = f"{into} ON CONFLICT DO NOTHING"
    if not entries:
        return into, values
    rows = ", ".join(["(%s::uuid, %s::uuid, %s::bigint, %s)"] * len(entries))
    flat = [value for entry in entries for value in (entry.pk, entry.account_id, entry.amount, entry.currency)]
    return (
        f"WITH posting AS ({into} RETURNING id) "
        "INSERT INTO ledger_entry (id, transaction_id, account_id, amount, currency) "
        f"SELECT entry.id, posting.id, entry.account_id, entry.amount, entry.currency FROM posting, (VALUES {rows}) "
        "entry (id, account_id, amount, currency)",
        [*values, *flat],
    )


def earlier_of_concurrent(posting: Posting, sums: Sums) -> Posting:
    earlier = _earlier(posting, sums)
    if earlier is None:
        raise PostingKeyReused(key=posting.key)
    return earlier


def lock_accounts(account_ids: Iterable[UUID]) -> dict[UUID, LedgerAccount]:
    """The accounts as they are now. Nobody else books on them until this transaction ends. One order for all: by id."""
    accounts = lock(LedgerAccount.objects).order_by("pk")
    return {account.pk: account for account in accounts.filter(pk__in=list(account_ids))}


def _minor_for(account: LedgerAccount, amount: Money) -> int:
    if amount.currency != account.currency:
        raise ValueError(f"{account.code} holds {account.currency}, not {amount.currency}")
    if amount.minor <= 0:
        raise ValueError(f"a line of {account.code} needs an amount above zero")
    return amount.minor


def _earlier(posting: Posting, sums: Sums) -> Posting | None:
    earlier = Posting.objects.filter(key=posting.key).first()
    return same_as(earlier, posting, sums) if earlier else None


def same_as(earlier: Posting, posting: Posting, sums: Sums) -> Posting:
    """
    The posting that is there already under the key of another.

    :raises ReservationResolved: that one ended a reservation the other way
    :raises PostingKeyReused: that one is something else
    """
    if posting.resolves_id and earlier.phase != posting.phase:
        raise ReservationResolved(state=earlier.phase)
    what, what_before = ((p.phase, p.kind, p.reference, p.resolves_id, p.reverses_id) for p in (posting, earlier))
    if what != what_before or (earlier.entry_count and entry_sums(earlier) != sums):
        raise PostingKeyReused(key=posting.key)
    log.info("booked before: %s %s (%s)", posting.kind, posting.key, posting.phase)
    return earlier


def _refuse_overdraft(accounts: Accounts, sums: Sums) -> None:
    for account_id, amount in sums.items():
        account = accounts[account_id]
        if account.may_run_short_by(amount) and account.available.minor + account.side * amount < 0:
            raise InsufficientFunds(account=account.code, available=account.available)


BIGINT_MAX = 2**63 - 1
HALF_FULL = 2**62
"""An account below this does not fill up between being read and being booked on."""


def _seen_now(sums: Sums, accounts: Accounts) -> Accounts:
    """The accounts, locked and read again where there is something to see: one may run short, or is half full."""
    needs_a_look = any(
        accounts[account_id].may_run_short_by(amount) or _size(accounts[account_id]) + abs(amount) >= HALF_FULL
        for account_id, amount in sums.items()
    )
    return lock_accounts(sums) if needs_a_look else accounts


def _size(account: LedgerAccount) -> int:
    return abs(account.posted) + account.pending_in + account.pending_out


def _refuse_overflow(accounts: Accounts, sums: Sums) -> None:
    """Whatever becomes of what is pending, each balance stays within its column (proof: `core.money.MAX_MINOR`)."""
    for account_id, amount in sums.items():
        account = accounts[account_id]
        if _size(account) + abs(amount) > BIGINT_MAX:
            raise AccountFull()
