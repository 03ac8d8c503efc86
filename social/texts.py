"""What the words of posts and comments refer to: people (`<@id>`) and hashtags."""

import re
import unicodedata
from collections.abc import Iterator
from uuid import UUID

LONGEST_TAG = 100
_MENTION = re.compile(r"<@([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})>", re.IGNORECASE | re.ASCII)
_SIGNS = "#＃"
_INSIDE = "_\u00b7\u200c\u200d"
"""Joins the letters of a tag, beside letters, marks and digits: l·l in Catalan, the joiners of Persian and Hindi."""


def mentioned_ids(text: str) -> list[UUID]:
    """Whom a text names, each once, in the order of their first places."""
    return list(dict.fromkeys(UUID(found) for found in _MENTION.findall(text)))


def hashtags(text: str) -> list[str]:
    """
    The tags of a text as `folded_tag` gives them, each once, in the order of their first places. A tag begins with a
    number sign that stands behind no letter, so that neither `C#` nor a link to `/page#part` makes one.
    """
    return list(dict.fromkeys(tag for found in _tagged(text) if (tag := folded_tag(found))))


def folded_tag(text: str) -> str:
    """
    The form in which tags are compared: without the number sign, compatible forms and cases as one. The dot of i does
    not count, since it depends on the language whether I is i or ı. Empty for what is no tag: other characters in it,
    no letter, or too long.
    """
    folded = unicodedata.normalize("NFKC", text.lstrip(_SIGNS)).casefold()
    tag = unicodedata.normalize("NFKC", folded.replace("i\u0307", "i").replace("ı", "i"))
    has_letter = any(unicodedata.category(letter)[0] == "L" for letter in tag)
    return tag if has_letter and len(tag) <= LONGEST_TAG and all(map(_is_of_a_tag, tag)) else ""


def _tagged(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        if text[at] not in _SIGNS:
            at += 1
            continue
        end = at + 1
        while end < len(text) and _is_of_a_tag(text[end]):
            end += 1
        if at == 0 or not (_is_of_a_tag(text[at - 1]) or text[at - 1] in "&/#＃"):
            yield text[at + 1 : end]
        at = end


def _is_of_a_tag(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN" or letter in _INSIDE
