"""The statements of groups and channels beside plain querysets, on random data and for everybody who may ask."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Block, User
from core.api.principals import Anonymous
from core.testing import Api
from core.testing.pages import by_cursor, by_number
from social.models import Channel, ChannelMember, Group, Membership
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
