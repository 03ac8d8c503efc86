"""Editing posts: history for whoever could read it, files that move with the audience, stale edits refused."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from core.testing import Api
from social.models import Channel, ChannelMember, ChannelPin, Follow, Group, Membership, Post, PostEdit, PostTag
from social.testing import make_post
from uploads.models import StoredFile
from uploads.testing import picture

POSTS = "/api/social/posts"


def post_url(post: Any, *rest: str) -> str:
    return "/".join([f"{POSTS}/{post['id'] if isinstance(post, dict) else post.pk}", *rest])


def history(client: Api, post: Any) -> list[str]:
    return [edit["content"] for edit in client.get(post_url(post, "edits")).json()["items"]]


def test_an_edit_keeps_what_was_said(api: Api, author: User, stranger: User) -> None:
    post = make_post(author, "First #Solar")
    me = api.as_user(author)
    for words in ("Second", "Third"):
        edited = me.put(post_url(post), {"content": words})
        assert edited.status_code == 200
    assert (edited.json()["content"], edited.json()["tags"]) == ("Third", [])
    assert edited.json()["editedAt"]
    assert history(api.as_user(stranger), post) == ["Second", "First #Solar"]


def test_an_edit_that_changes_nothing_is_none(api: Api, author: User) -> None:
    post = make_post(author, "Words")
    for body in ({}, {"content": "Words"}, {"visibility": "public"}, {"mediaAlt": ["a"]}):
        assert api.as_user(author).put(post_url(post), body).json()["editedAt"] is None
    assert not PostEdit.objects.exists()


def test_what_was_written_for_fewer_stays_with_them(
    api: Api, author: User, follower: User, stranger: User, moderator: User
) -> None:
    post = make_post(author, "For me", visibility="private")
    me = api.as_user(author)
    me.put(post_url(post), {"content": "For followers", "visibility": "followers"})
    me.put(post_url(post), {"content": "For all", "visibility": "public"})
    me.put(post_url(post), {"content": "For all, again"})
    assert history(me, post) == ["For all", "For followers", "For me"]
    for who in (follower, moderator):
        assert history(api.as_user(who), post) == ["For all", "For followers"]
    assert history(api.as_user(stranger), post) == ["For all"]


def test_earlier_words_in_a_channel_are_for_its_subscribers(api: Api, author: User, person: Any) -> None:
    channel = Channel.objects.create(name="Roofs", name_key="roofs", owner=author)
    ChannelMember.objects.create(channel=channel, user=author, role="owner")
    subscriber, follower = person("subscriber"), person("follower")
    ChannelMember.objects.create(channel=channel, user=subscriber)
    Follow.objects.create(follower=follower, followed=author)
    post = make_post(author, "For subscribers", visibility="followers", channel_id=channel.pk)
    api.as_user(author).put(post_url(post), {"content": "For all", "visibility": "public"})
    assert history(api.as_user(subscriber), post) == ["For subscribers"]
    assert history(api.as_user(follower), post) == []


def test_a_stale_edit_is_refused(api: Api, author: User) -> None:
    post = make_post(author)
    me = api.as_user(author)
    tag = me.get(post_url(post))["ETag"]
    first = me.put(post_url(post), {"content": "Mine"}, if_match=tag)
    assert first.status_code == 200
    late = me.put(post_url(post), {"content": "Yours"}, if_match=tag)
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    assert me.put(post_url(post), {"content": "Again"}, if_match=first["ETag"]).status_code == 200
    assert me.get(post_url(post)).json()["content"] == "Again"


def test_only_the_author_edits(api: Api, author: User, stranger: User, moderator: User) -> None:
    post, hidden = make_post(author), make_post(author, visibility="followers")
    for who in (stranger, moderator):
        assert api.as_user(who).put(post_url(post), {"content": "x"}).json()["code"] == "not_the_author"
    assert api.as_user(stranger).put(post_url(hidden), {"content": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": " "}, "empty_post"),
        ({"content": "x" * 5001}, "max_length"),
        ({"visibility": "secret"}, "invalid_choice"),
        ({"content": "<@0190aaaa-0000-7000-8000-{:012d}>"}, "too_many_mentions"),
        ({"content": "#a{:d}"}, "too_many_tags"),
    ],
)
def test_bad_edits_are_refused(api: Api, author: User, body: dict[str, str], code: str) -> None:
    post = make_post(author, "Words")
    if "{:" in body.get("content", ""):
        body = {"content": " ".join(body["content"].format(n) for n in range(31))}
    refused = api.as_user(author).put(post_url(post), body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)
    assert Post.objects.get(pk=post.pk).content == "Words"


def test_a_group_keeps_its_audience(api: Api, author: User) -> None:
    group = Group.objects.create(name="Us", name_key="us", visibility="private", join_policy="invite")
    Membership.objects.create(group=group, user=author, status="member", changed_at=group.created_at)
    post = make_post(author, group_id=group.pk)
    refused = api.as_user(author).put(post_url(post), {"visibility": "private"})
    assert refused.json()["errors"][0]["code"] == "audience_of_group"


def test_pictures_move_with_the_audience(api: Api, author: User) -> None:
    me = api.as_user(author)
    made = me.upload(
        POSTS, {"content": "x", "media": [picture(), picture("PNG", seed=1)], "mediaAlt": ["A roof"]}
    ).json()
    assert [shown["alt"] for shown in made["media"]] == ["A roof", None]
    changed = me.put(post_url(made), {"visibility": "private", "mediaAlt": ["A roof", "A garden"]})
    assert [shown["alt"] for shown in changed.json()["media"]] == ["A roof", "A garden"]
    assert all("/files/" in shown["url"] for shown in me.get(post_url(made)).json()["media"])
    assert set(StoredFile.objects.values_list("visibility", flat=True)) == {"private"}
    me.put(post_url(made), {"visibility": "followers"})
    assert set(StoredFile.objects.values_list("visibility", flat=True)) == {"private"}
    me.put(post_url(made), {"visibility": "public"})
    assert set(StoredFile.objects.values_list("visibility", flat=True)) == {"public"}


def test_moderators_delete_and_everything_goes(
    api: Api, author: User, stranger: User, moderator: User, person: Callable[..., User]
) -> None:
    channel = Channel.objects.create(name="Roofs", name_key="roofs", owner=author)
    ChannelMember.objects.create(channel=channel, user=author, role="owner")
    post = make_post(author, "Words #solar", channel_id=channel.pk)
    ChannelPin.objects.create(channel=channel, post=post, place=1)
    private = make_post(author, visibility="private")
    assert api.as_user(stranger).delete(post_url(post)).json()["code"] == "not_the_author"
    assert api.as_user(moderator).delete(post_url(private)).status_code == 404
    assert api.as_user(moderator).delete(post_url(post)).status_code == 200
    assert api.as_user(author).get(post_url(post)).status_code == 404
    assert not ChannelPin.objects.exists()
    assert not PostTag.objects.exists()
    assert Post.objects.get(pk=post.pk).content == ""
