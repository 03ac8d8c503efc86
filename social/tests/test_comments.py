"""Comments and replies: two levels, tombstones, likes, who sees and deletes them."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, Status, User
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api
from social.models import Comment, PostCounts
from social.testing import make_comment, make_post

POSTS = "/api/social/posts"


def comments_url(post: Any, *rest: Any) -> str:
    return "/".join([f"{POSTS}/{post.pk}/comments", *map(str, rest)])


def listed(client: Api, url: str) -> list[str]:
    return [item["content"] for item in client.get(url).json()["items"]]


def test_comments_come_newest_first_and_with_the_post(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    me = api.as_user(stranger)
    for n in range(12):
        said = me.post(comments_url(post), {"content": f"Number {n}"})
        assert said.status_code == 201
    body = said.json()
    assert (body["parentId"], body["author"]["id"], body["repliesCount"]) == (None, str(stranger.pk), 0)
    shown = me.get(f"{POSTS}/{post.pk}").json()
    first = shown["comments"]
    assert shown["commentCount"] == 12
    assert [item["content"] for item in first["items"]] == [f"Number {n}" for n in range(11, 1, -1)]
    rest = me.get(comments_url(post), {"cursor": first["nextCursor"]}).json()
    assert [item["content"] for item in rest["items"]] == ["Number 1", "Number 0"]
    assert first == me.get(comments_url(post)).json()


def test_replies_come_oldest_first_on_one_level(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    top = make_comment(stranger, post, "Which panels?")
    me = api.as_user(author)
    first = me.post(comments_url(post, top.pk, "replies"), {"content": "Those of 400 watts."}).json()
    second = me.post(comments_url(post, first["id"], "replies"), {"content": "And twenty of them."}).json()
    assert first["parentId"] == second["parentId"] == str(top.pk)
    assert listed(me, comments_url(post, top.pk, "replies")) == ["Those of 400 watts.", "And twenty of them."]
    assert listed(me, comments_url(post, first["id"], "replies")) == []
    assert listed(me, comments_url(post)) == ["Which panels?"]
    top.refresh_from_db()
    assert (top.replies_count, PostCounts.objects.get(post=post).comment_count) == (2, 3)


def test_a_deleted_comment_leaves_a_tombstone_and_its_replies(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    top = make_comment(stranger, post, "Which panels?")
    reply = make_comment(author, post, "Those.", answers_id=top.pk)
    me = api.as_user(stranger)
    for _ in range(2):
        assert me.delete(comments_url(post, top.pk)).status_code == 200
    (shown,) = me.get(comments_url(post)).json()["items"]
    assert (shown["author"], shown["content"], shown["repliesCount"]) == (None, "", 1)
    assert shown["deletedAt"]
    assert listed(me, comments_url(post, top.pk, "replies")) == ["Those."]
    assert PostCounts.objects.get(post=post).comment_count == 1
    assert me.post(comments_url(post, top.pk, "replies"), {"content": "?"}).json()["code"] == "comment_deleted"
    assert me.post(comments_url(post, top.pk, "like")).json()["code"] == "comment_deleted"
    assert me.post(comments_url(post, reply.pk, "replies"), {"content": "I see"}).status_code == 201


def test_author_and_moderators_delete_comments(api: Api, author: User, stranger: User, moderator: User) -> None:
    post = make_post(author)
    comment = make_comment(stranger, post)
    assert api.as_user(author).delete(comments_url(post, comment.pk)).json()["code"] == "not_the_author"
    assert api.as_user(moderator).delete(comments_url(post, comment.pk)).status_code == 200


def test_a_comment_is_liked_once(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    comment = make_comment(author, post)
    me, like = api.as_user(stranger), comments_url(post, comment.pk, "like")
    answers = [me.post(like).json(), me.post(like).json(), me.delete(like).json(), me.delete(like).json()]
    assert [(a["likeCount"], a["likedByMe"]) for a in answers] == [(1, True), (1, True), (0, False), (0, False)]


def test_the_role_towards_the_campaign_stands_at_each_comment(api: Api, person: Callable[..., User]) -> None:
    founder, reader = person("founder", identity=True), person("reader")
    post = make_post(reader, campaign_id=make_campaign(founder).pk)
    for writer, role in ((founder, "founder"), (reader, None)):
        said = api.as_user(writer).post(comments_url(post), {"content": "Nearly there", "authorRole": "staff"})
        assert said.json()["authorRole"] == role


def test_whoever_is_blocked_deletes_their_own_comment_and_reads_nothing(
    api: Api, author: User, stranger: User, person: Callable[..., User]
) -> None:
    post = make_post(author)
    mine = make_comment(stranger, post, "Mine")
    reply = make_comment(stranger, post, "Mine too", answers_id=mine.pk)
    other = make_comment(person("third"), post, "Not mine")
    Block.objects.create(blocker=author, blocked=stranger)
    me = api.as_user(stranger)
    refused = me.delete(comments_url(post, other.pk))
    nobody = me.delete(comments_url(post, post.pk))
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert {**refused.json(), "requestId": ""} == {**nobody.json(), "requestId": ""}
    assert me.delete(comments_url(make_post(author), mine.pk)).status_code == 404, "under another post"
    for comment in (reply, mine, mine):
        answer = me.delete(comments_url(post, comment.pk))
        assert (answer.status_code, list(answer.json())) == (200, ["message"])
    assert me.get(f"{POSTS}/{post.pk}").status_code == me.get(comments_url(post)).status_code == 404
    assert set(Comment.objects.filter(deleted_at__isnull=False)) == {mine, reply}
    assert PostCounts.objects.get(post=post).comment_count == 1
    api.as_user(author).delete(f"{POSTS}/{post.pk}")
    assert me.delete(comments_url(post, mine.pk)).status_code == 404


def test_people_who_blocked_each_other_do_not_see_each_other_s_comments(
    api: Api, author: User, stranger: User, person: Callable[..., User]
) -> None:
    post, third = make_post(author), person("third")
    comment = make_comment(stranger, post, "From the other side")
    Block.objects.create(blocker=third, blocked=stranger)
    me = api.as_user(third)
    assert listed(me, comments_url(post)) == []
    assert me.get(f"{POSTS}/{post.pk}").json()["comments"]["items"] == []
    nothing = me.get(comments_url(post, "0190aaaa-0000-7000-8000-000000000000", "replies"))
    hidden = me.get(comments_url(post, comment.pk, "replies"))
    assert (hidden.status_code, hidden.json()["code"]) == (nothing.status_code, nothing.json()["code"])
    for call in (me.post, me.delete):
        assert call(comments_url(post, comment.pk, "like")).status_code == 404
    assert me.post(comments_url(post, comment.pk, "replies"), {"content": "?"}).status_code == 404
    assert me.delete(comments_url(post, comment.pk)).status_code == 404


def test_what_moderators_hid_is_a_tombstone_for_others(api: Api, author: User, stranger: User, moderator: User) -> None:
    post = make_post(author)
    comment = make_comment(stranger, post, "Rude")
    Comment.objects.filter(pk=comment.pk).update(hidden_at=clock.now())
    assert [listed(api.as_user(who), comments_url(post)) for who in (author, stranger, moderator)] == [
        [""],
        ["Rude"],
        ["Rude"],
    ]


def test_comments_of_the_suspended_and_held_ones_are_not_there(api: Api, author: User, person: Any) -> None:
    post = make_post(author)
    held = make_comment(author, post, "Held")
    Comment.objects.filter(pk=held.pk).update(held_at=clock.now())
    gone = person("gone")
    make_comment(gone, post, "Suspended")
    User.objects.filter(pk=gone.pk).update(status=Status.SUSPENDED)
    assert listed(api.as_user(person("reader")), comments_url(post)) == []
    assert listed(api.as_user(author), comments_url(post)) == ["Held"]


def test_comments_of_a_post_that_is_not_there_are_not_there(api: Api, author: User, stranger: User) -> None:
    post, other = make_post(author, visibility="followers"), make_post(author)
    comment, elsewhere = make_comment(author, post), make_comment(author, other)
    me = api.as_user(stranger)
    urls = [comments_url(post), comments_url(post, comment.pk, "replies"), comments_url(other, comment.pk, "replies")]
    assert [me.get(url).status_code for url in urls] == [404, 404, 404]
    assert me.post(comments_url(post), {"content": "?"}).status_code == 404
    assert me.post(comments_url(other, comment.pk, "replies"), {"content": "?"}).status_code == 404
    assert me.post(comments_url(post, elsewhere.pk, "like")).status_code == 404


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("x" * 2001, "max_length"),
        ("", "blank"),
        (" \n", "blank"),
        ("\u0301" * 1999, "shows_nothing"),
        (None, "null"),
        (["x"], "invalid"),
    ],
)
def test_bad_comments_are_refused(api: Api, author: User, content: Any, code: str) -> None:
    post = make_post(author)
    refused = api.as_user(author).post(comments_url(post), {"content": content})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == code
    assert not Comment.objects.exists()


@pytest.mark.parametrize("words", [b"a\\ud800b", b"a\\u0000b", b"a\x00b", b"a\xffb"])
def test_what_is_no_text_is_refused(api: Api, author: User, words: bytes) -> None:
    post = make_post(author)
    me = api.as_user(author)
    body = b'{"content": "' + words + b'"}'
    refused = me.client.post(comments_url(post), body, content_type="application/json")
    assert refused.status_code == 400
    assert not Comment.objects.exists()


def test_ten_thousand_marks_on_a_letter_are_too_many(api: Api, author: User) -> None:
    post = make_post(author)
    refused = api.as_user(author).post(comments_url(post), {"content": "a" + "\u0301" * 10_000})
    assert refused.json()["errors"][0]["code"] == "too_many_marks"


def test_lists_cost_the_same_for_one_and_for_ten(
    api: Api, author: User, person: Callable[..., User], django_assert_num_queries: Any
) -> None:
    post = make_post(author)
    top = make_comment(author, post)
    me = api.as_user(author)
    for n in range(10):
        somebody = person(f"p{n}")
        make_comment(somebody, post, f"<@{author.pk}> {n}")
        make_comment(somebody, post, f"<@{author.pk}> {n}", answers_id=top.pk)
        if n in (0, 9):
            for url in (f"{POSTS}/{post.pk}", comments_url(post), comments_url(post, top.pk, "replies")):
                with django_assert_num_queries(2):  # the session, and the rest
                    assert me.get(url).status_code == 200
