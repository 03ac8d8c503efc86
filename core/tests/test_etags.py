"""`If-Match` at every operation that takes it: our tag, its weak form, lists, anything; all else is stale."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from campaigns.testing import make_campaign
from chat.tests.factories import direct
from core.testing import Api


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


@pytest.fixture(params=["profile", "campaign", "conversation"])
def guarded(request: pytest.FixtureRequest, founder: User, person: Callable[..., User]) -> Any:
    """Where it is read, where it is written, and what changes it."""
    if request.param == "profile":
        return "/api/profile", "/api/profile", {"bio": "Baker"}
    if request.param == "campaign":
        path = f"/api/campaigns/{make_campaign(founder, status='draft').pk}"
        return path, path, {"summary": "Bread for all."}
    path = f"/api/chat/conversations/{direct(founder, person('backer')).pk}"
    return path, f"{path}/read", {}


@pytest.mark.parametrize("sent", ["{tag}", "W/{tag}", '"other", {tag}', '"other",W/{tag}', ' W/{tag} , W/"other"', "*"])
def test_our_tag_matches_in_every_form(api: Api, founder: User, guarded: Any, sent: str) -> None:
    read, write, body = guarded
    mine = api.as_user(founder)
    tag = mine.get(read).headers["ETag"]
    assert mine.put(write, body, if_match=sent.format(tag=tag)).status_code == 200


@pytest.mark.parametrize("sent", ['"other"', 'W/"other"', '"other", W/"another"', "{bare}", "W/{bare}", ",", '"{bare}'])
def test_anything_else_is_stale(api: Api, founder: User, guarded: Any, sent: str) -> None:
    read, write, body = guarded
    mine = api.as_user(founder)
    bare = mine.get(read).headers["ETag"].strip('"')
    refused = mine.put(write, body, if_match=sent.format(bare=bare))
    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
