"""What somebody new may do, and that it ends with age and with a proven identity."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from accounts import brakes
from accounts.brakes import RULES, Action, Brake
from accounts.models import User
from core import clock
from core.testing import Api
from social.testing import make_post
from social.views.posts import PUBLISHING

POSTS = "/api/social/posts"
NEWEST = RULES[0]
"""The rule for accounts of this day."""


def aged(person: Any, days: float, **columns: Any) -> User:
    made: User = person("aged", created_at=clock.now() - timedelta(days=days), **columns)
    return made


def test_somebody_new_posts_some_and_then_waits(api: Api, person: Any) -> None:
    me, most = api.as_user(aged(person, 0)), NEWEST.most[Action.POSTS][0]
    answers = [me.post(POSTS, {"content": "Hello"}) for _ in range(most + 1)]
    assert [answer.status_code for answer in answers] == [201] * most + [429]
    assert answers[-1].json()["code"] == "slow_down"
    assert 0 < int(answers[-1]["Retry-After"]) <= 3600


def test_only_what_was_accepted_counts(api: Api, person: Any, author: User) -> None:
    me, most = api.as_user(aged(person, 0)), NEWEST.most[Action.POSTS][0]
    post, nowhere = make_post(author), "01890a5d-ac96-774b-bcce-b302099a8057"
    names = " ".join(f"<@{author.pk}>" for _ in range(15))
    wrong = [
        {"content": ""},
        {"content": "x" * 5001},
        {"content": names, "groupId": nowhere},
        {"content": "#a " * 9000},
    ]
    refused = [me.post(POSTS, wrong[n % len(wrong)]) for n in range(most + 4)]
    refused += [me.post(f"{POSTS}/{nowhere}/comments", {"content": names}) for _ in range(5)]
    assert {answer.status_code for answer in refused} == {400, 404}
    assert [me.post(POSTS, {"content": "Hello"}).status_code for _ in range(most + 1)] == [201] * most + [429]
    assert me.post(f"{POSTS}/{post.pk}/comments", {"content": names}).status_code == 201, "no mention was counted"


def test_a_flood_of_refused_tries_meets_the_limit_of_everybody(api: Api, person: Any) -> None:
    me = api.as_user(aged(person, 0))
    answers = [me.post(POSTS, {"content": ""}) for _ in range(PUBLISHING.most + 1)]
    assert [answer.status_code for answer in answers] == [400] * PUBLISHING.most + [429]
    assert answers[-1].json()["code"] == "rate_limited"


def test_brakes_end_with_age_and_with_an_identity(api: Api, person: Any) -> None:
    for free in (aged(person, 30.1), aged(person, 0, identity=True)):
        me = api.as_user(free)
        words = {"content": "http://a.example " * (NEWEST.links + 1)}
        assert {me.post(POSTS, words).status_code for _ in range(NEWEST.most[Action.POSTS][0] + 2)} == {201}


def test_links_are_counted_in_what_is_written(api: Api, person: Any, author: User) -> None:
    me, post = api.as_user(aged(person, 0)), make_post(author)
    few = "https://a.example " * NEWEST.links
    one, two = {"content": few}, {"content": f"{few} and WWW.b.example"}
    comments = f"{POSTS}/{post.pk}/comments"
    made = me.post(POSTS, one)
    assert made.status_code == 201 and me.post(comments, one).status_code == 201
    refused = [
        me.post(POSTS, two),
        me.post(comments, two),
        me.put(f"{POSTS}/{made.json()['id']}", two),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(400, "too_many_links")] * 3
    assert refused[0].json()["errors"][0]["field"] == "content"


def test_people_named_are_counted_together(api: Api, person: Any, author: User) -> None:
    me, post = api.as_user(aged(person, 0)), make_post(author)
    names = " ".join(f"<@{person(f'p{n}').pk}>" for n in range(15))
    for _ in range(NEWEST.most[Action.MENTIONS][0] // 15):
        assert me.post(POSTS, {"content": names}).status_code == 201
    refused = me.post(f"{POSTS}/{post.pk}/comments", {"content": names})
    assert (refused.status_code, refused.json()["code"]) == (429, "slow_down")


def test_conversations_are_braked_too(api: Api, person: Any) -> None:
    me, most = api.as_user(aged(person, 0)), NEWEST.most[Action.CONVERSATIONS][0]
    bodies = [{"participants": [str(person(f"p{n}").pk)], "type": "direct"} for n in range(most + 1)]
    assert [me.post("/api/chat/conversations", body).status_code for body in bodies] == [201] * most + [429]


def test_founding_and_inviting_are_braked_too(api: Api, person: Any) -> None:
    me, group = api.as_user(aged(person, 0)), {"visibility": "public", "joinPolicy": "open"}
    most, letters = NEWEST.most[Action.GROUPS][0], "abcdefghjkm"
    founded = [me.post("/api/social/groups", {"name": f"Roofs {letters[n]}", **group}) for n in range(most + 1)]
    assert [answer.status_code for answer in founded] == [201] * most + [429]
    invited = f"/api/social/groups/{founded[0].json()['id']}/invitations"
    most = NEWEST.most[Action.INVITATIONS][0]
    answers = [me.post(invited, {"userId": str(person(f"i{n}").pk)}) for n in range(most + 1)]
    assert [answer.status_code for answer in answers] == [200] * most + [429]


@pytest.mark.parametrize(("days", "rule"), [(0, 0), (0.99, 0), (1.01, 1), (6.9, 1), (7.1, 2), (29.9, 2), (30.1, None)])
def test_age_decides(days: float, rule: int | None, person: Any) -> None:
    somebody = aged(person, days)
    assert brakes.brake_of(somebody, clock.now()) == (None if rule is None else RULES[rule])


def test_rules_loosen_with_age() -> None:
    assert [rule.younger_than for rule in RULES] == sorted(rule.younger_than for rule in RULES)
    for younger, older in pairwise(RULES):
        assert younger.links <= older.links
        for action in Action:
            assert _rate(younger, action) <= _rate(older, action), action


def _rate(rule: Brake, action: Action) -> float:
    most, window = rule.most.get(action, (10**9, timedelta(hours=1)))
    return most / window.total_seconds()
