"""Countries: ISO 3166-1 alpha-2, as the data of Babel (CLDR) lists them."""

from functools import cache

from babel import Locale

_NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
"""What CLDR lists beside them: parts of countries, unions, and placeholders. Kosovo's XK stays, as its passports do."""


@cache
def _codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2) - _NO_COUNTRIES


def is_country(code: str) -> bool:
    """Whether two capital letters are a country's."""
    return code in _codes()
