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
from social.access import asker
from social.models import Channel, ChannelMember, Follow, Group, Membership, Post, PostCounts
from social.selectors import post_rows

NOW = datetime.now(UTC).replace(microsecond=0)
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
    for viewer in world.askers:
        allowed = {post.pk for post in every if may_read(viewer, post)}
        assert set(Post.objects.visible_to(viewer).values_list("pk", flat=True)) == allowed, viewer
        assert {row.id for row in post_rows(viewer, limit=300)} == allowed, viewer
    counts = [Post.objects.visible_to(viewer).count() for viewer in world.askers]
    assert len(set(counts)) > 3  # the community is no flat one


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
