"""
Finding card numbers in a new payment method (SECURITY-GOALS 20). No honest long number belongs there, so this is
stricter than `core.api.card_numbers`.

Runs before a body is read by anything that might repeat it: serializers quote wrong values, logs quote errors.
"""

import re
from typing import Any

from core.api.card_numbers import RawCardDataRefused, passes_luhn, refuse_card_numbers
from investments.providers import gateway

_DIGITS = re.compile(r"(?:[0-9][ -]?){12,18}[0-9]")


def looks_like_card_number(text: str) -> bool:
    """13 to 19 digits, spaced or dashed as on a card, that pass the Luhn check somewhere in `text`."""
    return any(passes_luhn(plain_number(found)) for found in _DIGITS.findall(text))


def check_card_data(body: Any) -> None:
    """
    The body of a new payment method: `details.number` and `details.cvv` only as one of the provider's test cards, and
    nothing like a card number anywhere else.

    :raises RawCardDataRefused:
    """
    rest: dict[str, Any] = dict(body)
    details = rest.get("details")
    if isinstance(details, dict) and (details.get("number") is not None or details.get("cvv") is not None):
        if plain_number(details.get("number", "")) not in gateway().test_cards:
            raise RawCardDataRefused()
        rest["details"] = {name: value for name, value in details.items() if name != "number"}
    refuse_card_numbers(rest, found_in=looks_like_card_number)


def plain_number(written: object) -> str:
    """A card number without the spaces and dashes people write it with."""
    return re.sub(r"[ -]", "", str(written))
