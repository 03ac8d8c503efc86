"""
The tables of a campaign's figures: by day and by source. Pages, charts and CSV files are all made from them, and they
from what the API answers, so that they show the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from analytics.outputs import CampaignDay, CampaignFigures, SourceFigures
from analytics.selectors import DIRECT, OTHER
from core.api.outputs import Output
from core.currencies import amount_in_words

TITLES: Mapping[str, Any] = {
    "date": _("Day"),
    "views": _("Views"),
    "unique_visitors": _("Visitors"),
    "source": _("Source"),
    "medium": _("Medium"),
    "visits": _("Visits"),
    "people": _("People"),
    "started": _("Investments started"),
    "committed": _("Committed"),
    "invested": _("Settled"),
    "amount": _("Amount"),
    "invested_amount": _("Amount settled"),
}
_MONEY = frozenset({"amount", "invested_amount"})
_LINES = {"views": "solid", "unique_visitors": "dashed", "started": "dotted"}
"""How a column of the days is drawn."""
_SOURCES = {DIRECT: _("Directly, or not known"), OTHER: _("Few people, of all sources")}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    """As clients know it."""
    title: str
    line: str
    """How the chart draws it; empty: not at all."""


@dataclass(frozen=True, slots=True)
class Cell:
    title: str
    """Of its column."""
    value: str
    """For the chart; empty where there is no number."""
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` are values as the API answers them; money is text in major units of `currency`, None is hidden."""

    name: str
    currency: str
    fields: Sequence[str]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows for people; the first cell of each is its head."""
        heads = list(zip(self.fields, self.columns, strict=True))
        return [
            [self._cell(field, column.title, value) for (field, column), value in zip(heads, row, strict=True)]
            for row in self.rows
        ]

    @property
    def has_money(self) -> bool:
        return not _MONEY.isdisjoint(self.fields)

    @property
    def header(self) -> list[str]:
        """Of its CSV file: the names that clients know, and the currency where there are amounts."""
        return [*(column.name for column in self.columns), *(["currency"] if self.has_money else [])]

    @property
    def records(self) -> list[list[Any]]:
        """The rows of its CSV file."""
        return [[*row, self.currency] if self.has_money else list(row) for row in self.rows]

    def _cell(self, field: str, title: str, value: Any) -> Cell:
        if value is None:
            return Cell(title, "", number_in_words(None))
        if isinstance(value, date):
            return Cell(title, value.isoformat(), formats.date_format(value))
        if isinstance(value, int):
            return Cell(title, str(value), number_in_words(value))
        if field in _MONEY:
            return Cell(title, value, amount_in_words(value, self.currency))
        return Cell(title, value, str(_SOURCES.get(value, value)) if field == "source" else value)


def number_in_words(number: int | None) -> str:
    """For people; None is a number that is hidden, since it is of few of them."""
    return str(_("hidden")) if number is None else f"{number:,}"


def days_table(figures: CampaignFigures) -> Table:
    return _table("days", CampaignDay, figures.series, figures.currency)


def sources_table(figures: CampaignFigures) -> Table:
    return _table("sources", SourceFigures, figures.sources, figures.currency)


TABLES: Mapping[str, Callable[[CampaignFigures], Table]] = {"days": days_table, "sources": sources_table}
"""By the name under which they are exported."""


def _table(name: str, shape: type[Output], rows: Sequence[Output], currency: str) -> Table:
    fields = msgspec.structs.fields(shape)
    return Table(
        name=name,
        currency=currency,
        fields=[field.name for field in fields],
        columns=[Column(field.encode_name, str(TITLES[field.name]), _LINES.get(field.name, "")) for field in fields],
        rows=[[getattr(row, field.name) for field in fields] for row in rows],
    )
