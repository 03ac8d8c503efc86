"""Lists of the admin: each cell knows its column's name, which a phone shows beside it."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def labelled(cells: list[SafeString], headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells of one row as `result_list` makes them, with `data-label`; without one under a column of checkboxes."""
    for cell, header in zip(cells, headers, strict=True):
        name = strip_tags(str(header["text"])).strip()
        start, label = str(cell)[:3], format_html(' data-label="{}"', name[:1].upper() + name[1:]) if name else ""
        yield mark_safe(f"{start}{label}{str(cell)[3:]}")  # noqa: S308 - the parts are escaped already
