"""
Fee schedules: read from their data files, and the amounts that follow from them.

All amounts are integers of minor units. Each fee is rounded half up, once, on the whole that it is of.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from core.money import Money

_DATA = Path(__file__).parent / "data"
WHOLE = 10_000
"""Basis points of the whole."""


class PaidBy(StrEnum):
    INVESTOR = "investor"
    """On top of the investment, with its payment."""
    OWNER = "owner"
    """Out of what a funded campaign has raised, when it is released."""


class FeeKind(StrEnum):
    """Whom a fee is for; each has an account of its own in the books."""

    PLATFORM = "platform"
    PROVIDER = "provider"
    TAX = "tax"


class RefundedWhen(StrEnum):
    """Why an investment goes back to its investor."""

    WITHDRAWN = "withdrawn"
    WITHDRAWN_BY_RIGHT = "withdrawn_by_right"
    """Withdrawn while a rule set other than `none` gives the right to: the law takes no penalty for that."""
    CAMPAIGN_FAILED = "campaign_failed"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    NOT_RECONFIRMED = "not_reconfirmed"
    BY_STAFF = "by_staff"
    NO_ROOM = "no_room"
    """A dispute was won, and the campaign has no room for its money any more."""
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Fee:
    id: str
    about: str
    """For people."""
    paid_by: PaidBy
    kind: FeeKind
    of: str
    """`amount`, or the id of the fee that it is a tax on."""
    basis_points: int
    fixed: Mapping[str, int]
    minimum: Mapping[str, int]
    maximum: Mapping[str, int]
    """Minor units by currency; a currency that is not named has none."""
    refunded_when: Mapping[RefundedWhen, bool]
    """Whether an investor gets it back. Empty for what an owner pays: that is due only when nothing goes back."""

    def on(self, base: Money) -> Money:
        """What is due of `base`."""
        currency = base.currency
        minor = _half_up(base.minor * self.basis_points, WHOLE) + self.fixed.get(currency, 0)
        minor = max(minor, self.minimum.get(currency, 0))
        return Money(min(minor, self.maximum.get(currency, minor)), currency)

    def price(self, currencies: Sequence[str]) -> str:
        """For people: `1.5 % + $0.30, at most $75.00`, with an amount for each currency that has one."""

        def amounts(by_currency: Mapping[str, int]) -> str:
            return " / ".join(str(Money(by_currency[one], one)) for one in currencies if one in by_currency)

        parts = [f"{self.basis_points / 100:g} %"] if self.basis_points else []
        if fixed := amounts(self.fixed):
            parts.append(fixed)
        price = " + ".join(parts)
        if least := amounts(self.minimum):
            price += _(", at least %(amount)s") % {"amount": least}
        if most := amounts(self.maximum):
            price += _(", at most %(amount)s") % {"amount": most}
        return price

    def is_refunded(self, reason: str) -> bool:
        """Whether a refund for that reason gives it back; for one that the schedule does not name it does."""
        return next((back for known, back in self.refunded_when.items() if known == reason), True)


class Due(NamedTuple):
    """A fee of a schedule, and what is due of it."""

    fee: Fee
    amount: Money


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    version: int
    title: str
    source: str
    fees: tuple[Fee, ...]

    def on_investment(self, amount: Money) -> list[Due]:
        """What an investor pays on top of `amount`."""
        return self._due(PaidBy.INVESTOR, amount)

    def on_release(self, raised: Money) -> list[Due]:
        """What the owner of a funded campaign pays out of `raised`: never more than that, the first fees first."""
        left, found = raised, []
        for fee, amount in self._due(PaidBy.OWNER, raised):
            amount = min(amount, left)
            left -= amount
            found.append(Due(fee, amount))
        return found

    def net_of(self, raised: Money) -> Money:
        """What remains for the owner."""
        return sum((-amount for _, amount in self.on_release(raised)), raised)

    def _due(self, paid_by: PaidBy, amount: Money) -> list[Due]:
        amounts = {"amount": amount}
        found = []
        for fee in self.fees:
            if fee.paid_by == paid_by:
                amounts[fee.id] = fee.on(amounts[fee.of])
                found.append(Due(fee, amounts[fee.id]))
        return found

    def __getitem__(self, fee_id: str) -> Fee:
        """:raises KeyError: it has no such fee"""
        for fee in self.fees:
            if fee.id == fee_id:
                return fee
        raise KeyError(fee_id)


def given_back(fee: int, of: int, refunded: int) -> int:
    """
    What of a fee has to be back in all, once `refunded` of the `of` minor units that it was paid for are back.

    It grows with `refunded` from nothing to the whole fee. So each refund gives back the difference to the one before,
    and the parts add up to the whole, however it is cut.
    """
    return _half_up(fee * refunded, of)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def schedule(name: str, version: int) -> Schedule:
    """
    One version of a schedule.

    :raises KeyError: there is none
    """
    return every_version()[name, version]


def check_settings() -> None:
    """:raises ImproperlyConfigured: FEE_SCHEDULE names a schedule that is not there"""
    known = sorted({name for name, _ in every_version()})
    if settings.FEE_SCHEDULE not in known:
        raise ImproperlyConfigured(
            f"FEE_SCHEDULE={settings.FEE_SCHEDULE} is not a fee schedule of this release ({', '.join(known)})."
        )


def newest_version(name: str) -> Schedule:
    """
    The version for campaigns that are published now.

    :raises KeyError: no schedule has this name
    """
    versions = [version for of, version in every_version() if of == name]
    if not versions:
        raise KeyError(name)
    return schedule(name, max(versions))


@cache
def every_version() -> Mapping[tuple[str, int], Schedule]:
    """All schedules in all their versions, by both."""
    found = {}
    for path in sorted(_DATA.glob("*.toml")):
        one = read_schedule(tomllib.loads(path.read_text(encoding="utf-8")))
        if path.stem != f"{one.name}-{one.version}":
            raise ValueError(f"{path.name} holds version {one.version} of {one.name}")
        found[one.name, one.version] = one
    return found


def read_schedule(data: Mapping[str, Any]) -> Schedule:
    """
    A schedule from the content of its file.

    :raises ValueError: it contradicts itself
    """
    fees: dict[str, Fee] = {}
    for one in data["fees"]:
        fee = _read_fee(one, fees)
        if fee.id in fees or fee.id == "amount":
            raise ValueError(f"two fees are called {fee.id}")
        fees[fee.id] = fee
    return Schedule(
        name=data["name"],
        version=data["version"],
        title=data["title"],
        source=data["source"],
        fees=tuple(fees.values()),
    )


def _read_fee(data: Mapping[str, Any], before: Mapping[str, Fee]) -> Fee:
    """A tax is paid by who pays what it is on, and goes back with it."""
    id, of, paid_by = data["id"], data.get("of", "amount"), PaidBy(data["paid_by"])
    refunded_when = {RefundedWhen(reason): back for reason, back in data.get("refunded_when", {}).items()}
    if of != "amount":
        if of not in before or before[of].paid_by != paid_by:
            raise ValueError(f"{id} is of {of}, which is no fee before it that the same person pays")
        if refunded_when:
            raise ValueError(f"{id} goes back with {of}")
        refunded_when = dict(before[of].refunded_when)
    elif paid_by == PaidBy.INVESTOR and set(refunded_when) != set(RefundedWhen):
        raise ValueError(f"{id} does not say of each reason whether it is refunded")
    if paid_by == PaidBy.OWNER and refunded_when:
        raise ValueError(f"{id} is due only when nothing goes back")
    fee = Fee(
        id=id,
        about=data["about"],
        paid_by=paid_by,
        kind=FeeKind(data["kind"]),
        of=of,
        basis_points=data.get("basis_points", 0),
        fixed=data.get("fixed", {}),
        minimum=data.get("minimum", {}),
        maximum=data.get("maximum", {}),
        refunded_when=refunded_when,
    )
    numbers = [fee.basis_points, *fee.fixed.values(), *fee.minimum.values(), *fee.maximum.values()]
    if min(numbers) < 0 or fee.basis_points > WHOLE:
        raise ValueError(f"{id} has a number out of range")
    for currency, least in fee.minimum.items():
        if least > fee.maximum.get(currency, least):
            raise ValueError(f"{id} has a minimum above its maximum")
    return fee
