"""Every refusal there is, for people to read: docs/errors.md and /api/docs/errors."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import cleandoc
from itertools import groupby

from django.apps import apps
from django.utils import translation
from django.utils.module_loading import autodiscover_modules

from core.api import errors


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: its status, the app that gives it, the words that a client sees (facts as ‹fact›)."""

    code: str
    status: int
    title: str
    message: str
    app: str
    note: str


def entries() -> list[Entry]:
    """One for each code of the installed apps, by status and code."""
    autodiscover_modules("errors")
    names = {config.name for config in apps.get_app_configs()}
    found: dict[str, Entry] = {}
    with translation.override("en"):
        for refusal in errors.every_refusal():
            app, *below = refusal.__module__.split(".")
            if app in names and "tests" not in below:
                found.setdefault(refusal.code, _entry(refusal, app))
    return list(found.values())


def by_status(rows: Iterable[Entry]) -> list[tuple[int, list[Entry]]]:
    return [(status, list(group)) for status, group in groupby(rows, key=lambda row: row.status)]


def _entry(refusal: type[errors.Refusal], app: str) -> Entry:
    return Entry(
        code=refusal.code,
        status=refusal.status,
        title=str(refusal.title),
        message=re.sub(r"%\((\w+)\)s", r"‹\1›", str(refusal.message)),
        app=app,
        note=_note(refusal),
    )


def _note(refusal: type[errors.Refusal]) -> str:
    """The first paragraph of the class's own docstring."""
    own = cleandoc(refusal.__dict__.get("__doc__") or "")
    return " ".join(own.split("\n\n")[0].split()).replace("`", "")


def markdown() -> str:
    """docs/errors.md."""
    lines = [
        "# Errors",
        "",
        "Made by `manage.py errors_doc` from the classes in each app's `errors.py`; `--check` fails when it is stale.",
        "",
        "Every refusal is `application/problem+json` with the members `type`, `title`, `status`, `detail`, `code` and",
        "`requestId`; a 400 about the input lists `errors` of `{field, code, detail}`. Switch on `code`: it never",
        "changes, the words may. The socket puts the same `code` into its `error` frames. ‹Facts› are filled in.",
    ]
    for status, rows in by_status(entries()):
        lines += ["", f"## {status}", "", "| code | says | given by |", "|---|---|---|"]
        lines += [f"| `{row.code}` | {row.message} | {row.app} |" for row in rows]
    return "\n".join(lines) + "\n"
