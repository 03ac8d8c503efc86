"""Reactions are emoji of Unicode: exactly one, in the form that Unicode recommends for interchange."""

from functools import cache

import emoji

from social.errors import NotAnEmoji

LIKE = "👍"
_STYLE = "\ufe0f"
"""Variation selector 16 asks for the colourful form. Keyboards send it or leave it out; `❤` and `❤️` are one."""


def one_emoji(text: str) -> str:
    """
    The emoji that a text is, fully qualified (UTS #51): families, flags, keycaps and skin tones included.

    :raises NotAnEmoji: something else, several, or a part of one, such as a skin tone by itself
    """
    found = _by_bare_form().get(text.replace(_STYLE, ""))
    if found is None:
        raise NotAnEmoji()
    return found


@cache
def _by_bare_form() -> dict[str, str]:
    whole = emoji.STATUS["fully_qualified"]
    return {text.replace(_STYLE, ""): text for text, facts in emoji.EMOJI_DATA.items() if facts["status"] == whole}
