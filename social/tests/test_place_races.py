"""
Groups and channels that many change at once. Each twin takes the lock away and holds the rivals where all have read
what they decide on: the bug that the lock prevents must show.
"""

from collections.abc import Callable
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.api.errors import NotFound
from core.testing import together
from social import access
from social.errors import BannedFromGroup, LastOwner, NameTaken, TooManyPins
from social.models import Channel, ChannelMember, ChannelPin, Group, Membership
from social.services import bans, memberships, pins, subscriptions
from social.testing import make_channel, make_group, make_post, put_in_group

pytestmark = pytest.mark.django_db(transaction=True)

Role = Membership.Role


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`unlocked(module, "lock_place")`: two rivals read there without the lock, and go on when both have."""

    def unlock(*places: tuple[Any, str]) -> None:
        monkeypatch.setattr(access, "lock", lambda rows, **options: rows)
        meeting = Barrier(2, timeout=60)
        for module, name in places:
            read = getattr(module, name)

            def read_and_meet(*args: Any, read: Any = read) -> Any:
                found = read(*args)
                meeting.wait()
                return found

            monkeypatch.setattr(module, name, read_and_meet)

    return unlock


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("owner")


@pytest.fixture
def group(owner: User) -> Group:
    return make_group(owner)


def counts(group: Group) -> tuple[int, int]:
    """The kept number of members, and the true one."""
    group.refresh_from_db()
    return group.member_count, Membership.objects.members().filter(group=group).count()


def owners(group: Group) -> int:
    return Membership.objects.filter(group=group, role=Role.OWNER).count()


def join(person: User, group: Group) -> Any:
    return partial(memberships.join_group, person=person, group_id=group.pk, now=clock.now())


def leave(person: User, group: Group) -> Any:
    return partial(memberships.leave_group, person=person, group_id=group.pk, now=clock.now())


def ban(actor: User, group: Group, person: User) -> Any:
    return partial(bans.ban, actor=actor, group_id=group.pk, user_id=person.pk, now=clock.now())


def step_down(person: User, group: Group) -> Any:
    return partial(
        memberships.set_role, actor=person, group_id=group.pk, user_id=person.pk, role="member", now=clock.now()
    )


def decide(actor: User, group: Group, person: User, is_approved: bool = True) -> Any:
    return partial(
        memberships.decide_request,
        actor=actor,
        group_id=group.pk,
        user_id=person.pk,
        is_approved=is_approved,
        now=clock.now(),
    )


# --- Members ----------------------------------------------------------------------------------------------------------


def crowd(size: int) -> list[User]:
    """People without passwords, made quickly."""
    return User.objects.bulk_create(
        User(email=f"crowd{number}@example.com", first_name="Pat", password="!") for number in range(size)
    )


def test_two_hundred_join_at_once_and_leave_again(group: Group) -> None:
    people = crowd(200)
    for start in range(0, 200, 40):
        assert together(*(join(one, group) for one in people[start : start + 40])) == [None] * 40
    assert counts(group) == (201, 201)
    mixed = [leave(one, group) for one in people[:20]] + [leave(one, group) for one in people[:20]]
    assert together(*mixed) == [None] * 40, "each leaves twice at once"
    assert counts(group) == (181, 181)


def test_joining_against_a_ban(owner: User, stranger: User, group: Group) -> None:
    for _ in range(5):
        joined, banned = together(join(stranger, group), ban(owner, group, stranger))
        assert banned is None
        assert joined is None or isinstance(joined, BannedFromGroup)
        assert Membership.objects.get(user=stranger).status == "banned"
        assert counts(group) == (1, 1)
        bans.end_ban(actor=owner, group_id=group.pk, user_id=stranger.pk, now=clock.now())


def test_leaving_against_a_ban(owner: User, stranger: User, group: Group) -> None:
    for _ in range(5):
        put_in_group(group, stranger)
        assert together(leave(stranger, group), ban(owner, group, stranger)) == [None, None]
        assert Membership.objects.get(user=stranger).status == "banned"
        assert counts(group) == (1, 1)
        bans.end_ban(actor=owner, group_id=group.pk, user_id=stranger.pk, now=clock.now())


def test_leaving_twice_at_once_twin(stranger: User, group: Group, unlocked: Callable[..., None]) -> None:
    """Without the lock one member is counted off twice."""
    for one in (stranger, crowd(1)[0]):
        put_in_group(group, one)
    unlocked((memberships, "lock_place"))
    together(*[leave(stranger, group)] * 2)
    assert counts(group) == (1, 2)


def test_an_approval_against_a_withdrawal(owner: User, stranger: User) -> None:
    group = make_group(owner, join_policy="request")
    for _ in range(5):
        put_in_group(group, stranger, status="requested")
        approved, withdrawn = together(decide(owner, group, stranger), leave(stranger, group))
        assert withdrawn is None
        assert approved is None or isinstance(approved, NotFound)
        assert not Membership.objects.filter(user=stranger).exists()
        assert counts(group) == (1, 1)


def test_an_approval_against_a_withdrawal_twin(owner: User, stranger: User, unlocked: Callable[..., None]) -> None:
    """Without the lock somebody who took the request back is a member."""
    group = make_group(owner, join_policy="request")
    put_in_group(group, stranger, status="requested")
    unlocked((memberships, "lock_place"))
    assert together(decide(owner, group, stranger), leave(stranger, group)) == [None, None]
    assert Membership.objects.filter(user=stranger, status="member").exists()


def test_two_decide_one_request(owner: User, stranger: User, person: Callable[..., User]) -> None:
    group, admin = make_group(owner, join_policy="request"), person("admin")
    put_in_group(group, admin, "admin")
    put_in_group(group, stranger, status="requested")
    outcomes = together(decide(owner, group, stranger), decide(admin, group, stranger))
    assert sorted(str(type(one).__name__) for one in outcomes) == ["NoneType", "NotFound"]
    assert counts(group) == (3, 3)


def test_two_owners_step_down_at_once(owner: User, stranger: User, group: Group) -> None:
    put_in_group(group, stranger, "owner")
    outcomes = together(step_down(owner, group), step_down(stranger, group))
    assert sorted(type(one).__name__ for one in outcomes) == ["LastOwner", "NoneType"]
    assert owners(group) == 1


def test_two_owners_step_down_at_once_twin(
    owner: User, stranger: User, group: Group, unlocked: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock each sees the other as the owner who stays, and nobody is one."""
    put_in_group(group, stranger, "owner")
    unlocked((memberships, "_require_another_owner"))
    assert together(step_down(owner, group), step_down(stranger, group)) == [None, None]
    assert owners(group) == 0


