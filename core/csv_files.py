"""
Tables as CSV (RFC 4180, UTF-8 without a byte order mark), the one place that writes them.

Texts in them may come from strangers, and whoever opens the file in a spreadsheet must not run what they wrote: a text
that a spreadsheet would read as a formula gets an apostrophe in front (OWASP, CSV injection). Numbers stay numbers,
negative ones too.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

CONTENT_TYPE = "text/csv; charset=utf-8"
_FORMULA = frozenset("=+-@")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_PART = re.compile(r"[^;\t\r\n]+")
"""Spreadsheets of other countries take a semicolon or a tab for the end of a cell, so what follows one counts too."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """
    :param rows: of texts, whole and decimal numbers, days, and None for an empty cell
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(map(cell, header))
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """
    The table as a file to download, kept by no cache.

    :param name: of the file, without `.csv`; of letters, digits and hyphens
    """
    answer = HttpResponse(csv_text(header, rows), content_type=CONTENT_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def cell(value: str | int | Decimal | date | None) -> str:
    """What is written for a value; texts that would be read as a formula begin with an apostrophe."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\0", "")
    return text if _NUMBER.fullmatch(text) or not _is_formula(text) else f"'{_PART.sub(_disarmed, text)}"


def _is_formula(text: str) -> bool:
    return text[:1] in ("\t", "\r", "\n") or any(_begins_formula(part) for part in _PART.findall(text))


def _disarmed(part: re.Match[str]) -> str:
    """A part behind a separator that another spreadsheet would begin a cell with."""
    return f"'{part[0]}" if part.start() and _begins_formula(part[0]) else part[0]


def _begins_formula(text: str) -> bool:
    """By its first visible character, whose full-width and other twins count as well (NFKC)."""
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "ZC"), "")
    return bool(first) and not _FORMULA.isdisjoint(unicodedata.normalize("NFKC", first)[:1])
