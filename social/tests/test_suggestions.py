"""People whom one may know: with reasons that both may see."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Mute, Profile, Status, User
from accounts.services import relations
from campaigns.models import Backing, Campaign
from campaigns.testing import make_campaign
from core.data.ids import uuid7
from core.testing import Api
from core.testing.pages import by_cursor, by_number
from social.models import Follow, Group, Membership

CONNECTIONS = "/api/profile/connections"


@pytest.fixture
def me(person: Callable[..., User]) -> User:
    return person("me")


def follow(one: User, other: User) -> None:
    Follow.objects.create(follower=one, followed=other)


def group_of(*members: User, visibility: str = "private", status: str = "member") -> Group:
    key = None if visibility == "secret" else str(uuid7())
    group = Group.objects.create(name="Roofers", name_key=key, visibility=visibility, join_policy="invite")
    for member in members:
        Membership.objects.create(group=group, user=member, status=status, changed_at=timezone.now())
    return group


def shown(api: Api, me: User) -> list[Any]:
    return api.as_user(me).get(CONNECTIONS).json()["items"]


def names(api: Api, me: User) -> list[str]:
    return [item["user"]["firstName"] for item in shown(api, me)]


def back(campaign: Campaign, *people: User) -> None:
    for one in people:
        Backing.objects.create(campaign=campaign, backer=one, committed_minor=100, since=timezone.now())


def show_backed(api: Api, *people: User) -> None:
    for one in people:
        answer = api.as_user(one).put("/api/profile", {"showsBackedCampaigns": True}).json()
        assert answer["showsBackedCampaigns"] is True


def test_mutual_follows(api: Api, me: User, person: Callable[..., User]) -> None:
    friends, candidate = [person("ada"), person("ben")], person("candidate")
    for friend in friends:
        follow(me, friend)
        follow(friend, candidate)
    (item,) = shown(api, me)
    assert (item["user"]["id"], item["mutualCount"]) == (str(candidate.pk), 2)
    assert item["reasons"] == [
        {"kind": "mutual_follow", "id": str(friend.pk), "name": friend.name} for friend in reversed(friends)
    ]


def test_shared_groups_and_what_they_must_not_tell(api: Api, me: User, person: Callable[..., User]) -> None:
    together, apart, asking = person("together"), person("apart"), person("asking")
    shared = group_of(me, together, visibility="secret")
    group_of(apart, visibility="secret")
    private = group_of(apart)
    Membership.objects.create(group=private, user=me, status="requested", changed_at=timezone.now())
    Membership.objects.create(group=shared, user=asking, status="invited", changed_at=timezone.now())
    (item,) = shown(api, me)
    assert item["user"]["id"] == str(together.pk)
    assert item["reasons"] == [{"kind": "shared_group", "id": str(shared.pk), "name": "Roofers"}]


def test_campaigns_count_when_both_show_them(api: Api, me: User, person: Callable[..., User]) -> None:
    campaign, other = make_campaign(person("founder", identity=True)), person("other")
    back(campaign, me, other)
    assert Profile().shows_backed_campaigns is False
    assert shown(api, me) == []
    show_backed(api, me)
    assert shown(api, me) == [] and shown(api, other) == []
    show_backed(api, other)
    (item,) = shown(api, me)
    assert item["reasons"] == [{"kind": "same_campaign", "id": str(campaign.pk), "name": campaign.title}]
    api.as_user(me).put("/api/profile", {"showsBackedCampaigns": False})
    assert shown(api, me) == [] and shown(api, other) == []


@pytest.mark.parametrize("value", ["perhaps", 7, []])
def test_the_switch_is_a_boolean(api: Api, me: User, value: Any) -> None:
    assert api.as_user(me).put("/api/profile", {"showsBackedCampaigns": value}).status_code == 400


def test_who_is_not_suggested(api: Api, me: User, person: Callable[..., User]) -> None:
    now, friend = timezone.now(), person("friend")
    follow(me, friend)
    kinds = ("followed", "blocking", "blocked", "muted", "suspended", "erased", "fine")
    people = {kind: person(kind) for kind in kinds}
    for one in people.values():
        follow(friend, one)
    follow(friend, me)
    follow(me, people["followed"])
    relations.block(person=people["blocking"], other_id=me.pk, now=now)
    relations.block(person=me, other_id=people["blocked"].pk, now=now)
    Mute.objects.create(muter=me, muted=people["muted"], until=now + timedelta(hours=1))
    User.objects.filter(pk=people["suspended"].pk).update(status=Status.SUSPENDED)
    User.objects.filter(pk=people["erased"].pk).update(status=Status.DELETED)
    assert names(api, me) == ["Fine"]


def test_pages_fit_together_while_follows_come(api: Api, me: User, person: Callable[..., User]) -> None:
    friends = [person(f"f{number}") for number in range(3)]
    candidates = [person(f"c{number}") for number in range(6)]
    for number, friend in enumerate(friends):
        follow(me, friend)
        for candidate in candidates[number * 2 :]:
            follow(friend, candidate)
    client = api.as_user(me)
    walked = by_cursor(client, CONNECTIONS, {}, 2)
    assert walked == by_number(client, CONNECTIONS, {}, 2)
    assert [item["user"]["firstName"] for item in walked] == ["C5", "C4", "C3", "C2", "C1", "C0"]
    assert client.get(CONNECTIONS, {"withTotal": "true"}).json()["total"] == 6
    first = client.get(CONNECTIONS, {"limit": 2}).json()
    follow(friends[2], candidates[0])  # would bring it to the front
    follow(me, candidates[5])  # brings new mutual follows, and takes it off the list
    follow(candidates[5], candidates[1])
    rest = client.get(CONNECTIONS, {"limit": 10, "cursor": first["nextCursor"]}).json()["items"]
    assert [item["user"]["firstName"] for item in rest] == ["C3", "C2", "C1", "C0"]


def test_a_list_takes_the_same_queries_for_one_and_for_ten(
    api: Api, me: User, person: Callable[..., User], django_assert_num_queries: Any
) -> None:
    client, friend = api.as_user(me), person("friend")
    follow(me, friend)
    for people in (1, 9):
        for _ in range(people):
            follow(friend, person())
        with django_assert_num_queries(2):
            client.get(CONNECTIONS)


def test_the_work_is_bounded(api: Api, me: User, person: Callable[..., User]) -> None:
    """Of somebody with 10,000 follows the newest 200 are looked at."""
    people = User.objects.bulk_create(
        (User(email=f"{number}@example.com", first_name="Pat", password="!") for number in range(10_000)),
        batch_size=2000,
    )
    old, new = person("old"), person("new")
    Follow.objects.bulk_create((Follow(follower=me, followed=one) for one in people), batch_size=5000)
    follow(people[0], old)
    follow(people[-1], new)
    assert names(api, me) == ["New"]
