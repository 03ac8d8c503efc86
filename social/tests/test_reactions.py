"""Likes and reactions: exactly one emoji, once per person, counted exactly."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Block, User
from core.testing import Api
from social.emojis import one_emoji
from social.errors import NotAnEmoji
from social.models import PostCounts, Reaction
from social.testing import make_post

POSTS = "/api/social/posts"


def reaction_url(post: Any, emoji: str) -> str:
    return f"{POSTS}/{post.pk}/reactions/{quote(emoji, safe='')}"


def like_url(post: Any) -> str:
    return f"{POSTS}/{post.pk}/like"


FAMILY, SCOTLAND, KEYCAP, HAND, RAINBOW = "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "👋🏽", "🏳️‍🌈"


@pytest.mark.parametrize("emoji", ["👍", "❤️", FAMILY, SCOTLAND, KEYCAP, HAND, RAINBOW, "🇩🇪", "🫱🏻‍🫲🏿", "©️"])
def test_one_emoji_of_unicode(emoji: str) -> None:
    assert one_emoji(emoji) == emoji
    assert one_emoji(emoji.replace("\ufe0f", "")) == emoji


@pytest.mark.parametrize(
    "text",
    ["", "a", "1", "#", "👍👍", "👍 ", " 👍", "🏽", "🇩", "\ufe0f", "\u200d", "👍\u200d", "❤\ufe0e", ":+1:", "👍" * 50],
)
def test_not_an_emoji(text: str) -> None:
    with pytest.raises(NotAnEmoji):
        one_emoji(text)


def test_a_like_counts_once(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    me = api.as_user(stranger)
    answers = [me.post(like_url(post)), me.post(like_url(post)), me.delete(like_url(post)), me.delete(like_url(post))]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [(a.json()["likeCount"], a.json()["likedByMe"]) for a in answers] == [
        (1, True),
        (1, True),
        (0, False),
        (0, False),
    ]
    assert PostCounts.objects.get(post=post).reactions == {}


def test_a_like_is_the_thumb(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    me = api.as_user(stranger)
    me.post(like_url(post))
    assert me.post(reaction_url(post, "👍")).json()["reactions"] == [{"emoji": "👍", "count": 1, "mine": True}]
    assert me.delete(reaction_url(post, "👍\ufe0f")).json()["likeCount"] == 0


def test_reactions_of_several_people(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    me, other = api.as_user(author), api.as_user(stranger)
    me.post(reaction_url(post, "❤"))
    me.post(reaction_url(post, FAMILY))
    shown = other.post(reaction_url(post, "❤️")).json()
    assert shown["reactions"] == [
        {"emoji": "❤️", "count": 2, "mine": True},
        {"emoji": FAMILY, "count": 1, "mine": False},
    ]
    assert shown["likeCount"] == 0
    given = me.get(f"{POSTS}/{post.pk}/reactions").json()["items"]
    assert [(one["user"]["id"], one["emoji"]) for one in given] == [
        (str(stranger.pk), "❤️"),
        (str(author.pk), FAMILY),
        (str(author.pk), "❤️"),
    ]
    hearts = me.get(f"{POSTS}/{post.pk}/reactions", {"emoji": "❤", "withTotal": "true"}).json()
    assert (len(hearts["items"]), hearts["total"]) == (2, 2)


def test_not_an_emoji_is_refused(api: Api, author: User) -> None:
    post = make_post(author)
    me = api.as_user(author)
    for text in ("x", "👍👍", "%ff", "🇩"):
        for call in (me.post, me.delete):
            answer = call(reaction_url(post, text))
            assert (answer.status_code, answer.json()["code"]) == (400, "not_an_emoji")
    assert me.get(f"{POSTS}/{post.pk}/reactions", {"emoji": "x"}).json()["code"] == "not_an_emoji"


def test_twenty_emoji_of_one_person_are_enough(api: Api, author: User) -> None:
    post = make_post(author)
    me = api.as_user(author)
    emojis = [chr(code) for code in range(0x1F600, 0x1F615)]
    answers = [me.post(reaction_url(post, emoji)) for emoji in emojis]
    assert [answer.status_code for answer in answers] == [200] * 20 + [409]
    assert (answers[-1].json()["code"], answers[-1].json()["most"]) == ("too_many_reactions", 20)
    assert me.post(reaction_url(post, emojis[0])).status_code == 200
    assert me.post(like_url(post)).json()["likeCount"] == 1
    assert me.delete(reaction_url(post, emojis[0])).status_code == 200
    assert me.post(reaction_url(post, emojis[-1])).status_code == 200


def test_a_post_shows_the_most_frequent_and_mine(api: Api, author: User, person: Callable[..., User]) -> None:
    post = make_post(author)
    others = [person(f"p{n}") for n in range(2)]
    for number, emoji in enumerate(chr(code) for code in range(0x1F600, 0x1F628)):
        Reaction.objects.create(post=post, user=others[number % 2], emoji=emoji)
    counts = {chr(code): 1 for code in range(0x1F600, 0x1F628)}
    PostCounts.objects.filter(post=post).update(reactions=counts)
    shown = api.as_user(author).get(f"{POSTS}/{post.pk}").json()["reactions"]
    assert len(shown) == 30
    mine = api.as_user(others[1]).get(f"{POSTS}/{post.pk}").json()["reactions"]
    assert len(mine) == 35
    assert sum(one["mine"] for one in mine) == 20


def test_what_is_not_theirs_to_read_is_not_theirs_to_react_to(api: Api, author: User, stranger: User) -> None:
    post = make_post(author, visibility="followers")
    me = api.as_user(stranger)
    missing = me.post(f"{POSTS}/0190aaaa-0000-7000-8000-000000000000/like")
    for answer in (
        me.post(like_url(post)),
        me.delete(like_url(post)),
        me.post(reaction_url(post, "🎉")),
        me.get(f"{POSTS}/{post.pk}/reactions"),
    ):
        assert answer.status_code == missing.status_code == 404
        assert {**answer.json(), "requestId": ""} == {**missing.json(), "requestId": ""}
    assert not Reaction.objects.exists()


def test_reactions_of_hidden_people_are_not_listed(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    third = api.as_user(author)
    api.as_user(stranger).post(like_url(post))
    Block.objects.create(blocker=author, blocked=stranger)
    assert third.get(f"{POSTS}/{post.pk}/reactions").json()["items"] == []
