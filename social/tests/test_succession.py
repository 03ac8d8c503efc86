"""What becomes of the groups and channels of people who leave the platform; the export."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Profile, Status, User
from accounts.services.leaving import erase_when_due, leave
from accounts.services.relations import block
from core import clock
from core.privacy.erasure import erase_person
from core.privacy.exports import rows_of
from core.testing import Api
from social.models import Channel, ChannelMember, Group, GroupInvitation, Membership, Post
from social.services.group_invitations import invite_address
from social.testing import make_channel, make_group, make_post, put_in_channel, put_in_group
from uploads.models import StoredFile
from uploads.testing import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("owner")


def erase(person: User) -> None:
    erase_person(person_id=person.pk, now=clock.now())


def owners(group: Group) -> list[User]:
    return [row.user for row in group.memberships.filter(role="owner").select_related("user")]


def assert_counts() -> None:
    call_command("social_verify", stdout=StringIO())


@pytest.mark.parametrize(
    ("roles", "heir"),
    [
        (["member", "moderator", "admin", "admin"], 2),
        (["member", "moderator", "moderator"], 1),
        (["member", "member"], 0),
        (["member", "owner", "admin"], 1),
    ],
)
def test_the_next_in_rank_owns_the_group(owner: User, person: Callable[..., User], roles: list[str], heir: int) -> None:
    group = make_group(owner)
    people = [person(f"p{number}") for number, _ in enumerate(roles)]
    for somebody, role in zip(people, roles, strict=True):
        put_in_group(group, somebody, role)
    erase(owner)
    assert owners(group) == [people[heir]]
    group.refresh_from_db()
    assert group.member_count == len(roles)
    assert_counts()


def test_a_suspended_heir_comes_last(owner: User, person: Callable[..., User]) -> None:
    group = make_group(owner)
    suspended, member = person("sue"), person("member")
    put_in_group(group, suspended, "admin")
    put_in_group(group, member)
    User.objects.filter(pk=suspended.pk).update(status=Status.SUSPENDED)
    erase(owner)
    assert owners(group) == [member]


def test_a_group_without_members_is_deleted_with_its_posts(
    api: Api, owner: User, stranger: User, person: Callable[..., User]
) -> None:
    group = make_group(owner, visibility="private", cover_image=picture())
    put_in_group(group, stranger)
    gone, kept = make_post(stranger, group_id=group.pk), make_post(stranger)
    api.as_user(stranger).post(f"/api/social/groups/{group.pk}/leave")
    put_in_group(group, person("asks"), status="requested")
    put_in_group(group, person("out"), status="banned")
    erase(owner)
    assert not Group.objects.exists()
    assert not Membership.objects.exists()
    assert list(Post.objects.all()) == [kept], gone
    assert Profile.objects.get(pk=stranger.pk).posts_count == 1
    assert StoredFile.objects.get(purpose="group").deleted_at is not None


def test_members_requests_and_bans_of_somebody_who_leaves(owner: User, person: Callable[..., User]) -> None:
    leaver = person("leaver")
    groups = [make_group(owner, name) for name in ("One", "Two", "Three", "Four")]
    for group, status in zip(groups, ("member", "requested", "invited", "banned"), strict=True):
        put_in_group(group, leaver, status=status)
    erase(leaver)
    assert not Membership.objects.filter(user=leaver).exists()
    assert_counts()
    assert set(Group.objects.values_list("member_count", flat=True)) == {1}


def test_a_channel_goes_to_the_longest_standing_editor(
    owner: User, person: Callable[..., User], stranger: User
) -> None:
    channel = make_channel(owner)
    put_in_channel(channel, stranger)
    first, second = person("first"), person("second")
    for somebody in (first, second):
        put_in_channel(channel, somebody, "editor")
    erase(owner)
    channel.refresh_from_db()
    assert (channel.owner, channel.subscriber_count) == (first, 3)
    assert ChannelMember.objects.get(channel=channel, role="owner").user == first
    assert_counts()


def test_a_channel_without_editors_is_deleted(owner: User, stranger: User) -> None:
    channel = make_channel(owner, banner=picture())
    put_in_channel(channel, stranger)
    make_post(owner, channel_id=channel.pk)
    erase(owner)
    assert not Channel.objects.exists()
    assert not Post.objects.exists()
    assert StoredFile.objects.get(purpose="channel").deleted_at is not None


def test_many_places_at_once_in_one_order(owner: User, stranger: User) -> None:
    """Groups and channels made in turn are locked in an order that no other flow breaks (core.testing.lock_guard)."""
    for number in range(3):
        put_in_channel(make_channel(owner, "abc"[number] * 3), stranger, "editor")
        put_in_group(make_group(owner, "xyz"[number] * 3), stranger)
    erase(owner)
    assert Channel.objects.filter(owner=stranger).count() == 3
    assert Membership.objects.filter(user=stranger, role="owner").count() == 3
    assert_counts()


def test_the_grace_changes_nothing(owner: User, stranger: User) -> None:
    group, channel = make_group(owner), make_channel(owner)
    put_in_group(group, stranger)
    due = leave(person=owner, now=clock.now())
    assert owners(group) == [owner]
    assert Channel.objects.get(pk=channel.pk).owner == owner
    assert erase_when_due(owner.pk, now=due + timedelta(seconds=1))
    assert owners(group) == [stranger]
    assert not Channel.objects.exists()


def test_the_export_holds_groups_channels_and_invitations(owner: User, stranger: User) -> None:
    group, channel = make_group(owner), make_channel(owner)
    invite_address(inviter=owner, group_id=group.pk, email="friend@example.com", now=clock.now())
    put_in_channel(channel, stranger)
    block(person=stranger, other_id=owner.pk, now=clock.now())
    rows: dict[str, Any] = {name: list(found) for name, found in rows_of(owner.pk)}
    (membership,) = rows["social/memberships.json"]
    assert (membership["groupId"], membership["role"]) == (group.pk, "owner")
    (invitation,) = rows["social/group-invitations.json"]
    assert "friend@example.com" in invitation.values()
    assert [row["id"] for row in rows["social/channels.json"]] == [channel.pk]
    assert [row["role"] for row in rows["social/channel-members.json"]] == ["owner"]
    erase(owner)
    assert not GroupInvitation.objects.exists()
