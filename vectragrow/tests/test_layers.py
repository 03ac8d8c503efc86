"""The floors of the house, for what import contracts cannot see: foreign keys are declared by name."""

import itertools
import tomllib
from pathlib import Path

from django.apps import apps
from django.conf import settings

CONTRACTS = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS = next(contract["layers"] for contract in CONTRACTS if contract["id"] == "layers")
FLOOR = {app.strip(): floor for floor, names in enumerate(reversed(LAYERS)) for app in names.split("|")}


def foreign_keys():
    """(owner, field, target) for each relation that one of our models declares to another of our apps."""
    for model in apps.get_models():
        owner = model._meta.app_label
        if owner not in FLOOR:
            continue
        for field in itertools.chain(model._meta.local_fields, model._meta.local_many_to_many):
            if field.is_relation and field.related_model:
                yield owner, field, field.related_model._meta.app_label


def test_every_app_has_its_floor():
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR}
    assert ours <= set(FLOOR)


def test_foreign_keys_point_down():
    upward = [
        f"{field.model.__name__}.{field.name} -> {target}"
        for owner, field, target in foreign_keys()
        if target in FLOOR and target != owner and FLOOR[target] >= FLOOR[owner]
    ]
    assert not upward
