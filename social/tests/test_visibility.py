"""
Who may read a post: the queryset, the statement and a third account of the rule in plain Python, on random posts, for
everybody who may ask.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.models import Block, Mute, Status, User
from core.api.principals import Anonymous
from core.data.ids import uuid7
from core.testing import Api
from social.access import asker, readers_among
from social.models import Channel, ChannelMember, Comment, Follow, Group, Membership, Post, PostCounts, PostTag
from social.selectors import comment_rows, post_rows, reply_rows

NOW = datetime.now(UTC).replace(microsecond=0)
POSTS = "/api/social/posts"
PEOPLE = ("ann", "ben", "cat", "dan", "eve")


@dataclass
class World:
    """A small community, made at random."""

    people: list[User]
    moderator: User
    groups: list[Group]
    channels: list[Channel]

    @property
    def askers(self) -> Iterator[Any]:
        yield from self.people
        yield self.moderator
        yield Anonymous()


@pytest.fixture(params=range(4))
def world(request: pytest.FixtureRequest, person: Callable[..., User]) -> World:
    chance = random.Random(request.param)
    people = [person(name) for name in PEOPLE]
    people.append(person("sue", status=Status.SUSPENDED))
    groups = [
        Group.objects.create(
            name=f"Group {number}",
            name_key=None if visibility == "secret" else f"group {number}",
            visibility=visibility,
            join_policy="invite",
            hidden_at=chance.choice([None, None, None, NOW]),
        )
        for number, visibility in enumerate(["public", "public", "private", "private", "secret"])
    ]
    channels = [
        Channel.objects.create(
            name=f"Channel {n}", name_key=f"channel {n}", owner=people[n], hidden_at=chance.choice([None, None, NOW])
        )
        for n in range(3)
    ]
    for one in people:
        for other in people:
            if one != other and chance.random() < 0.3:
                Follow.objects.create(follower=one, followed=other)
            if one != other and chance.random() < 0.15:
                Block.objects.create(blocker=one, blocked=other)
            if one != other and chance.random() < 0.2:
                Mute.objects.create(muter=one, muted=other)
        for group in groups:
            if chance.random() < 0.7:
                status = chance.choice(Membership.Status.values)
                Membership.objects.create(group=group, user=one, status=status, changed_at=NOW)
        for channel in channels:
            if chance.random() < 0.5:
                ChannelMember.objects.create(channel=channel, user=one)
    made = [_post(chance, people, groups, channels) for _ in range(250)]
    Post.objects.bulk_create(made)
    PostCounts.objects.bulk_create(PostCounts(post=post) for post in made)
    return World(people, person("moderator", role="moderator"), groups, channels)


def _post(chance: random.Random, people: list[User], groups: list[Group], channels: list[Channel]) -> Post:
    place = chance.choice(["", "", "group", "group", "channel"])
    visibilities = {"": ["public", "followers", "private"], "group": ["public"], "channel": ["public", "followers"]}
    return Post(
        id=uuid7(),
        author=chance.choice(people),
        content="Words.",
        visibility=chance.choice(visibilities[place]),
        group=chance.choice(groups) if place == "group" else None,
        channel=chance.choice(channels) if place == "channel" else None,
        deleted_at=chance.choice([None] * 8 + [NOW]),
        hidden_at=chance.choice([None] * 8 + [NOW]),
        held_at=chance.choice([None] * 8 + [NOW]),
        created_at=NOW - timedelta(days=1),
    )


def may_read(viewer: Any, post: Post) -> bool:
    """The rule as docs/visibility.md tells it, a sentence a line."""
    if post.deleted_at:
        return False
    if viewer.pk and post.author_id == viewer.pk:
        return True
    if viewer.role in ("moderator", "admin"):
        return post.visibility != "private"
    if post.hidden_at or post.held_at or post.author.status != Status.ACTIVE:
        return False
    if (post.group and post.group.hidden_at) or (post.channel and post.channel.hidden_at):
        return False
    if Block.objects.filter(blocker=viewer.pk, blocked=post.author).exists():
        return False
    if Block.objects.filter(blocker=post.author, blocked=viewer.pk).exists():
        return False
    if post.group:
        place = Membership.objects.filter(group=post.group, user=viewer.pk).first()
        if place and place.status == "banned":
            return False
        return post.group.visibility == "public" or bool(place and place.status == "member")
    if post.visibility == "public":
        return True
    if post.visibility == "private":
        return False
    if post.channel:
        return ChannelMember.objects.filter(channel=post.channel, user=viewer.pk).exists()
    return Follow.objects.filter(follower=viewer.pk, followed=post.author).exists()


def test_queryset_statement_and_rule_agree(world: World) -> None:
    every = list(Post.objects.select_related("author", "group", "channel"))
    for_all = {post.pk for post in every if may_read(Anonymous(), post)}
    for viewer in world.askers:
        allowed = {post.pk for post in every if may_read(viewer, post)}
        assert set(Post.objects.visible_to(viewer).values_list("pk", flat=True)) == allowed, viewer
        rows = post_rows(viewer, limit=300)
        assert {row.id for row in rows} == allowed, viewer
        assert {row.id for row in rows if row.is_public} == allowed & for_all, viewer
    counts = [Post.objects.visible_to(viewer).count() for viewer in world.askers]
    assert len(set(counts)) > 3  # the community is no flat one


def test_the_rule_asked_for_several_people_at_once_agrees(world: World) -> None:
    people = [*world.people, world.moderator]
    for post in Post.objects.select_related("author", "group", "channel").order_by("pk")[:40]:
        assert readers_among(post.pk, people) == {one.pk for one in people if may_read(one, post)}


def may_see(viewer: Any, comment: Comment) -> bool:
    """The rule for comments under a post that the viewer may read, as docs/visibility.md tells it."""
    if comment.deleted_at or viewer.role in ("moderator", "admin") or comment.author_id == viewer.pk:
        return True
    if comment.held_at or comment.author.status != Status.ACTIVE:
        return False
    pairs = [(viewer.pk, comment.author_id), (comment.author_id, viewer.pk)]
    return not any(Block.objects.filter(blocker=one, blocked=other).exists() for one, other in pairs)


def test_comments_are_those_of_the_queryset_and_the_rule(world: World) -> None:
    chance = random.Random(1)
    posts = list(Post.objects.order_by("pk")[:12])
    for post in posts:
        top = [_comment(chance, world.people, post) for _ in range(5)]
        for _ in range(8):
            _comment(chance, world.people, post, parent=chance.choice(top))
    said = list(Comment.objects.select_related("author"))
    for viewer in world.askers:
        seen = {comment.pk for comment in said if may_see(viewer, comment)}
        assert set(Comment.objects.visible_to(viewer).values_list("pk", flat=True)) == seen
        readable = set(Post.objects.visible_to(viewer).values_list("pk", flat=True))
        for post in posts:
            rows = comment_rows(viewer, post.pk, limit=100)
            if post.pk not in readable:
                assert rows == []
                continue
            tops = [one.pk for one in said if one.post_id == post.pk and not one.parent_id and one.pk in seen]
            assert [row.id for row in rows if row.id] == sorted(tops, reverse=True)
            for one in said:
                if one.post_id != post.pk or one.parent_id:
                    continue
                replies = reply_rows(viewer, post.pk, one.pk, limit=100)
                below = [reply.pk for reply in said if reply.parent_id == one.pk and reply.pk in seen]
                assert bool(replies) == (one.pk in seen)
                assert [row.id for row in replies if row.id] == (sorted(below) if replies else [])


def _comment(chance: random.Random, people: list[User], post: Post, parent: Comment | None = None) -> Comment:
    deleted_at = chance.choice([None] * 3 + [NOW])
    return Comment.objects.create(
        post=post,
        parent=parent,
        author=chance.choice(people),
        content="" if deleted_at else "Words.",
        deleted_at=deleted_at,
        hidden_at=chance.choice([None] * 3 + [NOW]),
        held_at=chance.choice([None] * 3 + [NOW]),
    )


@pytest.mark.parametrize("world", [0], indirect=True)
def test_every_surface_keeps_the_rule(api: Api, world: World) -> None:
    """A post that is not theirs to read is, at each of its addresses, like one that does not exist."""
    posts = list(Post.objects.select_related("author", "group", "channel").order_by("pk")[:14])
    for post in posts:
        Comment.objects.create(post=post, author=world.people[0], content="Words.")
        PostTag.objects.create(post=post, tag="rule")
    nothing = "0190aaaa-0000-7000-8000-000000000000"
    for viewer in [*world.people[:5], world.moderator]:
        client = api.as_user(viewer)
        listed = {item["id"] for item in client.get(POSTS, {"tag": "rule", "limit": 100}).json()["items"]}
        assert listed == {str(post.pk) for post in posts if may_read(viewer, post)}
        for post in posts:
            comment = post.comments.get()
            calls: list[tuple[Any, str, Any]] = [
                (client.get, "", None),
                (client.get, "/comments", None),
                (client.get, f"/comments/{comment.pk}/replies", None),
                (client.get, "/reactions", None),
                (client.get, "/edits", None),
                (client.delete, "/like", None),
                (client.delete, "/reactions/🎉", None),
                (client.delete, f"/comments/{comment.pk}/like", None),
            ]
            if not may_read(viewer, post):
                calls += [
                    (client.put, "", {"content": "x"}),
                    (client.delete, "", None),
                    (client.post, "/like", None),
                    (client.post, "/reactions/🎉", None),
                    (client.post, "/comments", {"content": "x"}),
                    (client.post, f"/comments/{comment.pk}/replies", {"content": "x"}),
                    (client.post, f"/comments/{comment.pk}/like", None),
                ]
                if comment.author_id != viewer.pk:  # one's own may be deleted wherever it stands
                    calls.append((client.delete, f"/comments/{comment.pk}", None))
            for call, path, body in calls:
                answer = call(f"{POSTS}/{post.pk}{path}", body)
                if may_read(viewer, post):
                    seen = str(comment.pk) not in path or may_see(viewer, comment)
                    assert answer.status_code == (200 if seen else 404), path
                    continue
                missing = call(f"{POSTS}/{nothing}{path}", body)
                assert (answer.status_code, missing.status_code) == (404, 404), path
                assert {**answer.json(), "requestId": ""} == {**missing.json(), "requestId": ""}
                assert set(answer.headers) == set(missing.headers)


def test_mute_hides_nothing_that_is_opened(world: World) -> None:
    """Muting keeps posts out of the feed and quiet; at their address they stay."""
    before = {viewer.pk: _seen(viewer) for viewer in world.people}
    for one in world.people:
        Mute.objects.bulk_create(
            [Mute(muter=one, muted=other) for other in world.people if one != other], ignore_conflicts=True
        )
    assert {viewer.pk: _seen(viewer) for viewer in world.people} == before


def _seen(viewer: Any) -> set[UUID]:
    return {row.id for row in post_rows(viewer, limit=300)}


def test_who_asks_is_one_of_three(author: User, moderator: User) -> None:
    assert asker(author) == {"viewer": author.pk, "reader": True}
    assert asker(moderator) == {"viewer": moderator.pk, "moderator": True}
    assert asker(Anonymous()) == {"viewer": None, "anonymous": True}