def test_one_owner_leaves_while_the_other_steps_down(owner: User, stranger: User, group: Group) -> None:
    put_in_group(group, stranger, "owner")
    outcomes = together(leave(owner, group), step_down(stranger, group))
    assert sum(isinstance(one, LastOwner) for one in outcomes) == 1
    assert owners(group) == 1


def test_one_name_taken_by_two_at_once(owner: User, stranger: User) -> None:
    outcomes = together(partial(make_group, owner, "Windmills"), partial(make_group, stranger, "WINDMILLS"))
    assert sorted(type(one) is NameTaken for one in outcomes) == [False, True]
    assert Group.objects.count() == 1


# --- Channels ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def channel(owner: User) -> Channel:
    return make_channel(owner)


def subscribers(channel: Channel) -> tuple[int, int]:
    channel.refresh_from_db()
    return channel.subscriber_count, ChannelMember.objects.filter(channel=channel).count()


def test_many_subscribe_at_once(channel: Channel) -> None:
    people = crowd(40)
    now = clock.now()
    twice = [
        partial(subscriptions.subscribe, person=one, channel_id=channel.pk, now=now)
        for one in people[:20]
        for _ in "ab"
    ]
    assert together(*twice) == [None] * 40
    assert subscribers(channel) == (21, 21)
    twice = [partial(subscriptions.unsubscribe, person=one, channel_id=channel.pk) for one in people[:20] for _ in "ab"]
    assert together(*twice) == [None] * 40
    assert subscribers(channel) == (1, 1)


def test_unsubscribing_twice_at_once_twin(
    channel: Channel, stranger: User, person: Callable[..., User], unlocked: Callable[..., None]
) -> None:
    """Without the lock one subscription is counted off twice."""
    for one in (stranger, person("other")):
        subscriptions.subscribe(person=one, channel_id=channel.pk, now=clock.now())
    unlocked((subscriptions, "lock_channel_place"))
    together(*[partial(subscriptions.unsubscribe, person=stranger, channel_id=channel.pk)] * 2)
    assert subscribers(channel) == (1, 2)


@pytest.fixture
def pin(owner: User, channel: Channel) -> Callable[[], Any]:
    """`pin()`: what pins another post."""

    def another() -> Any:
        post = make_post(owner, channel_id=channel.pk)
        return partial(pins.pin_post, editor=owner, channel_id=channel.pk, post_id=post.pk, now=clock.now())

    return another


def test_five_pins_at_once_are_three(channel: Channel, pin: Callable[[], Any]) -> None:
    outcomes = together(*(pin() for _ in range(5)))
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType"] * 3 + ["TooManyPins"] * 2
    assert all(one is None or isinstance(one, TooManyPins) for one in outcomes)
    assert ChannelPin.objects.filter(channel=channel).count() == 3


def test_two_pins_at_once_twin(channel: Channel, pin: Callable[[], Any], unlocked: Callable[..., None]) -> None:
    """Without the lock both take the first place, and only the table's own rule stops the second: an error."""
    first, second = pin(), pin()
    unlocked((pins, "_taken"))
    outcomes = together(first, second)
    assert sorted(type(one).__name__ for one in outcomes) == ["IntegrityError", "NoneType"]
