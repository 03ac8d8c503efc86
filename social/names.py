"""
Names as the eye sees them, to refuse one that looks like another (UTS #39).

Two names are alike when either of their forms is the same: in small letters or in capitals, since Cyrillic В looks like
B and в does not look like b. Case, accents, spaces, punctuation, width and what shows nothing do not count.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache

LONGEST = 200
"""How many characters of a form are compared."""
_OVERLAY = 1
"""The combining class of strokes through a letter."""
_POINTS = range(10, 37)
"""The classes of vowel points of Hebrew, Arabic and Syriac, which are mostly left out in writing."""
_ABOVE_AND_BELOW = 200
"""Combining classes from here on are accents; vowel signs and voicing marks, which make another word, are below."""
_SPOKEN = "#&@%*"
"""Punctuation that is read aloud and makes another name: C#, R&D."""
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800"
"""Letters, marks and a symbol that show nothing."""
_OF_A_BRAND = str.maketrans("", "", "™℠®©")
_STROKES = range(0x2B9, 0x2D2)
"""Modifier letters that look like apostrophes and other punctuation."""
_WITHOUT_VOWEL_SIGNS = ("LATIN", "GREEK", "CYRILLIC", "DIGIT")
"""Scripts, by the names of their letters, in which every mark is an accent."""


def small_form(name: str) -> str:
    """The form in small letters. Capital I looks like a small l and is a small i, so these three are one."""
    return _without_lookalikes(_bare(name).casefold()).casefold().replace("i", "l")[:LONGEST]


def capital_form(name: str) -> str:
    """The form in capitals, again with i, l and I as one."""
    return _without_lookalikes(_bare(name).replace("l", "I").upper())[:LONGEST]


def _bare(name: str) -> str:
    """
    Letters, digits, symbols and vowel signs in compatibility form, without accents and punctuation; a name of nothing
    but punctuation keeps it.
    """
    counted = "".join(_counted(unicodedata.normalize("NFKD", name.translate(_OF_A_BRAND))))
    if not counted:
        counted = "".join(letter for letter in name if unicodedata.category(letter)[0] in "LNPS")
    return unicodedata.normalize("NFC", counted)


def _counted(letters: str) -> Iterator[str]:
    base = ""
    for letter in letters:
        if unicodedata.category(letter)[0] == "M":
            if _makes_another_word(letter, base):
                yield letter
        else:
            base = letter
            if _counts(letter):
                yield letter


def _counts(letter: str) -> bool:
    category = unicodedata.category(letter)
    if letter in _BLANK or category == "Sk" or ord(letter) in _STROKES:
        return False
    return category[0] in "LNS" or letter in _SPOKEN


def _makes_another_word(mark: str, base: str) -> bool:
    """Whether a mark on a letter is no accent, but a vowel sign or the like."""
    shows_nothing = mark in _BLANK or "VARIATION SELECTOR" in unicodedata.name(mark, "")
    is_enclosing = unicodedata.category(mark) == "Me"
    place = unicodedata.combining(mark)
    is_accent = place == _OVERLAY or place in _POINTS or place >= _ABOVE_AND_BELOW
    if shows_nothing or is_enclosing or is_accent:
        return False
    return not unicodedata.name(base or " ", "").startswith(_WITHOUT_VOWEL_SIGNS)


def _without_lookalikes(text: str) -> str:
    """Those of ø and ł are o and l with a stroke, which is no more than an accent."""
    alike = unicodedata.normalize("NFD", text.translate(_prototypes()))
    return unicodedata.normalize("NFC", "".join(one for one in alike if unicodedata.combining(one) != _OVERLAY))


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
