"""A sheet as a page without scripts, and as a PDF of A4 with its fonts inside."""

from datetime import datetime

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from campaigns.key_information import Sheet, current_form
from core.pdf import Block, Facts, Heading, Paper, Words, drawn


def as_html(sheet: Sheet) -> str:
    """A whole page; whatever people wrote is escaped."""
    shown = {"sheet": sheet, "form": current_form(), "parts": _parts(sheet)}
    return render_to_string("campaigns/key_information.html", shown)


def as_pdf(sheet: Sheet, made_at: datetime) -> tuple[bytes, int]:
    """
    The file, and how many pages it has.

    :param made_at: what the file names as the moment of its creation
    """
    form = current_form()
    blocks: list[Block] = [
        Heading(sheet.title),
        Words(form.disclaimer),
        Heading(_("Risk warning")),
        Words(form.warning),
    ]
    for heading, fields in _parts(sheet):
        blocks += [Heading(heading), Facts(fields) if fields else Words(_("Not applicable."))]
    return drawn(Paper(_("Key investment information sheet"), blocks, made_at))


def _parts(sheet: Sheet) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each part's heading with its labels and texts; none where the part does not apply."""
    parts = []
    for part in current_form().parts:
        fields = [(label, sheet.texts.get(id, "")) for id, label in part.fields.items()] if sheet.needs(part) else []
        parts.append((f"{part.id}. {part.title}", fields))
    return [*parts, ("I. " + _("Individual portfolio management of loans"), [])]
