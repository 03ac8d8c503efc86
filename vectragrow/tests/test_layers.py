"""What the import contracts (pyproject.toml) cannot see: foreign keys, and cycles of single files."""

import itertools
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest
from django.apps import apps
from django.conf import settings

CONTRACTS = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS = next(contract["layers"] for contract in CONTRACTS if contract["id"] == "layers")
FLOOR = {app.strip(): floor for floor, names in enumerate(reversed(LAYERS)) for app in names.split("|")}


def foreign_keys() -> Iterator[Any]:
    """(owner, field, target) for each relation that one of our models declares to another of our apps."""
    for model in apps.get_models():
        owner = model._meta.app_label
        if owner not in FLOOR:
            continue
        for field in itertools.chain(model._meta.local_fields, model._meta.local_many_to_many):
            if field.is_relation and field.related_model:
                yield owner, field, field.related_model._meta.app_label


def test_every_app_has_its_floor() -> None:
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR}
    assert ours <= set(FLOOR)


def test_foreign_keys_point_down() -> None:
    upward = [
        f"{field.model.__name__}.{field.name} -> {target}"
        for owner, field, target in foreign_keys()
        if target in FLOOR and target != owner and FLOOR[target] >= FLOOR[owner]
    ]
    assert not upward


def test_no_file_imports_one_that_imports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports in functions and for type checkers count as well."""
    monkeypatch.setattr(sys, "path", [str(settings.BASE_DIR), *sys.path])
    graph = grimp.build_graph(*sorted(FLOOR), cache_dir=None)
    ours = {name for name in graph.modules if ".tests" not in name and not name.startswith("core.testing")}
    imports = {name: graph.find_modules_directly_imported_by(name) & ours for name in ours}
    assert len(ours) > 300
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail("imports go round: " + " <- ".join(error.args[1]))
