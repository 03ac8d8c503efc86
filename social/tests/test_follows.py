"""Following people, public profiles, and what ends a follow."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Invitation, Mute, Profile, Status, User
from accounts.services import relations
from accounts.services.leaving import erase_when_due
from campaigns.testing import make_campaign
from core.events import Recorded
from core.events.delivery import load
from core.models import Event
from core.privacy.exports import rows_of
from core.testing import WAIT_LIMIT, Api, deliver_events, drain_outbox, together
from core.testing.pages import by_cursor, by_number
from social import listeners
from social.models import Follow
from social.services import follows
from social.testing import make_post

NOBODY = UUID(int=1)
REGISTER = "/api/auth/register"


def url(person: User | UUID, what: str = "") -> str:
    base = f"/api/social/users/{person.pk if isinstance(person, User) else person}"
    return f"{base}/{what}" if what else base


def numbers(person: User) -> tuple[int, int]:
    """Followers, and followed."""
    profile = Profile.objects.filter(pk=person.pk).first() or Profile()
    return profile.followers_count, profile.following_count


def names(page: Any) -> list[str]:
    return [card["firstName"] for card in page.json()["items"]]


# --- Follow and unfollow --------------------------------------------------------------------------------------------


def test_a_follow_and_its_end(api: Api, author: User, stranger: User) -> None:
    me = api.as_user(stranger)
    shown = me.post(url(author, "follow")).json()
    assert (shown["followedByMe"], shown["followersCount"], shown["followsMe"]) == (True, 1, False)
    assert api.as_user(author).get(url(stranger)).json()["followsMe"]
    assert (numbers(author), numbers(stranger)) == ((1, 0), (0, 1))
    ended = me.delete(url(author, "follow")).json()
    assert (ended["followedByMe"], ended["followersCount"]) == (False, 0)
    assert (numbers(author), numbers(stranger)) == ((0, 0), (0, 0))


def test_twice_changes_nothing(api: Api, author: User, stranger: User) -> None:
    me = api.as_user(stranger)
    assert me.post(url(author, "follow")).json() == me.post(url(author, "follow")).json()
    assert (numbers(author), Follow.objects.count()) == ((1, 0), 1)
    assert me.delete(url(author, "follow")).json() == me.delete(url(author, "follow")).json()
    assert (numbers(author), Follow.objects.count()) == ((0, 0), 0)
    kinds = Event.objects.filter(subject_id=author.pk, actor_id=stranger.pk).values_list("kind", flat=True)
    assert list(kinds.order_by("id")) == ["account.followed", "account.unfollowed"]


@pytest.mark.parametrize("method", ["post", "delete"])
def test_whom_nobody_can_follow(
    api: Api, author: User, stranger: User, person: Callable[..., User], method: str
) -> None:
    me = getattr(api.as_user(stranger), method)
    refused = me(url(stranger, "follow"))
    assert (refused.status_code, refused.json()["code"]) == (400, "not_with_yourself")
    suspended, erased, blocker = (person(name) for name in ("sue", "eric", "bea"))
    User.objects.filter(pk=suspended.pk).update(status=Status.SUSPENDED)
    User.objects.filter(pk=erased.pk).update(status=Status.DELETED)
    relations.block(person=blocker, other_id=stranger.pk, now=timezone.now())
    absent = me(url(NOBODY, "follow"))
    for other in (suspended, erased, blocker):
        answer = me(url(other, "follow"))
        assert answer.status_code == absent.status_code == 404
        assert {**answer.json(), "requestId": ""} == {**absent.json(), "requestId": ""}
        assert answer.headers.keys() == absent.headers.keys()
    assert not Follow.objects.exists()


def test_at_most_so_many(
    api: Api, author: User, stranger: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MAX_FOLLOWS", 1)
    me = api.as_user(stranger)
    me.post(url(author, "follow"))
    refused = me.post(url(person("other"), "follow"))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_follows")
    assert me.post(url(author, "follow")).status_code == 200, "again is no other"


def test_following_in_a_loop_is_limited(api: Api, author: User, stranger: User) -> None:
    me = api.as_user(stranger)
    answers = [(me.delete if turn % 2 else me.post)(url(author, "follow")) for turn in range(follows.PER_PERSON.most)]
    assert {answer.status_code for answer in answers} == {200}
    assert me.post(url(author, "follow")).status_code == 429


def test_the_followed_is_notified_unless_they_mute(api: Api, author: User, stranger: User) -> None:
    def follow_and_read() -> list[dict[str, Any]]:
        api.as_user(stranger).post(url(author, "follow"))
        deliver_events()
        return api.as_user(author).get("/api/notifications").json()["items"]

    Mute.objects.create(muter=author, muted=stranger)
    assert follow_and_read() == []
    Mute.objects.all().delete()
    Follow.objects.all().delete()
    (notice,) = follow_and_read()
    assert (notice["kind"], notice["data"]["count"]) == ("followed", 1)
    assert [actor["id"] for actor in notice["data"]["actors"]] == [str(stranger.pk)]
    api.as_user(stranger).delete(url(author, "follow"))
    deliver_events()
    assert api.as_user(author).get("/api/notifications").json()["items"] == []


# --- Public profile -------------------------------------------------------------------------------------------------


def test_a_profile_shows_what_everybody_may_see(api: Api, stranger: User, person: Callable[..., User]) -> None:
    author = person("author", bio="I build roofs.", location="Tainan", website="https://roofs.example", identity=True)
    for visibility in ("public", "followers", "private"):
        make_post(author, visibility=visibility)
    make_campaign(author, status="draft")
    make_campaign(author)
    shown = api.as_user(stranger).get(url(author)).json()
    assert (shown["bio"], shown["location"], shown["website"]) == ("I build roofs.", "Tainan", "https://roofs.example")
    assert (shown["postsCount"], shown["campaignsCount"], shown["muting"]) == (1, 1, False)
    assert "email" not in shown and "phoneNumber" not in shown
    assert api.as_user(author).get(url(author)).json()["postsCount"] == 3


def test_mutual_follows_are_counted(api: Api, author: User, stranger: User, person: Callable[..., User]) -> None:
    between = [person(f"between{number}") for number in range(3)]
    for one in between:
        follows.follow(person=stranger, other_id=one.pk, now=timezone.now())
    for one in between[:2]:
        follows.follow(person=one, other_id=author.pk, now=timezone.now())
    assert api.as_user(stranger).get(url(author)).json()["mutualCount"] == 2


def test_a_profile_shows_my_mute(api: Api, author: User, stranger: User) -> None:
    until = timezone.now() + timedelta(hours=1)
    Mute.objects.create(muter=stranger, muted=author, until=until)
    assert api.as_user(stranger).get(url(author)).json()["muting"]
    Mute.objects.update(until=timezone.now() - timedelta(hours=1))
    ended = api.as_user(stranger).get(url(author)).json()
    assert (ended["muting"], ended["mutedUntil"]) == (False, None)
    assert not api.as_user(author).get(url(stranger)).json()["muting"]


@pytest.mark.parametrize("what", ["", "followers", "following"])
def test_who_is_not_there(api: Api, author: User, stranger: User, person: Callable[..., User], what: str) -> None:
    me = api.as_user(stranger)
    for other in (author, person("sue", status=Status.SUSPENDED), person("eric", status=Status.DELETED)):
        relations.block(person=author, other_id=stranger.pk, now=timezone.now())
        absent, answer = me.get(url(NOBODY, what)), me.get(url(other, what))
        assert answer.status_code == 404
        assert {**answer.json(), "requestId": ""} == {**absent.json(), "requestId": ""}


# --- Lists ----------------------------------------------------------------------------------------------------------


def test_lists_hold_what_the_queryset_holds(
    api: Api, author: User, stranger: User, person: Callable[..., User]
) -> None:
    now, others = timezone.now(), [person(f"p{number}") for number in range(8)]
    for other in others:
        follows.follow(person=other, other_id=author.pk, now=now)
        follows.follow(person=author, other_id=other.pk, now=now)
    follows.follow(person=stranger, other_id=others[4].pk, now=now)
    relations.block(person=others[1], other_id=stranger.pk, now=now)
    relations.block(person=stranger, other_id=others[2].pk, now=now)
    User.objects.filter(pk=others[3].pk).update(status=Status.SUSPENDED)
    me = api.as_user(stranger)
    for what in ("followers", "following"):
        walked = by_cursor(me, url(author, what), {}, 2)
        assert [card["firstName"] for card in walked] == ["P7", "P6", "P5", "P4", "P0"]
        assert walked == by_number(me, url(author, what), {}, 2)
        assert [card["firstName"] for card in walked if card["followedByMe"]] == ["P4"]
        assert me.get(url(author, what), {"withTotal": "true"}).json()["total"] == 5


@pytest.mark.parametrize("what", ["followers", "following"])
def test_a_list_takes_the_same_queries_for_one_and_for_ten(
    api: Api, author: User, stranger: User, person: Callable[..., User], django_assert_num_queries: Any, what: str
) -> None:
    me, now = api.as_user(stranger), timezone.now()
    for people in (1, 9):
        for _ in range(people):
            other = person()
            follows.follow(person=other, other_id=author.pk, now=now)
            follows.follow(person=author, other_id=other.pk, now=now)
        with django_assert_num_queries(3):  # the session, the person with blocks, the list
            me.get(url(author, what))


# --- Blocks, invitations, erasure -----------------------------------------------------------------------------------


def test_a_block_ends_both_follows(api: Api, author: User, stranger: User) -> None:
    for one, other in ((author, stranger), (stranger, author)):
        api.as_user(one).post(url(other, "follow"))
    api.as_user(author).post(url(stranger, "block"))
    assert not Follow.objects.exists()
    assert (numbers(author), numbers(stranger)) == ((0, 0), (0, 0))
    api.as_user(author).delete(url(stranger, "block"))
    assert api.as_user(author).get(url(stranger)).json()["followedByMe"] is False


def accept_an_invitation(api: Api, inviter: User) -> User:
    invitation = _invite(inviter)
    body = {
        "email": "new@example.com",
        "password": "correct horse battery",
        "firstName": "Nia",
        "inviteToken": invitation,
    }
    assert api.post(REGISTER, body).status_code == 201
    return User.objects.get(email="new@example.com")


def _invite(inviter: User) -> str:
    from accounts import tokens

    token, now = tokens.new_token(), timezone.now()
    Invitation.objects.create(
        inviter=inviter, email="new@example.com", digest=tokens.digest(token), expires_at=now + timedelta(days=1)
    )
    return token


def test_an_accepted_invitation_becomes_a_follow_in_both_directions(api: Api, author: User) -> None:
    invited = accept_an_invitation(api, author)
    drain_outbox()
    assert set(Follow.objects.values_list("follower", "followed")) == {(author.pk, invited.pk), (invited.pk, author.pk)}
    assert (numbers(author), numbers(invited)) == ((1, 1), (1, 1))
    assert api.as_user(author).get("/api/notifications").json()["items"] == []


def test_an_invitation_delivered_again_makes_nobody_follow_again(api: Api, author: User) -> None:
    invited = accept_an_invitation(api, author)
    event: Recorded = load(Event.objects.get(kind="invitation.accepted").pk)
    listeners.follow_each_other(event)
    follows.unfollow(person=invited, other_id=author.pk, now=timezone.now())
    listeners.follow_each_other(event)
    assert list(Follow.objects.values_list("follower", "followed")) == [(author.pk, invited.pk)]


def test_an_invitation_does_not_cross_a_block(api: Api, author: User) -> None:
    invited = accept_an_invitation(api, author)
    relations.block(person=invited, other_id=author.pk, now=timezone.now())
    drain_outbox()
    assert not Follow.objects.exists()


def test_an_erasure_takes_follows_back_from_the_counts_of_others(
    author: User, stranger: User, person: Callable[..., User]
) -> None:
    now, leaver = timezone.now(), person("leaver")
    for one, other in ((leaver, author), (author, leaver), (stranger, leaver), (stranger, author)):
        follows.follow(person=one, other_id=other.pk, now=now)
    exported = dict(rows_of(leaver.pk))["social/follows.json"]
    assert [row["followedId"] for row in exported] == [author.pk]
    User.objects.filter(pk=leaver.pk).update(deletion_due_at=now)
    erase_when_due(user_id=leaver.pk, now=now)
    assert list(Follow.objects.values_list("follower", "followed")) == [(stranger.pk, author.pk)]
    assert (numbers(author), numbers(stranger)) == ((1, 0), (0, 1))


# --- Races ----------------------------------------------------------------------------------------------------------


def _rivals(author: User, others: list[User]) -> list[Any]:
    now = timezone.now()
    there = [partial(follows.follow, person=other, other_id=author.pk, now=now) for other in others]
    back = [partial(follows.follow, person=author, other_id=other.pk, now=now) for other in others]
    return [call for pair in zip(there, back, strict=True) for call in pair]


@pytest.mark.django_db(transaction=True)
def test_many_follow_each_other_at_once(author: User, person: Callable[..., User]) -> None:
    others = [person(f"p{number}") for number in range(6)]
    assert together(*_rivals(author, others)) == [None] * 12
    assert numbers(author) == (6, 6)
    assert {numbers(other) for other in others} == {(1, 1)}


def _follow_against_block(author: User, stranger: User) -> list[Any]:
    now = timezone.now()
    return [
        partial(follows.follow, person=stranger, other_id=author.pk, now=now),
        partial(relations.block, person=author, other_id=stranger.pk, now=now),
    ]


@pytest.mark.django_db(transaction=True)
def test_no_follow_outlives_a_block(author: User, stranger: User) -> None:
    together(*_follow_against_block(author, stranger))
    assert not Follow.objects.exists()
    assert (numbers(author), numbers(stranger)) == ((0, 0), (0, 0))


@pytest.mark.django_db(transaction=True)
def test_no_follow_outlives_a_block_twin(author: User, stranger: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock the follow looks for a block before there is one, and is written after it."""
    looked, blocked = Barrier(2), Barrier(2)

    def read(*ids: UUID) -> dict[UUID, User]:
        return {user.pk: user for user in User.objects.filter(pk__in=ids)}

    class Waiting(int):
        """Compared after the look for a block, and before the follow is written."""

        def __le__(self, other: int) -> bool:
            looked.wait(timeout=WAIT_LIMIT)
            blocked.wait(timeout=WAIT_LIMIT)
            return False

    def block_in_between() -> None:
        looked.wait(timeout=WAIT_LIMIT)
        relations.block(person=author, other_id=stranger.pk, now=timezone.now())
        blocked.wait(timeout=WAIT_LIMIT)

    monkeypatch.setattr(follows, "lock_people", read)
    monkeypatch.setattr(follows, "MAX_FOLLOWS", Waiting())
    together(_follow_against_block(author, stranger)[0], block_in_between)
    assert Follow.objects.count() == 1, "a follow across a block"


@pytest.mark.django_db(transaction=True)
def test_counts_add_up_twin(author: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a count that is read and written back, follows that meet are lost."""
    met = Barrier(2)

    def read_and_write(*, user_id: UUID, followers: int = 0, following: int = 0) -> None:
        profile, _ = Profile.objects.get_or_create(user_id=user_id)
        if user_id == author.pk:
            met.wait(timeout=WAIT_LIMIT)
        profile.followers_count += followers
        profile.following_count += following
        profile.save()

    Profile.objects.create(user=author)
    monkeypatch.setattr(follows, "count", read_and_write)
    monkeypatch.setattr(
        follows, "lock_people", lambda *ids: {user.pk: user for user in User.objects.filter(pk__in=ids)}
    )
    now, rivals = timezone.now(), [person("one"), person("two")]
    together(*(partial(follows.follow, person=rival, other_id=author.pk, now=now) for rival in rivals))
    assert (Follow.objects.filter(followed=author).count(), numbers(author)[0]) == (2, 1)
