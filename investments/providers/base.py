"""
What we need of a payment provider. Each one is a module beside this with a class that does it (docs/money.md).

Every call may take seconds or get no answer: none is made inside a database transaction, and each carries our own
stored key, so that a repeat is the same request.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from core.money import Money


class State(StrEnum):
    CAPTURED = "captured"
    DECLINED = "declined"
    REQUIRES_ACTION = "requires_action"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Charge:
    """What the provider says of a charge now. CAPTURED, DECLINED and CANCELLED are final."""

    state: State
    provider_id: str
    amount: Money
    reason: str = ""
    action_url: str = ""


class DisputeState(StrEnum):
    INQUIRY = "inquiry"
    """The bank asks, and has taken nothing."""
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Dispute:
    """
    A charge that its payer contests at the bank, as the provider has it now. The provider takes the amount when it is
    opened and gives it back when it is won. WON and LOST are final.
    """

    id: str
    charge_key: str
    """Our key of the charge; empty if it is not ours."""
    state: DisputeState
    amount: Money
    reason: str
    """The provider's code."""
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Instrument:
    """What may be kept of a payment method."""

    token: str
    type: str
    brand: str
    last4: str
    expiry_month: int | None = None
    expiry_year: int | None = None
    fingerprint: str = ""
    """The same for the same card, whenever and by whomever it is added; empty if the provider says none."""


@dataclass(frozen=True, slots=True)
class Event:
    """
    An event that the provider sends by itself. `key` is our key of the charge, `charge` what it was then; or
    `dispute_id` names a dispute.
    """

    id: str
    type: str
    key: str = ""
    charge: Charge | None = None
    dispute_id: str = ""
    concern: str = ""
    """What people have to look at, if it is something that nothing here acts upon, such as a refund that failed."""


class Move(StrEnum):
    """What a line of a provider's statement is about."""

    CHARGE = "charge"
    REFUND = "refund"
    PAYOUT = "payout"
    DISPUTE = "dispute"
    """What a dispute took when it was opened."""
    DISPUTE_REVERSAL = "dispute_reversal"
    """The same, back since it was won."""
    FEE = "fee"
    """What the provider takes for itself beside other lines: the amount is zero, `fee_minor` says how much."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Money that moved at the provider: into what it holds for us (positive) or out of it (negative)."""

    move: Move
    key: str
    """
    Our key, as it was given with the request; empty if there was none. Of a dispute, which nobody asked for, its move
    and the provider's id of it: `dispute_key`.
    """
    provider_id: str
    amount: Money
    """Signed."""
    at: datetime
    fee_minor: int = 0
    """What the provider keeps of it for itself, in the minor units of the amount; below zero: what it gives back."""
    id: str = ""
    """The provider's id of this line; needed where there is a fee."""


def dispute_key(move: Move, dispute_id: str) -> str:
    return f"{move}-{dispute_id}"


class OutcomeUnknown(Exception):
    """No answer, or an incomplete one. The provider may have acted: repeat with the same key (SECURITY-GOALS 11)."""


class StillProcessing(OutcomeUnknown):
    """The provider has answered that it does not know yet. It is no fault of the line."""


class LeftAlone(OutcomeUnknown):
    """The provider was silent several times in a row, and was not asked now."""


class RefundRefused(Exception):
    """The provider refused a refund; `reason` is its code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class PayoutRefused(Exception):
    """The provider refused a payout; `reason` is its code. The same key is refused again."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TargetRejected(Exception):
    """The provider will never pay to a bank account; `reason` is its code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class MethodDeclined(Exception):
    """The provider does not take a payment method; `reason` is its code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a person needs to enter a new payment method at the provider."""

    client_secret: str = ""
    """For the provider's field in the browser."""
    url: str = ""
    """The provider's own page, for a bank account."""
    token: str = ""
    """Of the payment method that comes of that page."""


class Gateway(Protocol):
    name: str
    test_cards: Mapping[str, str]
    """Tokens by card number: the sandbox's published ones, and no others ever."""

    payout_types: frozenset[str]
    """The types of payment methods that it can pay out to."""

    def setup(self, *, owner_id: UUID, type: str, now: datetime) -> Setup | None:
        """
        Let a person enter a payment method at the provider itself: a card in its field in the browser, a bank account
        on its page. None if it has no such thing.

        :raises OutcomeUnknown:
        """
        ...

    def instrument(self, *, owner_id: UUID, type: str, token: str, now: datetime) -> Instrument:
        """
        What stands behind a token, for its owner and nobody else from now on.

        :raises UnknownPaymentToken: nothing, another type, or another person's
        :raises MethodDeclined: :raises OutcomeUnknown:
        """
        ...

    def forget(self, *, customer_id: str) -> None:
        """
        Delete what the provider keeps of a person as its customer. What was paid stays refundable.

        :raises OutcomeUnknown:
        """
        ...

    def charge(self, *, key: str, payer_id: UUID, token: str, amount: Money, now: datetime) -> Charge:
        """
        Charge a payment method of a person, once per key; the same key again returns the state of that charge,
        whatever else is asked. What the provider refuses to charge at all is CANCELLED with its reason.

        :raises OutcomeUnknown:
        """
        ...

    def cancel(self, *, key: str, now: datetime) -> Charge:
        """
        Make sure that nothing is taken under this key from now on, unless it has been already.

        :raises OutcomeUnknown:
        """
        ...

    def find(self, *, key: str) -> Charge | None:
        """
        The charge of a key, or None if the provider does not know it.

        :raises OutcomeUnknown:
        """
        ...

    def refund(self, *, key: str, charge_key: str, charge_id: str, amount: Money, now: datetime) -> str:
        """
        Send money back to where it came from, once per key. Returns the provider's id. While the charge is disputed,
        and of what a dispute has taken, nothing is sent back.

        :raises RefundRefused: :raises OutcomeUnknown:
        """
        ...

    def payout(self, *, key: str, token: str, amount: Money, now: datetime) -> str:
        """
        Pay out of what is held for us, to what stands behind a token, once per key. Returns the provider's id.

        What is not of `payout_types` is refused with `payouts_not_supported`, without asking anybody.

        :raises PayoutRefused: :raises OutcomeUnknown:
        """
        ...

    def find_dispute(self, *, dispute_id: str) -> Dispute | None:
        """
        A dispute as it is now, by the provider's id of it; None if the provider does not know it.

        :raises OutcomeUnknown:
        """
        ...

    def verify_target(self, *, key: str, owner_id: UUID, token: str, now: datetime) -> None:
        """
        Whether a bank account of a person can receive money: returns if it can.

        :raises TargetRejected: it never will
        :raises StillProcessing: not yet; the provider, or its owner, needs time
        :raises OutcomeUnknown:
        """
        ...

    def statement(self, *, since: datetime) -> Iterator[StatementLine]:
        """
        Every line since a moment, the first one first, for reconciliation.

        :raises OutcomeUnknown: no answer, or one that ended half-way
        """
        ...

    def holdings(self) -> Mapping[str, int]:
        """
        What the provider holds for us now, minor units by currency: all lines, less their fees.

        :raises OutcomeUnknown:
        """
        ...

    def read_event(self, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Event:
        """
        Check the signature over the raw body, then read it.

        :raises InvalidSignature: missing, wrong, or older than 300 s
        """
        ...
