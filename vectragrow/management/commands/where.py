"""`manage.py where "POST /api/campaigns/.../invest"`"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import URLPattern, URLResolver, get_resolver

ANY = "any method"
_PLACEHOLDER = re.compile(r"\.\.\.|…|:\w+|\{[^/]*\}|<[^/]*>|\*")


class Command(BaseCommand):
    help = "Name file and line of what answers a call. Ids may be real, or `...`, `:id`, `{id}`, `<id>`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("call", help='such as "POST /api/campaigns/.../invest"')

    def handle(self, *args: Any, call: str, **options: Any) -> None:
        method, path = parse(call)
        mounted = routes(get_resolver())
        matching = [(route, view) for route, view in mounted if call.strip() and matches(route, path)]
        closest = max((words_of(route) for route, _ in matching), default=0)
        found = [
            (f"{name} /{route}", place(answer))
            for route, view in matching
            if words_of(route) == closest
            for name, answer in handlers(view)
            if method in ("", name) or name == ANY
        ]
        if not found:
            word = last_word(path)
            near = sorted({f"/{route}" for route, _ in mounted if word and word in route}, key=unlike(path))
            hint = f" Near it: {', '.join(near[:5])}." if near else ""
            raise CommandError(f"Nothing answers {call!r}.{hint}")
        for answered, where in found:
            self.stdout.write(where if len(found) == 1 else f"{where}  {answered}")


def parse(call: str) -> tuple[str, str]:
    """("POST", "api/campaigns/.../invest"); the method may be missing."""
    method, _, path = call.strip().rpartition(" ")
    return method.strip().upper(), path.split("?")[0].strip("/")


def routes(resolver: URLResolver, prefix: str = "") -> list[tuple[str, Any]]:
    """Every mounted route with its view, as in `api/campaigns/<uuid:campaign_id>/invest`."""
    found: list[tuple[str, Any]] = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            found += routes(entry, route)
        elif isinstance(entry, URLPattern):
            found.append((route, entry.callback))
    return found


def matches(route: str, path: str) -> bool:
    """Part by part: written parts are equal, a parameter takes anything, a placeholder is always a parameter."""
    parts, asked = route.strip("/").split("/"), path.split("/")
    return len(parts) == len(asked) and all(
        bool(word) if part.startswith("<") else word == part and not _PLACEHOLDER.fullmatch(word)
        for part, word in zip(parts, asked, strict=True)
    )


def words_of(route: str) -> int:
    """How many parts are written out; of two routes that match, the one with more is meant."""
    return sum(not part.startswith("<") for part in route.strip("/").split("/"))


def last_word(path: str) -> str:
    words = [word for word in path.split("/") if word and not _PLACEHOLDER.fullmatch(word)]
    return words[-1] if words else ""


def unlike(path: str) -> Callable[[str], tuple[bool, str]]:
    """Sorts what stands under the same first part (`api`, `admin`) before the rest."""
    return lambda route: (route.split("/")[1] != path.split("/")[0], route)


def handlers(view: Any) -> list[tuple[str, Any]]:
    """("POST", method) for each method that a view set or class answers; a plain view looks at the method itself."""
    owner = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if owner is None:
        return [(ANY, view)]
    actions: dict[str, str] = getattr(view, "actions", None) or {
        name: name for name in owner.http_method_names if name != "options" and hasattr(owner, name)
    }
    return [(method.upper(), getattr(owner, name)) for method, name in actions.items()]


def place(answer: Any) -> str:
    """`campaigns/views.py:41`: the `def` itself, not what decorates it."""
    function = inspect.unwrap(answer)
    file = Path(inspect.getsourcefile(function) or "?")
    lines, first = inspect.getsourcelines(function)
    offset = next((number for number, line in enumerate(lines) if line.lstrip().startswith(("def ", "class "))), 0)
    return f"{file.relative_to(settings.BASE_DIR) if file.is_relative_to(settings.BASE_DIR) else file}:{first + offset}"
