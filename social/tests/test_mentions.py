"""People and hashtags in what is written."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, Status, User
from core.testing import Api
from core.testing.pages import by_cursor
from social.models import PostMention, PostTag
from social.testing import make_comment, make_post
from social.texts import folded_tag, hashtags, mentioned_ids

POSTS = "/api/social/posts"


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#Solar and #solar", ["solar"]),
        ("＃太陽光 #太陽光", ["太陽光"]),
        ("#सौर_ऊर्जा, #انرژی‌خورشیدی", ["सौर_ऊर्जा", "انرژی\u200cخورشیدی"]),
        ("#Straße #STRASSE", ["strasse"]),
        ("(#one)#two #three! x#four ##five", ["one", "two", "three"]),
        ("C#sharp a/#part #2026 # ## #_", []),
        ("#2026goals", ["2026goals"]),
        ("#" + "x" * 101, []),
        ("#" + "x" * 100, ["x" * 100]),
        ("#ＳＯＬＡＲ", ["solar"]),
        ("#İstanbul #istanbul #ISTANBUL #ıstanbul #I\u0307stanbul", ["istanbul"]),
    ],
)
def test_hashtags_in_any_script(text: str, tags: list[str]) -> None:
    assert hashtags(text) == tags
    assert [folded_tag("#" + tag) for tag in tags] == tags


def test_mentions_are_ids_in_brackets() -> None:
    one, other = "0190aaaa-0000-7000-8000-000000000001", "0190AAAA-0000-7000-8000-000000000002"
    found = mentioned_ids(f"<@{other}> <@{one}>, <@{one}> @{one} <@x> <@{one}")
    assert [str(found_id) for found_id in found] == [other.lower(), one]


def test_a_mention_is_answered_as_a_card(api: Api, author: User, stranger: User) -> None:
    words = f"Thanks, <@{stranger.pk}>!"
    made = api.as_user(author).post(POSTS, {"content": words}).json()
    assert (made["content"], [card["id"] for card in made["mentions"]]) == (words, [str(stranger.pk)])
    comment = api.as_user(author).post(f"{POSTS}/{made['id']}/comments", {"content": words}).json()
    assert [card["id"] for card in comment["mentions"]] == [str(stranger.pk)]


def test_who_may_not_read_it_stays_text(
    api: Api, author: User, follower: User, stranger: User, person: Callable[..., User]
) -> None:
    blocked, suspended = person("blocked"), person("suspended", status=Status.SUSPENDED)
    Block.objects.create(blocker=blocked, blocked=author)
    everybody = " ".join(f"<@{who.pk}>" for who in (follower, stranger, blocked, suspended))
    made = api.as_user(author).post(POSTS, {"content": everybody, "visibility": "followers"}).json()
    assert [card["id"] for card in made["mentions"]] == [str(follower.pk)]
    opened = api.as_user(author).put(f"{POSTS}/{made['id']}", {"visibility": "public"}).json()
    assert {card["id"] for card in opened["mentions"]} == {str(follower.pk), str(stranger.pk)}
    narrowed = api.as_user(author).put(f"{POSTS}/{made['id']}", {"visibility": "private"}).json()
    assert narrowed["mentions"] == []


def test_a_comment_mentions_nobody_on_the_other_side_of_a_block(
    api: Api, author: User, stranger: User, person: Callable[..., User]
) -> None:
    third = person("third")
    Block.objects.create(blocker=third, blocked=stranger)
    post = make_post(author)
    said = api.as_user(stranger).post(f"{POSTS}/{post.pk}/comments", {"content": f"<@{third.pk}>"}).json()
    assert said["mentions"] == []


def test_people_hidden_from_a_reader_are_not_among_the_mentioned(api: Api, author: User, stranger: User) -> None:
    post = make_post(author, f"<@{stranger.pk}>")
    make_comment(author, post, f"<@{stranger.pk}>")
    Block.objects.create(blocker=stranger, blocked=author)
    shown = api.as_user(author).get(f"{POSTS}/{post.pk}").json()
    assert shown["mentions"] == shown["comments"]["items"][0]["mentions"] == []


def test_twenty_people_are_enough(api: Api, author: User, person: Callable[..., User]) -> None:
    ids = [f"<@0190aaaa-0000-7000-8000-{n:012d}>" for n in range(21)]
    me = api.as_user(person("known", identity=True))
    post = make_post(author)
    for url in (POSTS, f"{POSTS}/{post.pk}/comments"):
        refused = me.post(url, {"content": " ".join(ids)})
        assert (refused.status_code, refused.json()["code"], refused.json()["most"]) == (400, "too_many_mentions", 20)
        assert me.post(url, {"content": " ".join(ids[:20] * 2)}).status_code == 201
    assert not PostMention.objects.exists()


def test_thirty_tags_are_enough(api: Api, author: User) -> None:
    me = api.as_user(author)
    assert me.post(POSTS, {"content": " ".join(f"#a{n}" for n in range(31))}).json()["code"] == "too_many_tags"
    made = me.post(POSTS, {"content": " ".join(f"#a{n}" for n in range(30))}).json()
    assert made["tags"] == [f"a{n}" for n in range(30)]


def test_posts_are_found_by_tag(api: Api, author: User, follower: User, stranger: User) -> None:
    shown = [make_post(author, f"#Solar {n}", visibility=("public", "followers")[n % 2]) for n in range(6)]
    make_post(author, "#wind")
    make_post(author, "#solar", visibility="private")
    ids = [str(post.pk) for post in reversed(shown)]
    found = by_cursor(api.as_user(follower), POSTS, {"tag": "#SOLAR"}, 4)
    assert [post["id"] for post in found] == ids
    page = api.as_user(stranger).get(POSTS, {"tag": "solar", "withTotal": "true"}).json()
    assert [post["id"] for post in page["items"]] == ids[1::2]
    assert page["total"] == 3
    api.as_user(author).delete(f"{POSTS}/{shown[0].pk}")
    assert PostTag.objects.filter(tag="solar").count() == 6


@pytest.mark.parametrize("tag", ["#", "2026", "so lar", "a-b", "x" * 101])
def test_what_is_no_tag_is_refused(api: Api, author: User, tag: str) -> None:
    assert api.as_user(author).get(POSTS, {"tag": tag}).json()["errors"][0]["code"] == "not_a_tag"


def test_without_a_tag_there_is_no_such_list(api: Any, author: User) -> None:
    assert api.as_user(author).get(POSTS).json()["errors"][0]["code"] == "required"
