"""Currencies of ISO 4217: how many decimals each has, and how people write amounts of it."""

import re
from decimal import Decimal
from functools import cache

from babel.numbers import format_currency, get_currency_precision

_CODE_BESIDE_DIGITS = re.compile(r"(?<=[A-Z])(?=[0-9])")
"""Where Babel omits the space that CLDR requires after a sign that ends with a letter."""


@cache
def digits(currency: str) -> int:
    """How many decimals a currency has (ISO 4217: USD 2, JPY 0, KWD 3)."""
    return get_currency_precision(currency)


def amount_in_words(text: str, currency: str) -> str:
    """
    An amount as people write it: `$1,000.50`, `CHF 10.00`, `KWD 5.125`, `¥500`.

    :param text: in major units
    """
    return _CODE_BESIDE_DIGITS.sub(" ", format_currency(Decimal(text), currency, locale="en"))
