"""
Papers as PDF (A4): headings, facts and tables, in a font of their own inside.

Any text may be in them, whatever its script. DejaVu Sans is the font; letters that it does not have are taken from GNU
Unifont, which is loaded only for texts that need it, and what no font has is shown as a box. The same content gives the
same bytes.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from django.http import HttpResponse
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import WrapMode

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it finds the dates in Unifont odd

CONTENT_TYPE = "application/pdf"
_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "DejaVu"
_REGULAR, _BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
_FALLBACK = {"Unifont": "unifont.otf", "UnifontUpper": "unifont_upper.otf"}
_BOX = "\N{WHITE SQUARE}"
_TITLE, _HEADING, _TEXT, _CELL = 15, 11, 9, 7.5
"""Sizes in points."""
_LINE = 0.5
"""Millimetres of a line for each point of its letters."""
_LABEL = 60.0
"""Width of the labels of facts, in millimetres."""


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values, one below the other."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A line for each row; what does not fit into its column is cut."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    """Of the columns, in millimetres; 190 fit on the page."""
    right: frozenset[int] = field(default_factory=frozenset)
    """Columns of numbers."""


Block = Heading | Words | Facts | Table


@dataclass(frozen=True, slots=True)
class Paper:
    title: str
    blocks: Sequence[Block]
    made_at: datetime
    """What the file names as the moment of its creation; part of its bytes."""


def as_bytes(paper: Paper) -> bytes:
    """The file."""
    return drawn(paper)[0]


def unprintable(text: str) -> list[str]:
    """Letters that no font has, each once, in their order; line breaks and tabs are printable."""
    known = _letters(_REGULAR, _BOLD).union(*(_letters(name) for name in _FALLBACK.values()))
    return list(dict.fromkeys(letter for letter in text if ord(letter) not in known and letter not in "\n\t"))


def drawn(paper: Paper) -> tuple[bytes, int]:
    """The file, and how many pages it has."""
    pdf = _Pdf(format="A4")
    pdf.set_title(_shown(paper.title))
    pdf.set_creation_date(paper.made_at)
    pdf.set_auto_page_break(True, margin=18)
    pdf.add_font(_FAMILY, "", _FONTS / _REGULAR)
    pdf.add_font(_FAMILY, "B", _FONTS / _BOLD)
    missing = {ord(letter) for text in (paper.title, *_texts(paper.blocks)) for letter in text} - _letters(
        _REGULAR, _BOLD
    )
    fallback = [family for family, name in _FALLBACK.items() if missing and missing & _letters(name)]
    for family in fallback:
        pdf.add_font(family, "", _FONTS / _FALLBACK[family])
    pdf.set_fallback_fonts(fallback, exact_match=False)
    pdf.add_page()
    _line(pdf, paper.title, _TITLE, "B")
    for block in paper.blocks:
        match block:
            case Heading(text):
                pdf.ln(2)
                _line(pdf, text, _HEADING, "B")
            case Words(text):
                _line(pdf, text, _TEXT)
            case Facts(pairs):
                _facts(pdf, pairs)
            case Table():
                _table(pdf, block)
    return bytes(pdf.output()), pdf.page_no()


def pdf_response(name: str, paper: Paper) -> HttpResponse:
    """
    The paper as a file to download, kept by no cache.

    :param name: of the file, without `.pdf`; of letters, digits and hyphens
    """
    answer = HttpResponse(as_bytes(paper), content_type=CONTENT_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


class _Pdf(FPDF):
    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FAMILY, "", 7)
        self.cell(0, 5, str(self.page_no()), align="C")


def _texts(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Heading(text) | Words(text):
                yield text
            case Facts(pairs):
                for pair in pairs:
                    yield from pair
            case Table():
                yield from block.header
                for row in block.rows:
                    yield from row


@cache
def _letters(*names: str) -> frozenset[int]:
    """What all of these fonts can show."""
    return frozenset.intersection(*(frozenset(TTFont(_FONTS / name).getBestCmap()) for name in names))


def _shown(text: str) -> str:
    """The text with a box for each letter that no font has, and without what is no letter."""
    text = text.replace("\t", " ").replace("\r", "")
    missing = {ord(letter) for letter in text if letter != "\n"} - _letters(_REGULAR, _BOLD)
    for name in _FALLBACK.values():
        if missing:
            missing = missing - _letters(name)
    return text.translate(dict.fromkeys(missing, _BOX))


def _line(pdf: FPDF, text: str, size: float, style: str = "") -> None:
    pdf.set_font(_FAMILY, style, size)
    _cell(pdf, 0, size, text)


def _cell(pdf: FPDF, width: float, size: float, text: str) -> None:
    """From here on, in as many lines as it takes."""
    long_word = any(len(word) > 30 for word in text.split())
    pdf.multi_cell(
        width,
        size * _LINE,
        _shown(text),
        new_x="LMARGIN",
        new_y="NEXT",
        align="L",
        wrapmode=WrapMode.CHAR if long_word else WrapMode.WORD,
    )


def _facts(pdf: FPDF, pairs: Sequence[tuple[str, str]]) -> None:
    for label, value in pairs:
        if pdf.will_page_break(_TEXT * _LINE * 3):
            pdf.add_page()
        top = pdf.get_y()
        pdf.set_font(_FAMILY, "B", _TEXT)
        _cell(pdf, _LABEL - 3, _TEXT, label)
        below = pdf.get_y()
        pdf.set_xy(pdf.l_margin + _LABEL, top)
        pdf.set_font(_FAMILY, "", _TEXT)
        page = pdf.page_no()
        _cell(pdf, 0, _TEXT, value or "–")
        if pdf.page_no() == page:
            pdf.set_y(max(below, pdf.get_y()))
        pdf.ln(1)


def _table(pdf: FPDF, table: Table) -> None:
    height = _CELL * _LINE + 1
    _row(pdf, table, table.header, "B", height)
    for row in table.rows:
        if pdf.will_page_break(height):
            pdf.add_page()
            _row(pdf, table, table.header, "B", height)
        _row(pdf, table, row, "", height)


def _row(pdf: FPDF, table: Table, cells: Sequence[str], style: str, height: float) -> None:
    pdf.set_font(_FAMILY, style, _CELL)
    for column, (text, width) in enumerate(zip(cells, table.widths, strict=True)):
        fitting = _fitting(pdf, _shown(text.replace("\n", " ")), width - 2)
        pdf.cell(width, height, fitting, align="R" if column in table.right else "L")
    pdf.ln(height)


def _fitting(pdf: FPDF, text: str, width: float) -> str:
    """As much of the beginning as fits, with an ellipsis where something is cut."""
    if pdf.get_string_width(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if pdf.get_string_width(f"{text[:middle]}…") <= width:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low]}…"
