"""
What the books refuse. A caller's mistake in the code (lines that do not balance, a foreign currency) is a ValueError.
"""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict


class InsufficientFunds(Conflict):
    """`account` (its code) would fall below zero; `available` is the Money that is free on it."""

    code = "insufficient_funds"
    message = _("Only %(available)s is available.")


class AccountFull(Conflict):
    """An account would pass the range of its column. Nothing was booked."""

    code = "amount_out_of_range"
    message = _("This amount cannot be booked: it is beyond what the books can hold.")


class ReservationResolved(Conflict):
    """`state` is what happened to it first: `posted` or `voided`."""

    code = "reservation_resolved"
    message = _("This reservation was already %(state)s.")


class PostingKeyReused(Conflict):
    """`key` names another posting: other lines, kind or reference."""

    code = "posting_key_reused"
    message = _("This was already booked with other amounts.")
