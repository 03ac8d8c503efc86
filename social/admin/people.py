"""The people of a group or channel, a few of them, on its page."""

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin import person_cell

SHOWN = 20
"""How many of each kind a page shows."""


def people_list(rows: Iterable[tuple[Any, str]]) -> SafeString:
    """People, each with what they are there; `-` for nobody."""
    lines = format_html_join(
        "",
        '<li>{} <span class="quiet">{}</span></li>',
        ((person_cell(person.name, person.email), what) for person, what in rows),
    )
    return format_html('<ul class="people">{}</ul>', lines) if lines else SafeString("-")
