"""Every operation has its row, and every row holds."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from core.testing import Api
from vectragrow.tests.matrix import CALLERS, every_row

ABSENT = UUID("01900000-0000-7000-8000-000000000000")
ROWS = every_row()
WITHOUT_ROLES = re.compile(r"^/(admin|mailbox|media|files|sandbox|static)\b")
"""Pages for browsers: tested where they are made."""


def operations() -> Iterator[str]:
    """`VERB /path/{name}` of every API view that is mounted."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for entry in patterns:
            path = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, path)
            elif actions := getattr(entry.callback, "actions", None):
                readable = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path.lstrip("^").rstrip("$"))
                yield from (f"{verb.upper()} {readable}" for verb in actions if verb != "head")

    return walk(get_resolver().url_patterns, "")


def test_every_operation_is_in_the_role_file() -> None:
    mounted = {operation for operation in operations() if not WITHOUT_ROLES.match(operation.split()[1])}
    assert mounted - ROWS.keys() == set(), "operations without a row in <app>/tests/access_rows.py"
    assert ROWS.keys() - mounted == set(), "rows of operations that are gone"


def test_every_operation_names_a_permission() -> None:
    """Closed by default: nothing answers because somebody forgot to say who may ask."""
    from core.api.permissions import Nobody, Permission

    def views(patterns: list[URLPattern | URLResolver]) -> Iterator[Any]:
        for entry in patterns:
            if isinstance(entry, URLResolver):
                yield from views(entry.url_patterns)
            elif hasattr(entry.callback, "actions"):
                yield vars(entry.callback)["cls"]

    for view in set(views(get_resolver().url_patterns)):
        permissions = [
            *view.permission_classes,
            *(permission for row in view.action_permissions.values() for permission in row),
        ]
        assert permissions, view
        assert (
            all(issubclass(permission, Permission) and permission is not Nobody for permission in permissions)
            or view.action_permissions
        ), view


@pytest.fixture
def callers(api: Api, person: Callable[..., User]) -> dict[str, Any]:
    people = {
        "unverified": person("unverified", verified=False),
        "user": person("user"),
        "investor": person("investor", identity=True),
        **{role: person(role, role=role, identity=True) for role in ("reviewer", "moderator", "admin")},
    }
    return {"anonymous": api, **{name: api.as_user(who) for name, who in people.items()}}


@pytest.mark.parametrize("operation", sorted(ROWS))
def test_row(operation: str, callers: dict[str, Any]) -> None:
    row = ROWS[operation]
    verb, path = operation.split()
    url = re.sub(r"{(\w+)}", lambda name: str(ABSENT) if "id" in name[1].lower() else "absent", path)
    answers = {}
    for caller in CALLERS:
        client = callers[caller]
        if verb == "GET":
            response = client.get(url, row.query or None)
        elif row.multipart:
            response = client.upload(url, row.body or {}, method=verb.lower())
        else:
            response = getattr(client, verb.lower())(url, row.body if row.body is not None else {})
        answers[caller] = response.status_code
    assert answers == dict(zip(CALLERS, row.statuses, strict=True))
