"""Joining, leaving, roles, requests and bans."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, Mute, User
from core.testing import Api, deliver_events
from notifications.models import Notification
from social.models import Group, Membership
from social.services import memberships
from social.testing import make_comment, make_group, make_post, put_in_group
from social.tests.test_groups import NOBODY, url


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("owner")


@pytest.fixture
def cast(person: Callable[..., User], owner: User) -> Callable[..., tuple[Group, dict[str, User]]]:
    """`cast(visibility="private")`: a group with somebody of each role."""

    def make(**fields: Any) -> tuple[Group, dict[str, User]]:
        group = make_group(owner, **fields)
        people = {role: person(role) for role in ("admin", "moderator", "member")}
        for role, somebody in people.items():
            put_in_group(group, somebody, role)
        return group, {"owner": owner, **people}

    return make


def count_of(group: Group) -> int:
    group.refresh_from_db()
    assert group.member_count == Membership.objects.members().filter(group=group).count()
    return group.member_count


def notices(person: User) -> list[str]:
    deliver_events()
    return list(Notification.objects.filter(user_id=person.pk).order_by("id").values_list("kind", flat=True))


# --- Joining and leaving ----------------------------------------------------------------------------------------------


def test_an_open_group_is_joined_and_left(api: Api, owner: User, stranger: User) -> None:
    group, them = make_group(owner), api.as_user(stranger)
    for _ in range(2):
        joined = them.post(url(group, "join")).json()
        assert (joined["myStatus"], joined["myRole"], joined["memberCount"]) == ("member", "member", 2)
    for _ in range(2):
        left = them.post(url(group, "leave")).json()
        assert (left["myStatus"], left["myRole"], left["memberCount"]) == (None, None, 1)
    assert count_of(group) == 1


def test_a_request_is_made_told_and_withdrawn(
    api: Api, cast: Callable[..., tuple[Group, dict[str, User]]], stranger: User
) -> None:
    group, people = cast(visibility="private")
    them = api.as_user(stranger)
    Mute.objects.create(muter=people["admin"], muted=stranger)
    for _ in range(2):
        asked = them.post(url(group, "join")).json()
        assert (asked["myStatus"], asked["myRole"], asked["memberCount"]) == ("requested", None, 4)
    told = {role: notices(somebody).count("group_join_requested") for role, somebody in people.items()}
    assert told == {"owner": 1, "admin": 0, "moderator": 1, "member": 0}, "once, and not whoever mutes them"
    listed = api.as_user(people["moderator"]).get(url(group, "requests")).json()["items"]
    assert [(row["user"]["id"], row["status"]) for row in listed] == [(str(stranger.pk), "requested")]
    assert api.as_user(people["moderator"]).get(url(group, "requests", stranger.pk)).json() == listed[0]
    assert them.post(url(group, "leave")).json()["myStatus"] is None
    assert notices(people["moderator"]) == ["group_role_changed"], "there is nothing to decide any more"
    gone = api.as_user(people["moderator"]).post(url(group, "requests", stranger.pk), {"decision": "approve"})
    assert gone.status_code == 404
    assert api.as_user(people["moderator"]).get(url(group, "requests", stranger.pk)).status_code == 404


@pytest.mark.parametrize(
    ("decision", "status", "notice", "count"),
    [("approve", "member", "group_request_approved", 2), ("reject", None, "group_request_rejected", 1)],
)
def test_a_request_is_decided(
    api: Api, owner: User, stranger: User, decision: str, status: str | None, notice: str, count: int
) -> None:
    group = make_group(owner, join_policy="request")
    api.as_user(stranger).post(url(group, "join"))
    decided = api.as_user(owner).post(url(group, "requests", stranger.pk), {"decision": decision})
    assert decided.json()["memberCount"] == count
    assert api.as_user(stranger).get(url(group)).json()["myStatus"] == status
    assert notices(stranger) == [notice]
    assert api.as_user(owner).post(url(group, "requests", stranger.pk), {"decision": decision}).status_code == 404
    assert count_of(group) == count


def test_a_decision_is_one_of_two(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner, join_policy="request")
    put_in_group(group, stranger, status="requested")
    for body in ({}, {"decision": "maybe"}, {"decision": None}):
        assert api.as_user(owner).post(url(group, "requests", stranger.pk), body).status_code == 400
    assert Membership.objects.get(user=stranger).status == "requested"


def test_without_an_invitation_nobody_joins_such_a_group(api: Api, owner: User, stranger: User) -> None:
    for visibility in ("public", "private"):
        group = make_group(owner, f"Group {visibility}", visibility=visibility, join_policy="invite")
        refused = api.as_user(stranger).post(url(group, "join"))
        assert (refused.status_code, refused.json()["code"]) == (403, "invitation_required")
    secret = make_group(owner, visibility="secret")
    assert api.as_user(stranger).post(url(secret, "join")).status_code == 404


def test_whoever_left_a_secret_group_sees_it_once_more(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner, visibility="secret")
    put_in_group(group, stranger)
    left = api.as_user(stranger).post(url(group, "leave"))
    assert (left.status_code, left.json()["myStatus"]) == (200, None)
    assert api.as_user(stranger).get(url(group)).status_code == 404
    assert api.as_user(stranger).post(url(group, "leave")).status_code == 404


def test_the_last_owner_stays(api: Api, owner: User, stranger: User) -> None:
    group, me = make_group(owner), api.as_user(owner)
    put_in_group(group, stranger, "admin")
    refused = me.post(url(group, "leave"))
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    refused = me.put(url(group, "members", owner.pk, "role"), {"role": "admin"})
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    for _ in range(2):  # again, since the answer may be lost
        assert me.put(url(group, "members", stranger.pk, "role"), {"role": "owner"}).status_code == 200
    assert me.post(url(group, "leave")).json()["memberCount"] == 1
    assert api.as_user(stranger).post(url(group, "leave")).json()["code"] == "last_owner"


def test_joining_is_limited(api: Api, owner: User, stranger: User) -> None:
    group, them = make_group(owner), api.as_user(stranger)
    most = memberships.JOINS_OF_ONE.most
    statuses = [them.post(url(group, path)).status_code for _ in range(most) for path in ("join", "leave")]
    assert set(statuses) == {200}
    assert them.post(url(group, "join")).status_code == 429


def test_a_repeat_with_the_same_key_joins_once(api: Api, owner: User, stranger: User) -> None:
    group, them = make_group(owner), api.as_user(stranger)
    first = them.post(url(group, "join"), idempotency_key="k")
    again = them.post(url(group, "join"), idempotency_key="k")
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert count_of(group) == 2


# --- Bans -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["member", "requested", "invited", None])
def test_a_ban_ends_what_was_and_outlives_leaving(api: Api, owner: User, stranger: User, before: str | None) -> None:
    group, me, them = make_group(owner), api.as_user(owner), api.as_user(stranger)
    if before:
        put_in_group(group, stranger, status=before)
    for _ in range(2):
        assert me.post(url(group, "bans", stranger.pk)).json()["memberCount"] == 1
    assert them.get(url(group)).json()["myStatus"] == "banned"
    assert them.post(url(group, "leave")).json()["myStatus"] == "banned"
    refused = them.post(url(group, "join"))
    assert (refused.status_code, refused.json()["code"]) == (403, "banned_from_group")
    assert me.post(url(group, "invitations"), {"userId": str(stranger.pk)}).status_code == 200
    assert them.post(url(group, "join")).json()["code"] == "banned_from_group"
    assert them.get(url(group, "members")).json()["code"] == "members_only"
    listed = me.get(url(group, "bans")).json()["items"]
    assert [row["user"]["id"] for row in listed] == [str(stranger.pk)]
    assert notices(stranger) == []
    for _ in range(2):
        assert me.delete(url(group, "bans", stranger.pk)).status_code == 200
    assert them.post(url(group, "join")).json()["myStatus"] == "member"
    assert count_of(group) == 2


def test_the_banned_do_not_read_a_public_group(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner)
    post = make_post(owner, group_id=group.pk)
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 200
    api.as_user(owner).post(url(group, "bans", stranger.pk))
    assert api.as_user(stranger).get(f"/api/social/posts/{post.pk}").status_code == 404
    assert api.as_user(stranger).get(url(group, "posts")).json()["items"] == []


def test_nobody_is_banned_who_is_nobody(api: Api, owner: User) -> None:
    group, me = make_group(owner), api.as_user(owner)
    assert me.post(url(group, "bans", NOBODY)).status_code == 404
    assert me.post(url(group, "bans", owner.pk)).json()["code"] == "not_below_you"
    assert me.delete(url(group, "bans", NOBODY)).status_code == 200
    assert not Membership.objects.filter(status="banned").exists()


# --- Roles ------------------------------------------------------------------------------------------------------------

RANKS = ["member", "moderator", "admin", "owner"]


def expected_of_setting(actor: str, target: str, role: str) -> int:
    """The rule in words: owners and admins, somebody below them, up to their own role; or what they are already."""
    if actor not in ("owner", "admin"):
        return 403
    if target == role:
        return 200
    below = RANKS.index(target) < RANKS.index(actor)
    return 200 if below and RANKS.index(role) <= RANKS.index(actor) else 403


@pytest.mark.parametrize("actor", RANKS)
def test_every_role_sets_every_role(
    api: Api, cast: Callable[..., tuple[Group, dict[str, User]]], person: Callable[..., User], actor: str
) -> None:
    group, people = cast()
    me = api.as_user(people[actor])
    for target in RANKS:
        for role in RANKS:
            somebody = person(f"{target}x")
            put_in_group(group, somebody, target)
            answer = me.put(url(group, "members", somebody.pk, "role"), {"role": role})
            assert answer.status_code == expected_of_setting(actor, target, role), (target, role, answer.json())
            kept = Membership.objects.get(user=somebody).role
            assert kept == (role if answer.status_code == 200 else target)


@pytest.mark.parametrize("actor", RANKS)
def test_every_role_removes_and_bans(
    api: Api, cast: Callable[..., tuple[Group, dict[str, User]]], person: Callable[..., User], actor: str
) -> None:
    group, people = cast()
    me = api.as_user(people[actor])
    for target in RANKS:
        allowed = actor != "member" and RANKS.index(target) < RANKS.index(actor)
        one, other = person("one"), person("other")
        for somebody in (one, other):
            put_in_group(group, somebody, target)
        assert me.delete(url(group, "members", one.pk)).status_code == (200 if allowed else 403), target
        assert me.post(url(group, "bans", other.pk)).status_code == (200 if allowed else 403), target
    count_of(group)
    assert me.delete(url(group, "members", NOBODY)).status_code == (403 if actor == "member" else 404)


def test_everybody_steps_down_and_nobody_up(api: Api, cast: Callable[..., tuple[Group, dict[str, User]]]) -> None:
    group, people = cast()
    for role in ("admin", "moderator", "member"):
        me, path = api.as_user(people[role]), url(group, "members", people[role].pk, "role")
        higher = RANKS[RANKS.index(role) + 1]
        assert me.put(path, {"role": higher}).json()["code"] == "role_above_yours"
        assert me.put(path, {"role": role}).json()["myRole"] == role
        assert me.put(path, {"role": "member"}).json()["myRole"] == "member"
        assert notices(people[role]) == ["group_role_changed"][: 0 if role == "member" else 1]


def test_a_new_role_is_told(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner)
    put_in_group(group, stranger)
    api.as_user(owner).put(url(group, "members", stranger.pk, "role"), {"role": "moderator"})
    assert notices(stranger) == ["group_role_changed"]
    assert Notification.objects.get().data["after"] == "moderator"
    for role in ("", None, "boss"):
        refused = api.as_user(owner).put(url(group, "members", stranger.pk, "role"), {"role": role})
        assert refused.status_code == 400


def test_only_a_member_gets_a_role(api: Api, owner: User, person: Callable[..., User]) -> None:
    group = make_group(owner)
    for status in ("requested", "invited", "banned"):
        somebody = person(status)
        put_in_group(group, somebody, status=status)
        answer = api.as_user(owner).put(url(group, "members", somebody.pk, "role"), {"role": "admin"})
        assert answer.status_code == 404
    assert api.as_user(owner).put(url(group, "members", NOBODY, "role"), {"role": "admin"}).status_code == 404


def test_who_removes_posts_and_comments_of_others(
    api: Api, cast: Callable[..., tuple[Group, dict[str, User]]], stranger: User
) -> None:
    group, people = cast()
    for role, status in {"owner": 200, "admin": 200, "moderator": 200, "member": 403}.items():
        post = make_post(people["member"] if role != "member" else people["owner"], group_id=group.pk)
        comment = make_comment(post.author, post)
        me = api.as_user(people[role])
        assert me.delete(f"/api/social/posts/{post.pk}/comments/{comment.pk}").status_code == status, role
        assert me.delete(f"/api/social/posts/{post.pk}").status_code == status, role
    elsewhere = make_post(stranger)
    assert api.as_user(people["owner"]).delete(f"/api/social/posts/{elsewhere.pk}").status_code == 403
    in_another = make_post(stranger, group_id=make_group(stranger, "Another").pk)
    assert api.as_user(people["owner"]).delete(f"/api/social/posts/{in_another.pk}").status_code == 403


# --- Lists ------------------------------------------------------------------------------------------------------------


def test_who_sees_requests_and_bans(
    api: Api, cast: Callable[..., tuple[Group, dict[str, User]]], stranger: User
) -> None:
    group, people = cast()
    for path in ("requests", "bans"):
        answers = {role: api.as_user(one).get(url(group, path)).status_code for role, one in people.items()}
        assert answers == {"owner": 200, "admin": 200, "moderator": 200, "member": 403}
        assert api.as_user(stranger).get(url(group, path)).json()["code"] == "group_role_required"


def test_members_are_listed_by_role_and_without_the_hidden(
    api: Api, cast: Callable[..., tuple[Group, dict[str, User]]]
) -> None:
    group, people = cast()
    me = api.as_user(people["member"])
    listed = me.get(url(group, "members")).json()["items"]
    assert [row["role"] for row in listed] == ["member", "moderator", "admin", "owner"]
    (admin,) = me.get(url(group, "members"), {"role": "admin"}).json()["items"]
    assert admin["user"]["id"] == str(people["admin"].pk)
    assert me.get(url(group, "members"), {"role": "boss"}).status_code == 400
    Block.objects.create(blocker=people["admin"], blocked=people["member"])
    for viewer, hidden in (("member", "admin"), ("admin", "member")):
        shown = api.as_user(people[viewer]).get(url(group, "members")).json()["items"]
        assert str(people[hidden].pk) not in [row["user"]["id"] for row in shown]
        assert len(shown) == 3
    assert count_of(group) == 4, "both are still in the group"


def test_the_list_costs_the_same_for_one_and_for_ten(
    api: Api, owner: User, person: Callable[..., User], django_assert_num_queries: Any
) -> None:
    group, me = make_group(owner), api.as_user(owner)
    with django_assert_num_queries(4):  # the session, the group, what I am in it, the members
        assert len(me.get(url(group, "members")).json()["items"]) == 1
    for _ in range(9):
        put_in_group(group, person())
    with django_assert_num_queries(4):
        assert len(me.get(url(group, "members")).json()["items"]) == 10
