"""
Booking: lines in, one posting out, inside the caller's transaction, so that a fact and its money commit together.

Accounts are locked here, last of all locks (user, campaign, investment, ledger accounts), in the order of their ids;
open the transaction with `atomic` or `retrying` of `core.data.transactions`, which limit the wait to 3 s.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from core.data.locks import lock
from core.money import Money
from ledger.errors import AccountFull, InsufficientFunds, PostingKeyReused, ReservationResolved
from ledger.models import Entry, LedgerAccount, Posting

log = logging.getLogger(__name__)

Sums = Mapping[UUID, int]
"""Minor units per account id."""


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
        balanced(lines),
    )


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
        {account_id: -amount for account_id, amount in entry_sums(posting).items()},
    )


def balanced(lines: Iterable[Line]) -> dict[UUID, int]:
    """Minor units per account id, zero ones left out. :raises ValueError: not zero in each currency, or nothing left"""
    sums: defaultdict[UUID, int] = defaultdict(int)
    totals: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.account.pk] += line.minor
        totals[line.account.currency] += line.minor
    if any(totals.values()):
        raise ValueError(f"the lines do not balance: {dict(totals)}")
    moved = {account_id: minor for account_id, minor in sums.items() if minor}
    if not moved:
        raise ValueError("the lines move nothing")
    return moved


def entry_sums(posting: Posting) -> dict[UUID, int]:
    return dict(posting.entries.values_list("account_id", "amount"))


def write(posting: Posting, sums: Sums) -> Posting:
    """
    Save `posting` with an entry per account of `sums`, or return the one its key already names.

    The way in for `post`, `reverse` and `ledger.services.reservations`; other apps call those.
    A voiding only locks the accounts of `sums`: the database gives back what was reserved.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Book inside the transaction of what caused it (core.data.transactions.atomic).")
    accounts = lock_accounts(sums)
    if earlier := _earlier(posting, sums):
        return earlier
    if posting.resolves is None:
        _refuse_overdraft(accounts, sums)
        _refuse_overflow(accounts, sums)
    entries = {} if posting.phase == Posting.Phase.VOIDED else sums
    posting.entry_count = len(entries)
    try:
        with transaction.atomic():
            posting.save(force_insert=True)
    except IntegrityError:
        # A rival with the same key and none of our accounts got in between; anything else is not ours to answer.
        if earlier := _earlier(posting, sums):
            return earlier
        raise
    Entry.objects.bulk_create(
        Entry(posting=posting, account_id=account_id, amount=amount, currency=accounts[account_id].currency)
        for account_id, amount in entries.items()
    )
    transaction.on_commit(partial(log.info, "booked %s %s (%s)", posting.kind, posting.key, posting.phase))
    return posting


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
    if earlier is None:
        return None
    if posting.resolves_id and earlier.phase != posting.phase:
        raise ReservationResolved(state=earlier.phase)
    what, what_before = ((p.phase, p.kind, p.reference, p.resolves_id, p.reverses_id) for p in (posting, earlier))
    if what != what_before or (earlier.entry_count and entry_sums(earlier) != sums):
        raise PostingKeyReused(key=posting.key)
    log.info("booked before: %s %s (%s)", posting.kind, posting.key, posting.phase)
    return earlier


def _refuse_overdraft(accounts: Mapping[UUID, LedgerAccount], sums: Sums) -> None:
    for account_id, amount in sums.items():
        account = accounts[account_id]
        grows_by = account.side * amount
        if grows_by < 0 and not account.may_go_negative and account.available.minor + grows_by < 0:
            raise InsufficientFunds(account=account.code, available=account.available)


BIGINT_MAX = 2**63 - 1


def _refuse_overflow(accounts: Mapping[UUID, LedgerAccount], sums: Sums) -> None:
    """Whatever becomes of what is pending, each balance stays within its column (proof: `core.money.MAX_MINOR`)."""
    for account_id, amount in sums.items():
        account = accounts[account_id]
        if abs(account.posted) + account.pending_in + account.pending_out + abs(amount) > BIGINT_MAX:
            raise AccountFull()
