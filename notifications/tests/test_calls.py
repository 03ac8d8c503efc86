"""Every call of `notify` and `send_mail_to` in the repository names a kind that exists and gives the facts it needs."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings

from notifications.kinds import KINDS, MAILS


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    for config in apps.get_app_configs():
        root = Path(config.path)
        if not root.is_relative_to(settings.BASE_DIR) or ".venv" in root.parts:
            continue
        for path in sorted(root.rglob("*.py")):
            if "tests" in path.parts or config.name == "notifications":
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if name in ("notify", "send_mail_to"):
                        yield name, node, f"{path.relative_to(settings.BASE_DIR)}:{node.lineno}"


def test_every_call_gives_what_its_kind_needs():
    found = list(calls())
    assert found
    for name, call, place in found:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        kinds, named_by = (KINDS, "kind") if name == "notify" else (MAILS, "template")
        kind = given[named_by]
        if not isinstance(kind, ast.Constant) or None in given:
            continue  # chosen or filled at run time: that app's own tests run it
        assert kind.value in kinds, f"{place}: no kind {kind.value}"
        missing = set(kinds[kind.value].facts) - given.keys()
        assert not missing, f"{place}: {kind.value} needs {', '.join(sorted(missing))}"
