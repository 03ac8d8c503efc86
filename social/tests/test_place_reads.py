"""The statements of groups and channels beside plain querysets, on random data and for everybody who may ask."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import Block, User
from core.api.principals import Anonymous
from core.testing import Api
from core.testing.pages import by_cursor, by_number
from core.testing.plans import generic_plan, rows_read
from social import selectors
from social.access import asker
from social.models import Channel, ChannelMember, Group, Membership, Post, PostCounts, PostTag
from social.place_selectors import channel_rows, group_rows
from social.testing import make_channel, make_group

GROUPS, CHANNELS = "/api/social/groups", "/api/social/channels"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def people(person: Callable[..., User]) -> list[User]:
    return [*(person(name) for name in ("ann", "ben", "cat", "dan")), person("mo", role="moderator")]


@pytest.fixture(params=range(3))
def world(request: pytest.FixtureRequest, people: list[User]) -> None:
    chance = random.Random(request.param)
    for one in people:
        for other in people:
            if one != other and chance.random() < 0.2:
                Block.objects.create(blocker=one, blocked=other)
    for number in range(25):
        visibility = chance.choice(Group.Visibility.values)
        group = Group.objects.create(
            name=f"Group {number}",
            name_key=None if visibility == "secret" else f"group {number}",
            visibility=visibility,
            join_policy="invite",
            member_count=chance.choice([0, 1, 1, 5]),
            hidden_at=chance.choice([None, None, None, NOW]),
            created_at=NOW - timedelta(minutes=chance.randrange(3)),
        )
        channel = Channel.objects.create(
            name=f"Channel {number}",
            name_key=f"channel {number}",
            owner=chance.choice(people),
            subscriber_count=chance.choice([1, 1, 5]),
            hidden_at=chance.choice([None, None, None, NOW]),
        )
        for one in people:
            if chance.random() < 0.6:
                status = chance.choice(Membership.Status.values)
                role = chance.choice(Membership.Role.values) if status == "member" else "member"
                Membership.objects.create(group=group, user=one, status=status, role=role, changed_at=NOW)
            if chance.random() < 0.5:
                ChannelMember.objects.create(channel=channel, user=one, role=chance.choice(["editor", "subscriber"]))


def test_groups_are_those_of_the_queryset(api: Api, world: None, people: list[User]) -> None:
    for person in people:
        me = api.as_user(person)
        visible = Group.objects.visible_to(person).order_by("-member_count", "-id")
        mine = visible.filter(memberships__user=person, memberships__status="member")
        for query, expected in (({}, visible), ({"member": "true"}, mine)):
            ids = [str(pk) for pk in expected.values_list("pk", flat=True)]
            assert [item["id"] for item in by_cursor(me, GROUPS, query, 6)] == ids
            assert [item["id"] for item in by_number(me, GROUPS, query, 10)] == ids
            assert me.get(GROUPS, {**query, "withTotal": "true"}).json()["total"] == len(ids)
        own = {membership.group_id: membership for membership in Membership.objects.filter(user=person)}
        for item in by_cursor(me, GROUPS, {}, 30):
            group = visible.get(pk=item["id"])
            membership = own.get(group.pk)
            assert item["myStatus"] == (membership.status if membership else None)
            is_member = membership is not None and membership.status == "member"
            assert item["myRole"] == (membership.role if membership and is_member else None)
            assert (item["name"], item["memberCount"]) == (group.name, group.member_count)
            assert me.get(f"{GROUPS}/{group.pk}").json() == item
        for group in Group.objects.exclude(pk__in=visible):
            assert me.get(f"{GROUPS}/{group.pk}").status_code == 404


def test_channels_are_those_of_the_queryset(api: Api, world: None, people: list[User]) -> None:
    for person in people:
        me = api.as_user(person)
        visible = Channel.objects.visible_to(person).order_by("-subscriber_count", "-id")
        for query, expected in (({}, visible), ({"subscribed": "true"}, visible.filter(members__user=person))):
            ids = [str(pk) for pk in expected.values_list("pk", flat=True)]
            assert [item["id"] for item in by_cursor(me, CHANNELS, query, 6)] == ids
            assert [item["id"] for item in by_number(me, CHANNELS, query, 10)] == ids
            assert me.get(CHANNELS, {**query, "withTotal": "true"}).json()["total"] == len(ids)
        own = dict(ChannelMember.objects.filter(user=person).values_list("channel_id", "role"))
        for item in by_cursor(me, CHANNELS, {}, 30):
            channel = visible.get(pk=item["id"])
            assert (item["myRole"], item["subscribed"]) == (own.get(channel.pk), channel.pk in own)
            assert (item["owner"]["id"], item["name"]) == (str(channel.owner_id), channel.name)
        for channel in Channel.objects.exclude(pk__in=visible):
            assert me.get(f"{CHANNELS}/{channel.pk}").status_code == 404


def test_posts_of_a_group_and_a_channel_are_those_of_the_queryset(api: Api, world: None, people: list[User]) -> None:
    """Also for who is banned or no member, who has their own posts there, and for places that they do not see."""
    groups, channels = list(Group.objects.order_by("pk")[:8]), list(Channel.objects.order_by("pk")[:5])
    posts = [
        Post(
            author=people[number % 5],
            content=str(number),
            group=groups[number % 8] if number < 60 else None,
            channel=channels[number // 5 % 5] if number >= 60 else None,
            visibility="followers" if number >= 60 and number % 2 else "public",
            hidden_at=NOW if number % 7 == 0 else None,
        )
        for number in range(100)
    ]
    PostCounts.objects.bulk_create(PostCounts(post=post) for post in Post.objects.bulk_create(posts))
    for person in people:
        me = api.as_user(person)
        readable = Post.objects.visible_to(person).order_by("-id")
        seen = {*Group.objects.visible_to(person), *Channel.objects.visible_to(person)}
        for path, column, places in ((GROUPS, "group", groups), (CHANNELS, "channel", channels)):
            for place in places:
                url = f"{path}/{place.pk}/posts"
                if place not in seen:
                    assert me.get(url).status_code == 404
                    continue
                expected = [str(pk) for pk in readable.filter(**{column: place}).values_list("pk", flat=True)]
                assert [item["id"] for item in by_cursor(me, url, {}, 3)] == expected
                assert me.get(url, {"withTotal": "true"}).json()["total"] == len(expected)


def test_nobody_signed_in_sees_what_is_for_all(world: None) -> None:
    groups = Group.objects.visible_to(Anonymous())
    assert {row.id for row in group_rows(Anonymous(), limit=100)} == set(groups.values_list("pk", flat=True))
    assert not groups.filter(visibility="secret").exists()
    channels = Channel.objects.visible_to(Anonymous())
    assert {row.id for row in channel_rows(Anonymous(), limit=100)} == set(channels.values_list("pk", flat=True))


def test_lists_cost_the_same_for_one_and_for_ten(
    api: Api, people: list[User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me = api.as_user(people[0])
    for path, make in ((GROUPS, make_group), (CHANNELS, make_channel)):
        make(people[1], "nobody else")
        with django_assert_num_queries(2):  # the session, the list
            assert len(me.get(path).json()["items"]) == 1
        for number in range(9):
            make(people[1], "abcdefghk"[number] * 3)
        with django_assert_num_queries(2):
            assert len(me.get(path).json()["items"]) == 10


MANY = 500


def test_a_page_reads_as_much_of_a_big_place_as_of_a_small_one(person: Callable[..., User]) -> None:
    """The plan that is kept is for average authors, groups, channels and tags: it must not sort all of a big one."""
    viewer, busy = person("viewer"), person("busy")
    people = User.objects.bulk_create(User(email=f"{n}@example.com", first_name="Pat", password="!") for n in range(60))
    groups = Group.objects.bulk_create(
        Group(name=f"G{n}", name_key=f"g{n}", visibility="public", join_policy="open") for n in range(20)
    )
    channels = Channel.objects.bulk_create(Channel(name=f"C{n}", name_key=f"c{n}", owner=busy) for n in range(20))
    places: list[dict[str, Any]] = [{"author": busy}, {"group": groups[0]}, {"channel": channels[0]}]
    posts = [
        Post(
            **{"author": people[n % 60], **places[n % 3]}
            if n < 3 * MANY
            else {
                "author": people[n % 60],
                "group": groups[n % 20] if n % 2 else None,
                "channel": None if n % 2 else channels[n % 20],
            }
        )
        for n in range(3 * MANY + 200)
    ]
    Post.objects.bulk_create(posts)
    PostCounts.objects.bulk_create(PostCounts(post=post) for post in posts)
    PostTag.objects.bulk_create(
        PostTag(post=post, tag="sun" if n < MANY else f"t{n % 40}") for n, post in enumerate(posts)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # As VACUUM leaves it, which does not run in a transaction.
        cursor.execute(
            "UPDATE pg_class SET relallvisible = relpages WHERE relname IN ('social_post', 'social_posttag')"
        )
    for where in ({"author": busy.pk}, {"group": groups[0].pk}, {"channel": channels[0].pk}, {"tag": "sun"}):
        values = {**asker(viewer), **where, "untagged": "tag" not in where}
        plan = generic_plan(selectors._POSTS, **values, of_readers=True, of_visible=True, limit=11)
        assert plan["Actual Rows"] == 11
        assert rows_read(plan, "social_post", "social_posttag") < 50, (where, json.dumps(plan, indent=1))
