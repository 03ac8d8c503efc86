"""What the pages name is there: files, modules, commands, settings. Aims and decisions may name what is not there."""

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands

from core import events
from core.events.delivery import listeners_of

ROOT = settings.BASE_DIR
AIMS = {"API.md", "STYLE.md", "SECURITY-GOALS.md", "PERFORMANCE-GOALS.md"}
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "docs/how-to/*.md", "*/README.md", "*/*/README.md")
    for page in ROOT.glob(pattern)
    if page.name not in AIMS | {"CHANGELOG.md"} and not page.relative_to(ROOT).parts[0].startswith((".", "var"))
)
PACKAGES = tuple(path.parent.name for path in ROOT.glob("*/__init__.py"))
MADE_BY_THE_READER = {"campaigns/tests/test_notes.py", "campaigns/services/notes.py"}
"""Files that the tutorial has its reader write."""
CODE = re.compile(r"```.*?```|`([^`\n]+)`", re.DOTALL)
FILE = re.compile(r"([\w*.-]+/)*[\w*-][\w*.-]*\.(py|md|toml|ini|yml|html|txt|sql|sh|css|json)")
FOLDER = re.compile(rf"({'|'.join(PACKAGES)}|docs|deploy)/([\w*-]+/)*")
MODULE = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+")
SETTING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def words(page: Path) -> list[str]:
    """What stands in backticks on a page, outside of its blocks of code."""
    return [found[1].strip() for found in CODE.finditer(page.read_text()) if found[1]]


def blocks_and_words(page: Path) -> str:
    return "\n".join(found[0] for found in CODE.finditer(page.read_text()))


@cache
def everything_written() -> str:
    """All code and configuration, to look a name up in."""
    kinds = ("*.py", "*.sh", "*.yml", "*.toml", "Dockerfile", "Makefile", ".env.example", "Caddyfile")
    paths = {path for kind in kinds for path in (*ROOT.glob(kind), *ROOT.glob(f"*/**/{kind}"))}
    ours = [path for path in paths if not path.relative_to(ROOT).parts[0].startswith((".venv", "var", ".git"))]
    ours += [path for path in (ROOT / ".ci").glob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="ignore") for path in ours if path != Path(__file__))


@cache
def all_files() -> list[str]:
    """Every file of the project, as `/core/money.py`."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in (".venv", ".git", "var")]
    inside = [path for folder in folders for path in folder.rglob("*") if "node_modules" not in path.parts]
    return [f"/{path.relative_to(ROOT).as_posix()}" for path in [*ROOT.iterdir(), *inside] if path.is_file()]


def is_there(word: str) -> bool:
    """A path from the root or from any folder: `services/exports.py` of an app's own README."""
    pattern = re.compile(".*/" + re.escape(word).replace(r"\*", "[^/]*"))
    made_by_code = f'"{Path(word).name}"' in everything_written()
    return made_by_code or any(pattern.fullmatch(name) for name in all_files())


def resolves(name: str) -> bool:
    """`core.crypto.aes.decrypt`: a module, and what it has."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ".".join(parts[:length])
        try:
            if find_spec(path) is None:
                continue
        except ModuleNotFoundError:
            continue
        if length == len(parts):
            return True
        found: Any = import_module(path)
        for attribute in parts[length:]:
            known = {**getattr(found, "__annotations__", {}), **getattr(found, "__dataclass_fields__", {})}
            if not hasattr(found, attribute) and attribute not in known:
                return False
            found = getattr(found, attribute, None)
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_is_there(page: Path) -> None:
    wrong = []
    for word in words(page):
        if word in MADE_BY_THE_READER:
            continue
        if FILE.fullmatch(word) and not is_there(word):
            wrong.append(f"no file {word}")
        elif FOLDER.fullmatch(word) and not any(ROOT.glob(word)):
            wrong.append(f"no folder {word}")
        elif (
            MODULE.fullmatch(word)
            and not FILE.fullmatch(word)
            and not (resolves(word) or quoted(word) or is_model(word))
        ):
            wrong.append(f"no module or name {word}")
        elif SETTING.fullmatch(word) and not re.search(rf"\b{word}\b", everything_written()):
            wrong.append(f"no setting {word}")
    text = blocks_and_words(page)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wrong += [f"no target {name}" for name in re.findall(r"\bmake ([a-z]+)\b", text) if name not in targets]
    wrong += [f"no command {name}" for name in re.findall(r"manage\.py (\w+)", text) if name not in get_commands()]
    assert not wrong


def is_model(name: str) -> bool:
    """`kyc.Verification`, in any case: a model by its label."""
    try:
        apps.get_model(name)
    except (LookupError, ValueError):
        return False
    return True


def quoted(name: str) -> bool:
    """Names that code has in quotes (tasks, topics, rights), kinds of events, and their listeners."""
    kinds = {kind.name for kind in events.all_kinds()}
    listeners = {listener for kind in kinds for listener in listeners_of(kind)}
    return f'"{name}"' in everything_written() or name in kinds | listeners


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [*PAGES, *ROOT.glob("docs/adr/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", CODE.sub("", page.read_text())):
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
