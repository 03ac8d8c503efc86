"""
Names as the eye sees them, to refuse one that looks like another (UTS #39).

Two names are alike when either of their forms is the same: in small letters or in capitals, since Cyrillic В looks like
B and в does not look like b. Case, accents, spaces, width and what shows nothing do not count.
"""

import unicodedata
from functools import cache

LONGEST = 200
"""How many characters of a form are compared."""
_ABOVE_AND_BELOW = 200
"""Combining classes from here on are accents; vowel signs and voicing marks, which make another word, are below."""


def small_form(name: str) -> str:
    """The form in small letters. Capital I looks like a small l and is a small i, so these three are one."""
    return _without_lookalikes(_bare(name).casefold()).casefold().replace("i", "l")[:LONGEST]


def capital_form(name: str) -> str:
    """The form in capitals, again with i, l and I as one."""
    return _without_lookalikes(_bare(name).replace("l", "I").upper())[:LONGEST]


def _bare(name: str) -> str:
    """Letters, digits, signs and vowel marks in compatibility form, without accents."""
    letters = unicodedata.normalize("NFKD", name)
    return unicodedata.normalize("NFC", "".join(filter(_counts, letters)))


def _counts(letter: str) -> bool:
    if unicodedata.category(letter)[0] != "M":
        return unicodedata.category(letter)[0] in "LNPS"
    shows_nothing = letter == "\u034f" or "VARIATION SELECTOR" in unicodedata.name(letter, "")
    is_enclosing = unicodedata.category(letter) == "Me"
    return not (shows_nothing or is_enclosing) and unicodedata.combining(letter) < _ABOVE_AND_BELOW


def _without_lookalikes(text: str) -> str:
    return text.translate(_prototypes())


@cache
def _prototypes() -> dict[int, str]:
    """For each letter that looks like others, the one that stands for all of them."""
    from confusable_homoglyphs.confusables import confusables_data  # loads a megabyte of JSON

    alike = {letter: [other["c"] for other in others] for letter, others in confusables_data.items()}
    # The table names each pair in both directions. All of a family are paired with one of them, which stands for it; in
    # a family of two it is the longer text ("rn" for m), else the one that comes first.
    found = {}
    for letter, others in alike.items():
        if len(letter) == 1 and len(others) == 1:
            (other,) = others
            if len(alike[other]) > 1 or (-len(other), other) < (-1, letter):
                found[ord(letter)] = other
    return found
