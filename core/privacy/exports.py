"""Everything about a person, for the archive that they may ask for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from core.api.names import to_camel
from core.privacy.declarations import Declaration, Rows, Withheld, every_declaration


def rows_of(person_id: UUID) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Names of JSON files, in alphabetical order, and their rows."""
    for declaration in sorted(every_declaration(), key=lambda declaration: declaration.name):
        if not isinstance(declaration.export, Withheld):
            yield f"{declaration.name}.json", list(_rows(declaration, person_id))


def files_of(person_id: UUID) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Names of the files that the person gave us, and their contents in chunks."""
    for declaration in every_declaration():
        if declaration.files is not None:
            yield from declaration.files(person_id)


def _rows(declaration: Declaration, person_id: UUID) -> Rows:
    if callable(declaration.export):
        return declaration.export(person_id)
    columns = cast(Sequence[str], declaration.export)
    rows = declaration.model._default_manager.filter(**{str(declaration.person): person_id})
    return ({to_camel(name): value for name, value in row.items()} for row in rows.order_by("pk").values(*columns))
