"""Personal data in what clients send as properties: it is refused and not cleaned, so that a client learns of it."""

import re
from typing import Any

from analytics.errors import PersonalData

_DIGIT = re.compile("[0-9]")
_MAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"'.]{2,}")
_PHONE = re.compile(r"(?<!\w)(?:\+|00)[ (]{0,2}[1-9](?:[ ().-]{0,2}\d){7,13}(?!\d)", re.ASCII)
_LONG_NUMBER = re.compile(r"(?<![\w-])\d(?:[ -]?\d){11,18}(?![\w-])", re.ASCII)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)", re.ASCII)
_SOCIAL_SECURITY = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", re.ASCII)
_DOCUMENT_LINE = re.compile(r"[PIACV][A-Z<][A-Z<]{3}[A-Z0-9<]{20,}")
_CARD_BRANDS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|6(?:011|4[4-9]|5)")
"""How the numbers of cards begin (ISO/IEC 7812); numbers of milliseconds since 1970 begin with 1."""

_NAMES = {
    "email": "a mail address",
    "e_mail": "a mail address",
    "mail": "a mail address",
    "phone": "a phone number",
    "phonenumber": "a phone number",
    "mobile": "a phone number",
    "password": "a password",
    "token": "a token",
    "accesstoken": "a token",
    "refreshtoken": "a token",
    "cardnumber": "a card number",
    "cvv": "a card's code",
    "cvc": "a card's code",
    "iban": "an account number",
    "ssn": "a document number",
    "passport": "a document number",
    "passportnumber": "a document number",
    "documentnumber": "a document number",
    "taxid": "a document number",
    "dateofbirth": "a date of birth",
    "birthday": "a date of birth",
    "firstname": "a name",
    "lastname": "a name",
    "fullname": "a name",
}
"""Names of properties that hold personal data whatever their form, without case, underscores and hyphens."""


def refuse_personal_data(properties: dict[str, Any], path: str = "eventData") -> None:
    """
    Look through properties, whatever is nested in them, and their names.

    :param path: where they are in the body, for the refusal
    :raises PersonalData: one looks like a mail address, a phone, card, account or document number
    """
    for name, value in properties.items():
        here = f"{path}.{name}"
        kind = _NAMES.get(name.replace("_", "").replace("-", "").lower())
        if kind is not None and value not in (None, "", True, False):
            raise PersonalData(field=here, name=here, kind=kind)
        refuse_text(name, here)
        _refuse_value(value, here)


def _refuse_value(value: Any, path: str) -> None:
    if isinstance(value, str):
        refuse_text(value, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        refuse_text(str(value), path)
    elif isinstance(value, dict):
        refuse_personal_data(value, path)
    elif isinstance(value, list):
        for member in value:
            _refuse_value(member, path)


def refuse_text(text: str, path: str) -> None:
    """:raises PersonalData: the text holds what looks like personal data"""
    if kind := _kind_of(text):
        raise PersonalData(field=path, name=path, kind=kind)


def _kind_of(text: str) -> str | None:
    if "@" in text and _MAIL.search(text):
        return "a mail address"
    if _DOCUMENT_LINE.search(text):
        return "a document number"
    if not _DIGIT.search(text):
        return None
    if any(_is_card(found[0]) for found in _LONG_NUMBER.finditer(text)):
        return "a card number"
    if ("+" in text or "00" in text) and _PHONE.search(text):
        return "a phone number"
    if _SOCIAL_SECURITY.search(text):
        return "a document number"
    if any(_is_iban(found[0]) for found in _IBAN.finditer(text)):
        return "an account number"
    return None


def _is_card(text: str) -> bool:
    """Whether digits are a card's number: the beginning of a brand, and the check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    if not _CARD_BRANDS.match("".join(map(str, digits))):
        return False
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """Whether the check digits are right (ISO 13616)."""
    compact = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])) % 97 == 1
