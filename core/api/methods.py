"""
Which methods an address answers. Operations declare them in the table of their `as_view`, pages with
`@only`; every other method is refused in one place (`core.api.middleware`), before anything of the view runs.
"""

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V", bound=Callable[..., Any])

UNDECLARED = ("GET", "POST")
"""Of views that are not ours: the admin's."""


def only(*methods: str) -> Callable[[V], V]:
    """The methods that a page answers. HEAD comes with GET; OPTIONS is answered everywhere."""

    def declare(view: V) -> V:
        view.methods = methods  # type: ignore[attr-defined]
        return view

    return declare


def declared_by(view: Any) -> set[str]:
    """Every method that the address of this view answers."""
    methods = {method.upper() for method in getattr(view, "actions", getattr(view, "methods", UNDECLARED))}
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
