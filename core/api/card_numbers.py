"""
Refusing card numbers where people write words (SECURITY-GOALS 20): a number that is pasted into the wrong field is in
no table, log, error or idempotency row.

A view sets `refuses_card_numbers`; the body of its operations is looked through before anything that might repeat it.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.api.errors import Invalid


class RawCardDataRefused(Invalid):
    """Says nothing of what was sent, on purpose."""

    code = "raw_card_data_refused"
    message = _("Card numbers do not go through this server. Use the provider's card field and send its token.")


_SEPARATOR = r"[\s.\-\u2010-\u2015]{1,3}"
_DIGITS = re.compile(rf"(?<![0-9A-Za-z])[0-9]+(?:{_SEPARATOR}[0-9]+)*(?![0-9A-Za-z])")
"""Groups of digits. Behind letters stand an IBAN or another number with a prefix."""
_LENGTHS = (15, 16, 17, 18, 19)
_ISSUED = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}"  # Discover
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|62[0-9]{14,17}"  # UnionPay
    r"|(?:5[06-9]|6[0-9])[0-9]{14}"  # Maestro
)
"""
What networks issue with 15 digits and more. Shorter ones cannot be told from numbers of companies and goods: a French
SIRET has 14 digits with the same check digit.
"""


def has_card_number(text: str) -> bool:
    """Whether a number that a network may have issued is written somewhere in a text, in one group or in several."""
    found = _DIGITS.findall(unicodedata.normalize("NFKC", text))
    return any(_begins_with_card(groups[at:]) for groups in map(_groups, found) for at in range(len(groups)))


def _groups(written: str) -> list[str]:
    return re.split(_SEPARATOR, written)


def _begins_with_card(groups: Sequence[str]) -> bool:
    """Whether the first of these groups of digits are a card number; an expiry may follow."""
    digits = ""
    for group in groups:
        digits += group
        if len(digits) > _LENGTHS[-1]:
            return False
        if len(digits) in _LENGTHS and _ISSUED.fullmatch(digits) and passes_luhn(digits):
            return True
    return False


def refuse_card_numbers(value: Any, *, found_in: Callable[[str], bool] = has_card_number) -> None:
    """
    Look through the body of a request, names and all: JSON, or a form with its files' names.

    :param found_in: whether a text holds one
    :raises RawCardDataRefused: something in it is a card number
    """
    if isinstance(value, Mapping):
        for name in value:
            refuse_card_numbers(name, found_in=found_in)
            members = value.getlist(name) if hasattr(value, "getlist") else [value[name]]
            refuse_card_numbers(members, found_in=found_in)
    elif isinstance(value, list):
        for member in value:
            refuse_card_numbers(member, found_in=found_in)
    elif found_in(str(getattr(value, "name", value))):
        raise RawCardDataRefused()


def passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
