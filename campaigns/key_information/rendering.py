"""A sheet as a page without scripts, and as a PDF of A4 with a font of its own inside."""

from functools import cache
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import WrapMode

from campaigns.key_information import Sheet, current_form

_FONTS = Path(__file__).resolve().parents[2] / "core" / "fonts"
_FAMILY = "DejaVu"
_TEXT, _HEADING, _TITLE = 9, 11, 14
"""Sizes in points."""


def unprintable_letters(text: str) -> list[str]:
    """Letters that the font of the PDF does not have, each once, in their order; line breaks count as printable."""
    known = _known_letters()
    return list(dict.fromkeys(letter for letter in text if ord(letter) not in known and letter not in "\n\t"))


@cache
def _known_letters() -> frozenset[int]:
    fonts = (TTFont(_FONTS / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"))
    return frozenset.intersection(*(frozenset(font.getBestCmap()) for font in fonts))


def as_html(sheet: Sheet) -> str:
    """A whole page; whatever people wrote is escaped."""
    shown = {"sheet": sheet, "form": current_form(), "parts": _parts(sheet)}
    return render_to_string("campaigns/key_information.html", shown)


def as_pdf(sheet: Sheet) -> tuple[bytes, int]:
    """The file, and how many pages it has."""
    form = current_form()
    pdf = FPDF(format="A4")
    pdf.set_lang("en")
    pdf.set_title(_("Key investment information sheet"))
    pdf.add_font(_FAMILY, "", _FONTS / "DejaVuSans.ttf")
    pdf.add_font(_FAMILY, "B", _FONTS / "DejaVuSans-Bold.ttf")
    pdf.set_auto_page_break(True, margin=15)
    pdf.add_page()
    _write(pdf, _("Key investment information sheet"), _TITLE, "B")
    _write(pdf, sheet.title, _HEADING, "B")
    _write(pdf, form.disclaimer)
    _write(pdf, _("Risk warning"), _HEADING, "B")
    _write(pdf, form.warning)
    for heading, fields in _parts(sheet):
        _write(pdf, heading, _HEADING, "B")
        if not fields:
            _write(pdf, _("Not applicable."))
        for label, text in fields:
            _write(pdf, label, _TEXT, "B")
            _write(pdf, text or "–")
    return bytes(pdf.output()), pdf.page_no()


def _parts(sheet: Sheet) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each part's heading with its labels and texts; none where the part does not apply."""
    parts = []
    for part in current_form().parts:
        fields = [(label, sheet.texts.get(id, "")) for id, label in part.fields.items()] if sheet.needs(part) else []
        parts.append((f"{part.id}. {part.title}", fields))
    return [*parts, ("I. " + _("Individual portfolio management of loans"), [])]


def _write(pdf: FPDF, text: str, size: int = _TEXT, style: str = "") -> None:
    pdf.set_font(_FAMILY, style, size)
    wrapping = WrapMode.CHAR if _has_long_word(text) else WrapMode.WORD
    text = text.replace("\t", " ")
    pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L", wrapmode=wrapping)


def _has_long_word(text: str) -> bool:
    """One that does not fit into a line."""
    return any(len(word) > 60 for word in text.split())
