"""
The role file: what each operation answers to whom, gathered from every app's `tests/access_rows.py`.

A row names the status for a caller without a token, one whose address is not verified, a verified person, one whose
identity is proven, a reviewer, a moderator and an admin, each a stranger to the object in the path (`absent`: an id
that nobody has). Owners' and others' objects are in each app's own access tests.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

CALLERS = ("anonymous", "unverified", "user", "investor", "reviewer", "moderator", "admin")
APPS = (
    "core",
    "notifications",
    "uploads",
    "accounts",
    "kyc",
    "campaigns",
    "investments",
    "social",
    "chat",
    "analytics",
)


@dataclass(frozen=True)
class Row:
    """Expected statuses in the order of CALLERS, the body that is sent, and whether it goes as multipart."""

    statuses: tuple[int, ...]
    body: dict[str, Any] | None = None
    multipart: bool = False
    query: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, *, anonymous: int = 401, unverified: int | None = None, user: int, **others: Any) -> "Row":
        """Unnamed callers answer like `user`; `staff` stands for all three staff roles."""
        body, multipart, query = others.pop("body", None), others.pop("multipart", False), others.pop("query", {})
        staff = others.pop("staff", None)
        named = {
            "anonymous": anonymous,
            "unverified": user if unverified is None else unverified,
            "user": user,
            "investor": others.pop("investor", user),
            **{role: others.pop(role, user if staff is None else staff) for role in ("reviewer", "moderator", "admin")},
        }
        if others:
            raise TypeError(f"no such caller: {', '.join(others)}")
        return cls(tuple(named[caller] for caller in CALLERS), body, multipart, query)


def every_row() -> dict[str, Row]:
    """`{"POST /api/auth/login": Row, ...}`"""
    rows: dict[str, Row] = {}
    for app in APPS:
        try:
            module = import_module(f"{app}.tests.access_rows")
        except ModuleNotFoundError as error:
            if error.name not in (f"{app}.tests", f"{app}.tests.access_rows"):
                raise
            continue
        twice = rows.keys() & module.ROWS.keys()
        if twice:
            raise ValueError(f"two rows for {', '.join(twice)}")
        rows.update(module.ROWS)
    return rows
