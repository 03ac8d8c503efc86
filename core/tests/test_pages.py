"""Lists: by number, by cursor, while rows come and go."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Session, User
from accounts.services import sessions
from core.testing import Api

PATH = "/api/auth/sessions"


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada")


@pytest.fixture
def devices(ada: User) -> list[Any]:
    """25 sessions, five of them opened at the very same moment."""
    start = timezone.now() - timedelta(hours=1)
    moments = [start + timedelta(seconds=n // 5 if n < 5 else n) for n in range(24)]
    return [sessions.open_session(user=ada, device=f"d{n}", method="password", now=at) for n, at in enumerate(moments)]


@pytest.fixture
def me(api: Api, ada: User, devices: list[Any]) -> Api:
    return api.as_user(ada)


def ids(page: Any) -> list[Any]:
    return [row["id"] for row in page["items"]]


def everything() -> list[Any]:
    return [str(pk) for pk in Session.objects.order_by("-created_at", "-id").values_list("pk", flat=True)]


def test_pages_by_number(me: Api) -> None:
    first = me.get(PATH).json()
    assert first.keys() == {"items", "page", "limit", "hasMore", "nextCursor"}
    assert (first["page"], first["limit"], first["hasMore"]) == (1, 10, True)
    pages = [me.get(PATH, {"page": n, "limit": 9}).json() for n in (1, 2, 3, 4)]
    assert [row for page in pages for row in ids(page)] == everything()
    assert [page["hasMore"] for page in pages] == [True, True, False, False]
    assert pages[2]["nextCursor"] is None


def test_cursor_pages_neither_skip_nor_repeat(me: Api, ada: User, devices: list[Any]) -> None:
    before = everything()
    page = me.get(PATH, {"limit": 4}).json()
    seen = ids(page)
    step = 1  # the first row is the session that asks
    while page["nextCursor"]:
        # A new row on top and a row gone behind us, between every two pages.
        sessions.open_session(user=ada, device="new", method="password", now=timezone.now())
        Session.objects.filter(pk=seen[step]).delete()
        page = me.get(PATH, {"limit": 4, "cursor": page["nextCursor"]}).json()
        seen += ids(page)
        step += 1
    assert seen == before


def test_total_only_when_asked(me: Api) -> None:
    assert "total" not in me.get(PATH).json()
    assert me.get(PATH, {"withTotal": "true"}).json()["total"] == 25


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"}, {"page": "-1"}, {"page": "x"}, {"page": "1.5"}, {"page": "１"}, {"limit": "0"},
        {"limit": "101"}, {"limit": "1e2"}, {"page": "9999", "limit": "100"}, {"page": "9" * 400},
    ],
)  # fmt: skip
def test_bad_pages_are_refused(me: Api, query: dict[str, Any]) -> None:
    refused = me.get(PATH, query)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_page")


def test_cursors_are_ours_and_belong_to_their_list(me: Api) -> None:
    cursor = me.get(PATH, {"limit": 2}).json()["nextCursor"]
    body, signature = cursor.split(".")
    for bad in ("x", "", ".", body, f"{body}.", f"{body}x.{signature}", "A" * 5000, f"{cursor}x"):
        refused = me.get(PATH, {"cursor": bad} if bad else {"cursor": "."})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
    elsewhere = me.get("/api/notifications", {"cursor": cursor})
    assert elsewhere.json()["code"] == "invalid_cursor"
