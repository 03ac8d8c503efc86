"""
Text that people write, in any script: names, titles, prose. One rule for all of it (API.md, *text*).

Joiners, direction marks and the other format characters that writing needs are text. Control characters, overrides of
the direction of a line, and characters that stand for nothing are not, and neither is text that shows nothing.
"""

import re
import unicodedata

_JOINERS = "\u200c\u200d"
_BREAKS = "\u200b\u00ad\u2060\u180e"
"""Where a line may break, or not: Khmer, Thai, German."""
_FORMATS_OF_WRITING = frozenset(
    _JOINERS  # Persian, the scripts of India, emoji
    + "\u061c\u200e\u200f"  # direction marks
    + _BREAKS
    + "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # signs around numbers
)
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and a symbol by category that are invisible."""
_MISPLACED_JOINERS = re.compile(rf"(?:(?<=\s)|^)[{_JOINERS}]+|(?<=[{_JOINERS}]{{3}})[{_JOINERS}]+")
"""At the beginning of a word they join nothing; a sequence has three of them at most (Unicode 17, 23.2)."""
MAX_MARKS = 12
"""Of one letter, one above the other. Tibetan has ten at most; more are drawn over the lines above and below."""
_FLAG_OF_A_REGION = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
"""Such as that of Scotland: a black flag, and letters that nobody sees (UTS #51, emoji tag sequences)."""


def with_plain_spaces(text: str) -> str:
    """Every kind of space, such as U+00A0, as U+0020."""
    return "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in text)


def is_one_line(text: str) -> bool:
    """Whether text is fit for a name or a title: one line of characters that belong to writing."""
    rest = _FLAG_OF_A_REGION.sub("", text)
    return all(map(_is_writing, rest)) and not _MISPLACED_JOINERS.search(rest)


def is_prose(text: str) -> bool:
    """Whether text has no control characters but line breaks and tabs."""
    return all(letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs") for letter in text)


def shows_something(text: str) -> bool:
    """Whether there is anything to see: not only spaces, marks without a letter, and format characters."""
    return any(_is_seen(letter) for letter in text)


def has_piled_marks(text: str) -> bool:
    """Whether a letter has more than `MAX_MARKS` marks that take no place of their own."""
    if text.isascii():
        return False
    pile = 0
    for letter in text:
        pile = pile + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if pile > MAX_MARKS:
            return True
    return False


def clean_line(text: str, longest: int) -> str:
    """
    The nearest fit line of at most `longest` characters; empty if it would show nothing. For what providers report of
    somebody. (A region's flag becomes a black flag.)
    """
    letters = [" " if letter.isspace() else letter for letter in with_plain_spaces(text)]
    line = " ".join("".join(filter(_is_writing, letters)).split())
    line = " ".join(_MISPLACED_JOINERS.sub("", line).split())[:longest].strip(f" {_BREAKS}")
    return line if shows_something(line) and not has_piled_marks(line) else ""


def _is_writing(letter: str) -> bool:
    match unicodedata.category(letter):
        case "Cc" | "Cs" | "Co" | "Zl" | "Zp":
            return False
        case "Cf":
            return letter in _FORMATS_OF_WRITING
        case "Cn":  # newer than our tables, or never a character
            return not _is_never_assigned(ord(letter))
    return True


def _is_seen(letter: str) -> bool:
    category = unicodedata.category(letter)
    return (category[0] in "LNPS" and letter not in _BLANK) or (
        category == "Cn" and not _is_never_assigned(ord(letter))
    )


def _is_never_assigned(code: int) -> bool:
    """Noncharacters, and what Unicode reserves for characters that show nothing."""
    reserved = 0xFDD0 <= code <= 0xFDEF or 0xFFF0 <= code <= 0xFFF8 or code == 0x2065 or code >= 0xE0000
    return reserved or code & 0xFFFE == 0xFFFE
