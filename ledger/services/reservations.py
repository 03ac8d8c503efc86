"""
Two-phase money: reserve, let the provider answer, then post or void, once (SECURITY-GOALS 10 to 12).

What leaves an account is gone for others from the reservation on; what comes in counts only when posted.
"""

from collections.abc import Iterable
from datetime import datetime

from ledger.models import Posting
from ledger.services.postings import Line, balanced, entry_sums, write


def reserve(
    *, key: str, kind: str, lines: Iterable[Line], now: datetime, reference: str = "", description: str = ""
) -> Posting:
    """
    Hold `lines` until `post_reserved` or `void_reserved`. Parameters and refusals are those of `post`.

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
        balanced(lines),
    )


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
    return write(
        Posting(
            key=f"{reservation.key}/resolved",
            phase=phase,
            kind=reservation.kind,
            reference=reservation.reference,
            description=description,
            created_at=now,
            effective_at=effective_at,
            resolves=reservation,
        ),
        entry_sums(reservation),
    )
