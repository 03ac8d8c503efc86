"""
The key investment information sheet: which parts there are and what they ask for, as data; and what one sheet lacks.

`rendering` makes HTML and PDF of it. Defaults for operators, not legal advice.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import models

_DATA = Path(__file__).parent / "data"


class Instrument(models.TextChoices):
    LOAN = "loan"
    TRANSFERABLE_SECURITIES = "transferable_securities"


@dataclass(frozen=True, slots=True)
class Part:
    id: str
    """The letter of Annex I."""
    title: str
    needed: str
    fields: Mapping[str, str]
    """The label of each field, by its id."""


@dataclass(frozen=True, slots=True)
class Form:
    """One version of what a sheet is made of."""

    version: str
    disclaimer: str
    warning: str
    parts: tuple[Part, ...]

    @property
    def field_ids(self) -> frozenset[str]:
        return frozenset(id for part in self.parts for id in part.fields)


@cache
def current_form() -> Form:
    """The latest version."""
    data = tomllib.loads(max(_DATA.glob("parts-*.toml")).read_text(encoding="utf-8"))
    parts = tuple(Part(one["id"], one["title"], one["needed"], one["fields"]) for one in data["parts"])
    return Form(data["version"], data["disclaimer"], data["warning"], parts)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one owner has written."""

    title: str
    """Of the campaign."""
    instrument: str
    has_vehicle: bool
    """A special purpose vehicle stands between the project and the investor."""
    texts: Mapping[str, str]
    """By the id of the field."""

    def needs(self, part: Part) -> bool:
        return part.needed in ("always", self.instrument) or (
            part.needed == "special_purpose_vehicle" and self.has_vehicle
        )

    def missing(self) -> Iterator[tuple[Part, str]]:
        """The fields of needed parts that are empty: part and id."""
        for part in current_form().parts:
            if self.needs(part):
                yield from ((part, id) for id in part.fields if not self.texts.get(id, "").strip())
