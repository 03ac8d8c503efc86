"""
Two-phase money: reserve, let the provider answer, then post or void, once (SECURITY-GOALS 10 to 12).

What leaves an account is gone for others from the reservation on; what comes in counts only when posted.
"""

from collections.abc import Iterable
from datetime import datetime

from core.data import sql
from ledger.models import Entry, Posting
from ledger.services.postings import (
    Booking,
    Line,
    balanced,
    earlier_of_concurrent,
    same_as,
    save,
    write,
    write_new,
)


def reserve(
    *,
    key: str,
    kind: str,
    lines: Iterable[Line],
    now: datetime,
    reference: str = "",
    description: str = "",
    is_new: bool = False,
) -> Posting:
    """
    Hold `lines` until `post_reserved` or `void_reserved`. Parameters and refusals are those of `post`.

    :param is_new: the key is made of an id that this transaction makes, so nobody can have booked it
    :raises InsufficientFunds: an account that may not go negative has too little available
    :raises PostingKeyReused: the key names a posting that differs in lines, kind or reference
    :raises ValueError: the lines do not balance in each currency
    """
    return write(
        Posting(
            key=key,
            phase=Posting.Phase.RESERVED,
            kind=kind,
            reference=reference,
            description=description,
            created_at=now,
            effective_at=now,
        ),
        *balanced(lines),
        is_new=is_new,
    )


def reserve_new(bookings: Iterable[Booking], *, kind: str, now: datetime) -> list[Posting]:
    """
    Several reservations, whose keys are made of ids that this transaction makes: either all or none.

    :raises InsufficientFunds: an account that may not go negative has too little available for all
    """
    return write_new(bookings, phase=Posting.Phase.RESERVED, kind=kind, now=now)


def post_reserved(
    reservation: Posting, *, now: datetime, description: str = "", effective_at: datetime | None = None
) -> Posting:
    """
    Book what was reserved. Doing it twice returns the first posting.

    :raises ReservationResolved: it was voided
    """
    return _resolve(reservation, Posting.Phase.POSTED, now, description, effective_at or now)


def void_reserved(reservation: Posting, *, now: datetime, description: str = "") -> Posting:
    """
    Give back what was reserved. Doing it twice returns the first voiding.

    :raises ReservationResolved: it was posted
    """
    return _resolve(reservation, Posting.Phase.VOIDED, now, description, now)


def _resolve(
    reservation: Posting, phase: Posting.Phase, now: datetime, description: str, effective_at: datetime
) -> Posting:
    if reservation.phase != Posting.Phase.RESERVED:
        raise ValueError(f"{reservation.key} is {reservation.phase}; only a reservation can be {phase}")
    posting = Posting(
        key=f"{reservation.key}/resolved",
        phase=phase,
        kind=reservation.kind,
        reference=reservation.reference,
        description=description,
        created_at=now,
        effective_at=effective_at,
        resolves=reservation,
    )
    held, resolved = sql.read(
        sql.Read(_HELD, [reservation.pk], (Entry,)), sql.Read(_RESOLVED, [posting.key], (Posting,))
    )
    entries = [Entry(posting=posting, account_id=e.account_id, amount=e.amount, currency=e.currency) for (e,) in held]
    sums = {entry.account_id: entry.amount for entry in entries}
    if resolved:
        return same_as(resolved[0][0], posting, sums)
    # What was held is there: no account needs a look. A voiding has no entries, the database gives back by itself.
    return save(posting, [] if phase == Posting.Phase.VOIDED else entries) or earlier_of_concurrent(posting, sums)


_HELD = f"SELECT {sql.columns(Entry, 'e')} FROM ledger_entry e WHERE e.transaction_id = %s"
_RESOLVED = f"SELECT {sql.columns(Posting, 'p')} FROM ledger_transaction p WHERE p.key = %s"
