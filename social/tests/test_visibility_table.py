"""
One table of who reads what (docs/visibility.md), and every surface that shows a post held against all of its cells:
its address and those below it, lists, the feed, search, counts, mentions and notices, exports, share pages and files.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from accounts.models import User
from accounts.services.relations import block, mute
from core import clock
from core.privacy.exports import rows_of
from core.testing import Api, drain_outbox
from social.models import Post
from social.services.follows import follow
from social.testing import make_channel, make_comment, make_group, make_post, put_in_channel, put_in_group
from uploads.testing import picture

ASKERS = (
    "anonymous stranger follower member requested invited banned subscriber blocked blocker muter moderator author"
).split()
EVERYBODY = "anonymous stranger follower member requested invited banned subscriber muter moderator author"
TABLE = {
    "public": EVERYBODY,
    "followers": "follower muter moderator author",
    "private": "author",
    "public group": EVERYBODY.replace("banned ", ""),
    "private group": "member moderator author",
    "secret group": "member moderator author",
    "channel": EVERYBODY,
    "subscribers": "subscriber moderator author",
}
"""Who reads a post of each audience. Members, requested and so on are that in each of the three groups."""
IN_FEED = {
    "public": "follower author",
    "followers": "follower author",
    "private": "author",
    "public group": "follower member author",
    "private group": "member author",
    "secret group": "member author",
    "channel": "follower subscriber author",
    "subscribers": "subscriber author",
}
"""Who has it in their feed: of those who read it the ones who have a reason to, and nobody who mutes its author."""


@dataclass
class Community:
    people: dict[str, User]
    posts: dict[str, Post]
    words: dict[str, str]
    api: Api

    def client(self, asker: str) -> Api:
        return self.api.as_user(self.people[asker])

    def ids_in(self, asker: str, *, path: str, **query: Any) -> set[str]:
        """Of the posts that a list or a search shows: their audiences."""
        answer = self.client(asker).get(path, {"limit": 100, **query})
        shown = json.dumps(answer.json()) if answer.status_code == 200 else ""
        return {audience for audience, post in self.posts.items() if str(post.pk) in shown}

    def opens(self, asker: str, *, rest: str) -> set[str]:
        """The audiences whose post opens at its address, or at one below it."""
        client = self.client(asker)
        return {
            audience
            for audience, post in self.posts.items()
            if client.get(f"/api/social/posts/{post.pk}{rest}").status_code == 200
        }


@pytest.fixture
def community(api: Api, person: Callable[..., User]) -> Community:
    now = clock.now()
    people = {name: person(name) for name in ASKERS if name not in ("anonymous", "moderator")}
    people["moderator"] = person("moderator", role="moderator")
    author = people["author"]
    for name in ("follower", "muter"):
        follow(person=people[name], other_id=author.pk, now=now)
    groups = {}
    for visibility in ("public", "private", "secret"):
        group = groups[f"{visibility} group"] = make_group(author, f"The {visibility} one", visibility=visibility)
        for name in ("member", "requested", "invited", "banned"):
            put_in_group(group, people[name], status=name)
    channel = make_channel(author)
    put_in_channel(channel, people["subscriber"])
    block(person=author, other_id=people["blocked"].pk, now=now)
    block(person=people["blocker"], other_id=author.pk, now=now)
    mute(person=people["muter"], other_id=author.pk, until=None, now=now)
    places: dict[str, dict[str, Any]] = {name: {"group_id": group.pk} for name, group in groups.items()}
    places |= {name: {"visibility": name} for name in ("public", "followers", "private")}
    places["channel"] = {"channel_id": channel.pk}
    places["subscribers"] = {"channel_id": channel.pk, "visibility": "followers"}
    everybody = " ".join(f"<@{one.pk}>" for one in people.values())
    words = {audience: "Word" + audience.title().replace(" ", "") for audience in TABLE}
    posts = {
        audience: make_post(author, f"{words[audience]} #table {everybody}", media=[picture()], **places[audience])
        for audience in TABLE
    }
    for post in posts.values():
        make_comment(author, post)
    drain_outbox()
    return Community(people, posts, words, api)


def without(table: dict[str, str], *askers: str) -> dict[str, str]:
    return {audience: " ".join(one for one in who.split() if one not in askers) for audience, who in table.items()}


def only(table: dict[str, str], *audiences: str) -> dict[str, str]:
    return {audience: who if audience in audiences else "" for audience, who in table.items()}


IN_GROUPS = tuple(audience for audience in TABLE if "group" in audience)
IN_A_CHANNEL = ("channel", "subscribers")


def surfaces(community: Community) -> dict[str, tuple[dict[str, str], Callable[[str], set[str]]]]:
    """By name: the table that a surface keeps to, and the audiences whose post it shows to an asker."""
    author, opens, ids_in = community.people["author"], community.opens, community.ids_in
    group_ids = {post.group_id for post in community.posts.values() if post.group_id}
    channel_id = community.posts["channel"].channel_id

    def found(asker: str) -> set[str]:
        hits = (ids_in(asker, path="/api/social/search", type="posts", q=word) for word in community.words.values())
        return set().union(*hits)

    def in_groups(asker: str) -> set[str]:
        return set().union(*(ids_in(asker, path=f"/api/social/groups/{group_id}/posts") for group_id in group_ids))

    def replies(asker: str) -> set[str]:
        comments = {audience: post.comments.get() for audience, post in community.posts.items()}
        calls = {audience: f"{comment.post_id}/comments/{comment.pk}" for audience, comment in comments.items()}
        client = community.client(asker)
        answers = {audience: client.get(f"/api/social/posts/{call}/replies") for audience, call in calls.items()}
        return {audience for audience, answer in answers.items() if answer.status_code == 200}

    def mentioned(asker: str) -> set[str]:
        person = community.people[asker]
        return {audience for audience, post in community.posts.items() if post.mentions.filter(user=person).exists()}

    def exported(asker: str) -> set[str]:
        rows = repr(list(rows_of(community.people[asker].pk)))
        return {audience for audience, word in community.words.items() if word in rows}

    return {
        **{f"post{rest}": (TABLE, partial(opens, rest=rest)) for rest in ("", "/comments", "/reactions", "/edits")},
        "replies": (TABLE, replies),
        "hashtag": (TABLE, partial(ids_in, path="/api/social/posts", tag="table")),
        "profile": (TABLE, partial(ids_in, path=f"/api/social/users/{author.pk}/posts")),
        "groups": (only(TABLE, *IN_GROUPS), in_groups),
        "channel": (only(TABLE, *IN_A_CHANNEL), partial(ids_in, path=f"/api/social/channels/{channel_id}/posts")),
        "feed": (IN_FEED, partial(ids_in, path="/api/social/feed")),
        "search": (TABLE, found),
        "mentions": (TABLE, mentioned),
        "notices": (without(TABLE, "author", "muter"), partial(ids_in, path="/api/notifications")),
        "export": (dict.fromkeys(TABLE, "author"), exported),
    }


def test_every_surface_keeps_to_the_table(community: Community) -> None:
    for name, (table, shown_to) in surfaces(community).items():
        for asker in community.people:
            expected = {audience for audience, who in without(table, "anonymous").items() if asker in who.split()}
            assert shown_to(asker) == expected, f"{name}, for {asker}"


def test_who_is_not_signed_in_has_share_pages_and_files_of_public_posts_only(community: Community) -> None:
    """Everything else asks who it is. Files of other posts have no lasting address, and the links to them end."""
    public = {audience for audience, who in TABLE.items() if "anonymous" in who.split()}
    client, paged, lasting, linked = Client(), set(), set(), set()
    for audience, post in community.posts.items():
        assert client.get(f"/api/social/posts/{post.pk}").status_code == 401
        if client.get(f"/s/post/{post.pk}").status_code == 200:
            paged.add(audience)
        shown = community.client("author").get(f"/api/social/posts/{post.pk}").json()
        if urlsplit(shown["media"][0]["url"]).path.startswith("/media/"):
            lasting.add(audience)
        if shown["shareUrl"]:
            linked.add(audience)
            assert client.get(urlsplit(shown["shareUrl"]).path).status_code == 200
    assert paged == lasting == linked == public


def test_counts_say_nothing_of_what_one_does_not_read(community: Community) -> None:
    author = community.people["author"]
    for asker in community.people:
        answer = community.client(asker).get(f"/api/social/users/{author.pk}")
        read = [audience for audience in ("public", "followers", "private") if asker in TABLE[audience].split()]
        if asker in ("blocked", "blocker"):
            assert answer.status_code == 404
        else:
            assert answer.json()["postsCount"] == (len(TABLE) if asker == "author" else len(read)), asker
        total = community.client(asker).get(f"/api/social/users/{author.pk}/posts", {"withTotal": "true"})
        if total.status_code == 200:
            assert total.json()["total"] == sum(asker in who.split() for who in TABLE.values()), asker
