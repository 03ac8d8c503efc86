"""
Rights: what staff may do, which roles hold it, and which scope of an API key names it. One table for the whole
platform.

Each app declares its own in its `permissions.py`. Views (`core.api.permissions.HasRight`), admin pages
(`core.admin.StaffPage.right`), services and `access.py` ask the declared right; docs/permissions.md lists them all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from django.utils.module_loading import autodiscover_modules


class Actor(Protocol):
    """Who acts: a person, or `core.api.principals.Anonymous`."""

    @property
    def role(self) -> str: ...

    @property
    def scopes(self) -> frozenset[str] | None:
        """What an API key narrows the person's rights to; None when they act themselves, in a session."""


@dataclass(frozen=True, slots=True)
class Right:
    """Something that only some roles may do. `name` is `<noun>.<verb>`; a right without a scope is for no API key."""

    name: str
    roles: frozenset[str]
    about: str
    scope: str = ""

    def held_by(self, actor: Actor) -> bool:
        """Whether the person's role holds it, and the API key that acts for them, if one does, names it."""
        if actor.role not in self.roles:
            return False
        return actor.scopes is None or (self.scope != "" and self.scope in actor.scopes)


_rights: dict[str, Right] = {}


def declare(name: str, *, roles: Iterable[str], about: str, scope: str = "") -> Right:
    """
    Add a right to the table.

    :param roles: every role that holds it; no role holds a right that does not name it
    :param about: what it allows, for docs/permissions.md
    :param scope: the API-key scope that names it; empty: no API key may use it
    :raises ValueError: the name is taken
    """
    if name in _rights:
        raise ValueError(f"the right {name} is declared twice")
    _rights[name] = right = Right(name, frozenset(roles), about, scope)
    return right


def every_right() -> list[Right]:
    """Each declared right of the installed apps, by name."""
    autodiscover_modules("permissions")
    return sorted(_rights.values(), key=lambda right: right.name)


def is_held(name: str, by: Actor) -> bool:
    """Whether `by` holds the right of this name; nobody holds one that is not declared."""
    right = _rights.get(name)
    return right is not None and right.held_by(by)


BEGIN, END = "<!-- rights: made by manage.py permissions_doc -->", "<!-- end of rights -->"


def table() -> str:
    """The rights as the Markdown table of docs/permissions.md, between its two marks."""
    lines = ["| right | roles | API-key scope | allows |", "|---|---|---|---|"]
    for right in every_right():
        scope = f"`{right.scope}`" if right.scope else "none"
        lines.append(f"| `{right.name}` | {', '.join(sorted(right.roles))} | {scope} | {right.about} |")
    return "\n".join([BEGIN, *lines, END])
