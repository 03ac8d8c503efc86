"""
Money: an integer of minor units and an ISO 4217 currency. The one place that converts and rounds.

At the edge amounts are decimals in major units, parsed exactly and never through a float (API.md, money).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Self

from core.api.errors import InvalidAmount
from core.currencies import amount_in_words, digits

MAX_MINOR = 10**15
"""
The largest amount of one field, in minor units, and the most that one campaign may hold (`campaigns.models`).

Proof that sums of it fit a PostgreSQL bigint, whose largest value is 2**63 - 1, more than 9.2 * 10**18:

- A campaign's raised and reserved money together stay at or below MAX_MINOR, by a database constraint; so does its
  escrow account, and each of its backers' shares.
- The accounts of one currency that many campaigns share (what a provider holds, what an owner is owed) add up at most
  MAX_MINOR and the fees on it a campaign: without fees they fit for 9,223 campaigns that are all at the limit.
- A person's open payments are at most five (`investments.services.investing.OPEN_PAYMENTS`), so at most 5 * MAX_MINOR
  of what an account may have pending: a 1,844th part of its range. Nobody alone can use up a currency's accounts.

Should an account come to the end of its range nevertheless, the books refuse the posting with a 409
(`ledger.errors.AccountFull`) before the database would have to.
"""

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)


def parse_decimal(value: object, field: str = "amount") -> Decimal:
    """
    An exact positive decimal from what a client sent: an int, a JSON number's literal, or a string like `1000.50`.

    :raises InvalidAmount: signs, exponents, NaN, full-width digits, booleans, floats, blanks, zero
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidAmount(field=field)
    text = str(value)
    if len(text) > 40 or not _PLAIN.fullmatch(text):
        raise InvalidAmount(field=field)
    amount = Decimal(text)
    if amount <= 0:
        raise InvalidAmount(field=field)
    return amount


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount: `minor` units (may be negative inside the books) of `currency`."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str, field: str = "amount") -> Self:
        """
        Money from an exact amount in major units.

        :raises InvalidAmount: more decimals than the currency has, be they zeros, not positive, or above the range
        """
        exact = amount if isinstance(amount, Decimal) else parse_decimal(amount, field)
        places = -int(exact.as_tuple().exponent)
        minor = exact.scaleb(digits(currency))
        if exact <= 0 or places > digits(currency) or minor > MAX_MINOR:
            raise InvalidAmount(field=field)
        return cls(int(minor), currency)

    @property
    def text(self) -> str:
        """Major units with the currency's decimals, as JSON shows it: `1000.50`."""
        return minor_text(self.minor, self.currency)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.minor <= self._same(other)

    def __str__(self) -> str:
        """For prose: `$1,000.50`, `CHF 10.00`, `KWD 5.125`, `¥500`."""
        return amount_in_words(self.text, self.currency)

    def split(self, weights: Sequence[int]) -> list[Self]:
        """Parts in proportion to `weights`, by largest remainder; they add up to the whole (SECURITY-GOALS 18)."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        shares = [divmod(self.minor * weight, total) for weight in weights]
        rest = self.minor - sum(whole for whole, _ in shares)
        by_remainder = sorted(range(len(weights)), key=lambda index: (-shares[index][1], index))
        lucky = set(by_remainder[:rest])
        return [type(self)(whole + (index in lucky), self.currency) for index, (whole, _) in enumerate(shares)]

    def _same(self, other: Self) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.minor


@lru_cache(10_000)
def minor_text(minor: int, currency: str) -> str:
    """`Money(minor, currency).text` without the object, for rows on their way to JSON."""
    places = digits(currency)
    if not places:
        return str(minor)
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{whole // 10**places}.{whole % 10**places:0{places}d}"
