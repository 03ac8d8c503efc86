"""Members, strangers and everybody else, on every path of a conversation."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from chat.models import Conversation, Message
from chat.tests.factories import say, url
from core.testing import Api

CALLS = [
    ("get", "", None),
    ("get", "/messages", None),
    ("post", "/messages", {"content": "Hello"}),
    ("put", "/read", {}),
    ("delete", "", None),
]


@pytest.mark.parametrize(("verb", "tail", "body"), CALLS)
@pytest.mark.parametrize(
    ("caller", "status"), [("founder", 200), ("backer", 200), ("stranger", 404), ("moderator", 404), (None, 401)]
)
def test_only_members_touch_a_conversation(
    api: Api,
    person: Callable[..., User],
    founder: User,
    backer: User,
    stranger: User,
    talk: Conversation,
    verb: str,
    tail: str,
    body: dict[str, Any] | None,
    caller: str | None,
    status: int,
) -> None:
    say(founder, talk)
    people = {"founder": founder, "backer": backer, "stranger": stranger, "moderator": person(role="moderator")}
    client = api.as_user(people[caller]) if caller else api
    answer = getattr(client, verb)(url(talk, tail), body)
    assert answer.status_code == (201 if status == 200 and verb == "post" else status)
    if status == 404:
        absent = getattr(client, verb)(url("01900000-0000-7000-8000-000000000000", tail), body)
        mine, theirs = answer.json(), absent.json()
        mine.pop("requestId"), theirs.pop("requestId")
        assert mine == theirs
        assert Message.objects.count() == 1


@pytest.mark.parametrize("wrong", ["nonsense", "123"])
def test_malformed_id_is_a_404(api: Api, founder: User, wrong: str) -> None:
    answer = api.as_user(founder).get(url(wrong))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
