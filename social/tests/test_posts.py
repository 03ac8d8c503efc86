"""Writing, reading and deleting posts."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services.administration import suspend
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api
from social.testing import make_post
from uploads.testing import picture

POSTS = "/api/social/posts"


def post_url(post: Any) -> str:
    return f"{POSTS}/{post['id'] if isinstance(post, dict) else post.pk}"


def test_a_post_is_published_and_read(api: Api, author: User, stranger: User) -> None:
    made = api.as_user(author).post(POSTS, {"content": "The panels are on the roof."})
    assert made.status_code == 201
    body = made.json()
    assert (body["visibility"], body["likeCount"], body["authorRole"]) == ("public", 0, None)
    read = api.as_user(stranger).get(post_url(body))
    assert (read.status_code, read.json()["content"]) == (200, "The panels are on the roof.")
    listed = api.as_user(stranger).get(f"/api/social/users/{author.pk}/posts").json()
    assert [item["id"] for item in listed["items"]] == [body["id"]]


def test_posts_of_somebody_suspended_are_listed_like_those_of_nobody(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    make_post(author)
    suspend(user_id=author.pk, reason="", by=moderator, now=clock.now())
    lists = [f"/api/social/users/{one}/posts" for one in (author.pk, "01890a5d-ac96-774b-bcce-b302099a8057")]
    answers = [api.as_user(stranger).get(address) for address in lists]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2


def test_what_is_for_followers_is_not_there_for_others(api: Api, author: User, follower: User, stranger: User) -> None:
    post = make_post(author, visibility="followers")
    assert api.as_user(follower).get(post_url(post)).status_code == 200
    assert api.as_user(stranger).get(post_url(post)).status_code == 404


def test_pictures_of_a_private_post_have_links_that_end(api: Api, author: User) -> None:
    me = api.as_user(author)
    made = me.upload(POSTS, {"media": [picture()], "mediaAlt": ["A roof"], "visibility": "private"}).json()
    (shown,) = made["media"]
    assert shown["alt"] == "A roof"
    assert "/files/" in shown["url"]
    assert me.get(shown["url"].split("testserver")[-1]).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "empty_post"),
        ({"content": " \n"}, "empty_post"),
        ({"content": "x" * 5001}, "max_length"),
        ({"content": "x", "visibility": "secret"}, "invalid_choice"),
        ({"content": "x", "groupId": "0" * 8}, "invalid"),
        ({"content": "x", "groupId": "01890a5d-ac96-774b-bcce-b302099a8057"}, "unknown_group"),
        ({"content": "x", "channelId": "01890a5d-ac96-774b-bcce-b302099a8057"}, "unknown_channel"),
        ({"content": "x", "campaignId": "01890a5d-ac96-774b-bcce-b302099a8057"}, "unknown_campaign"),
    ],
)
def test_bad_posts_are_refused(api: Api, author: User, body: dict[str, Any], code: str) -> None:
    refused = api.as_user(author).post(POSTS, body)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == code
    assert api.as_user(author).get("/api/profile/posts").json()["items"] == []


def test_the_server_says_what_the_author_is_to_the_campaign(api: Api, author: User, person: Any) -> None:
    founder, helper = person("founder", identity=True), person("helper", role="reviewer")
    campaign = make_campaign(founder)
    body = {"content": "We are nearly there!", "campaignId": str(campaign.pk), "authorRole": "investor"}
    roles = [api.as_user(writer).post(POSTS, body).json()["authorRole"] for writer in (founder, helper, author)]
    assert roles == ["founder", "staff", None]


def test_only_the_author_deletes(api: Api, author: User, stranger: User) -> None:
    post = make_post(author)
    assert api.as_user(stranger).delete(post_url(post)).json()["code"] == "not_the_author"
    assert api.as_user(author).delete(post_url(post)).status_code == 200
    assert api.as_user(author).get(post_url(post)).status_code == 404
