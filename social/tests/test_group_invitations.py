"""Inviting people into a group: those with an account, and by mail those without."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, Invitation, Mute, User
from accounts.tests.test_registration import BODY
from core.testing import Api, deliver_events, drain_outbox
from notifications.mailbox import _content
from notifications.models import MailboxMessage, Notification
from social.models import Group, GroupInvitation, Membership
from social.services import group_invitations
from social.testing import make_group, put_in_group
from social.tests.test_groups import NOBODY, url

FRIEND = "friend@example.com"


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("owner")


@pytest.fixture
def secret(owner: User) -> Group:
    return make_group(owner, "The attic", visibility="secret")


def notices(person: User) -> list[str]:
    deliver_events()
    return list(Notification.objects.filter(user_id=person.pk).order_by("id").values_list("kind", flat=True))


def mails_to(address: str) -> list[Any]:
    drain_outbox()
    return [(kept.subject, _content(kept)) for kept in MailboxMessage.objects.filter(to=address).order_by("created_at")]


def invite(api: Api, inviter: User, group: Group, **body: Any) -> Any:
    return api.as_user(inviter).post(url(group, "invitations"), body)


def token_of(address: str) -> str:
    _, content = mails_to(address)[-1]
    found = re.search(r"invitation code is ([\w-]+)\.", content["text"])
    assert found
    return found[1]


def register(api: Api, token: str, **changes: Any) -> User:
    answer = api.post("/api/auth/register", {**BODY, "email": FRIEND, "inviteToken": token, **changes})
    assert answer.status_code == 201, answer.json()
    drain_outbox()
    return User.objects.get(pk=answer.json()["user"]["id"])


def test_somebody_is_invited_and_joins(api: Api, owner: User, stranger: User, secret: Group) -> None:
    for _ in range(2):
        assert invite(api, owner, secret, userId=str(stranger.pk)).json() == {"message": "Invitation sent"}
    assert notices(stranger) == ["group_invited"]
    assert Notification.objects.get().data["groupName"] == "The attic"
    seen = api.as_user(stranger).get(url(secret)).json()
    assert (seen["myStatus"], seen["myRole"], seen["memberCount"]) == ("invited", None, 1)
    assert api.as_user(stranger).get(url(secret, "members")).status_code == 403
    joined = api.as_user(stranger).post(url(secret, "join")).json()
    assert (joined["myStatus"], joined["memberCount"]) == ("member", 2)


def test_an_invitation_is_declined(api: Api, owner: User, stranger: User, secret: Group) -> None:
    most = group_invitations.OF_ONE.most
    for _ in range(most):
        invite(api, owner, secret, userId=str(stranger.pk))
        told = notices(stranger)
        assert set(told) == {"group_invited"}
        assert api.as_user(stranger).post(url(secret, "leave")).json()["myStatus"] is None
    assert len(told) == most
    assert invite(api, owner, secret, userId=str(stranger.pk)).status_code == 200
    assert api.as_user(stranger).get(url(secret)).status_code == 404, "enough"
    assert notices(stranger) == []


def group_titles(person: User) -> list[str]:
    deliver_events()
    return [found.title for found in Notification.objects.filter(user_id=person.pk) if "attic" in found.title]


@pytest.mark.parametrize("way", ["decline", "ban", "leave", "remove"])
def test_a_secret_group_is_forgotten_by_whoever_is_out(
    api: Api, owner: User, stranger: User, secret: Group, way: str
) -> None:
    me, staff = api.as_user(stranger), api.as_user(owner)
    invite(api, owner, secret, userId=str(stranger.pk))
    assert len(group_titles(stranger)) == 1
    if way in ("leave", "remove"):
        me.post(url(secret, "join"))
        staff.put(url(secret, f"members/{stranger.pk}/role"), {"role": "moderator"})
        assert len(group_titles(stranger)) == 2
    {
        "decline": lambda: me.post(url(secret, "leave")),
        "leave": lambda: me.post(url(secret, "leave")),
        "remove": lambda: staff.delete(url(secret, f"members/{stranger.pk}")),
        "ban": lambda: staff.post(url(secret, f"bans/{stranger.pk}")),
    }[way]()
    assert group_titles(stranger) == []


def test_a_late_notice_tells_nothing_of_a_secret_group(api: Api, owner: User, stranger: User, secret: Group) -> None:
    invite(api, owner, secret, userId=str(stranger.pk))
    api.as_user(owner).post(url(secret, f"bans/{stranger.pk}"))
    assert group_titles(stranger) == [], "both events are delivered after the ban"


def test_notices_of_groups_that_everybody_sees_stay(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner, "The attic", visibility="private")
    invite(api, owner, group, userId=str(stranger.pk))
    assert len(group_titles(stranger)) == 1
    api.as_user(owner).post(url(group, f"bans/{stranger.pk}"))
    assert len(group_titles(stranger)) == 1


def test_whoever_asked_is_admitted_by_an_invitation(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner, join_policy="request")
    api.as_user(stranger).post(url(group, "join"))
    invite(api, owner, group, userId=str(stranger.pk))
    assert Membership.objects.get(user=stranger).status == "member"
    assert notices(stranger) == ["group_request_approved"]
    group.refresh_from_db()
    assert group.member_count == 2


def test_who_may_invite(api: Api, owner: User, stranger: User, person: Callable[..., User], secret: Group) -> None:
    statuses = {}
    for role in ("admin", "moderator", "member"):
        somebody = person(role)
        put_in_group(secret, somebody, role)
        for body in ({"userId": str(stranger.pk)}, {"email": FRIEND}):
            statuses[role] = invite(api, somebody, secret, **body).status_code
    assert statuses == {"admin": 200, "moderator": 200, "member": 403}
    put_in_group(secret, unverified := person("unverified", verified=False), "admin")
    assert invite(api, unverified, secret, email=FRIEND).json()["code"] == "email_not_verified"


@pytest.mark.parametrize("blocker_is_invited", [True, False])
def test_across_a_block_nothing_arrives_and_the_answer_is_the_same(
    api: Api, owner: User, stranger: User, person: Callable[..., User], secret: Group, blocker_is_invited: bool
) -> None:
    pair = (stranger, owner) if blocker_is_invited else (owner, stranger)
    Block.objects.create(blocker=pair[0], blocked=pair[1])
    free = person("free")
    ways = [{"userId": str(stranger.pk)}, {"email": stranger.email}, {"userId": NOBODY}]
    answers = [invite(api, owner, secret, **body) for body in (*ways, {"userId": str(free.pk)})]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert notices(stranger) == []
    assert not Membership.objects.filter(user=stranger).exists()


def test_whoever_mutes_is_invited_quietly(api: Api, owner: User, stranger: User, secret: Group) -> None:
    Mute.objects.create(muter=stranger, muted=owner)
    invite(api, owner, secret, userId=str(stranger.pk))
    assert notices(stranger) == []
    assert api.as_user(stranger).get(url(secret)).json()["myStatus"] == "invited"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "user_or_email"),
        ({"userId": NOBODY, "email": FRIEND}, "user_or_email"),
        ({"userId": "1"}, "invalid"),
        ({"email": "nobody"}, "invalid"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "invalid"),
    ],
)
def test_bad_invitations(api: Api, owner: User, secret: Group, body: dict[str, Any], code: str) -> None:
    refused = invite(api, owner, secret, **body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)


# --- By mail ----------------------------------------------------------------------------------------------------------


def test_a_mail_invites_and_registering_joins(api: Api, owner: User, secret: Group) -> None:
    assert invite(api, owner, secret, email="Friend@example.com").status_code == 200
    [(subject, content)] = mails_to(FRIEND)
    assert subject == "Owner Example invites you to The attic on VECTRAGrow"
    assert "the group The attic" in content["text"]
    friend = register(api, token_of(FRIEND))
    membership = Membership.objects.get(group=secret, user=friend)
    assert (membership.status, membership.role) == ("member", "member")
    secret.refresh_from_db()
    assert secret.member_count == 2
    assert not GroupInvitation.objects.exists()


def test_the_answer_does_not_show_whether_an_address_has_an_account(
    api: Api, owner: User, stranger: User, secret: Group
) -> None:
    answers = [invite(api, owner, secret, email=address) for address in (stranger.email, FRIEND)]
    known, unknown = answers
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.headers.keys() == unknown.headers.keys()
    assert (known["RateLimit-Limit"], known["RateLimit-Remaining"]) == ("20", "19")
    assert (unknown["RateLimit-Limit"], unknown["RateLimit-Remaining"]) == ("20", "18")
    assert notices(stranger) == ["group_invited"]
    assert mails_to(stranger.email) == [] or "group_invited" in notices(stranger)


def test_mails_are_limited(api: Api, owner: User, secret: Group) -> None:
    statuses = [invite(api, owner, secret, email=f"friend{n}@example.com").status_code for n in range(21)]
    assert statuses == [200] * 20 + [429]


@pytest.mark.parametrize("then", ["demoted", "left", "blocked", "hidden", "deleted"])
def test_an_invitation_ends_with_the_right_to_invite(
    api: Api, owner: User, person: Callable[..., User], secret: Group, then: str
) -> None:
    admin = person("admin")
    put_in_group(secret, admin, "admin")
    invite(api, admin, secret, email=FRIEND)
    token = token_of(FRIEND)
    if then == "demoted":
        api.as_user(owner).put(url(secret, "members", admin.pk, "role"), {"role": "member"})
    elif then == "left":
        api.as_user(admin).post(url(secret, "leave"))
    elif then == "hidden":
        Group.objects.filter(pk=secret.pk).update(hidden_at=secret.created_at)
    elif then == "deleted":
        api.as_user(admin).post(url(secret, "leave"))
        assert api.as_user(owner).delete(url(secret)).status_code == 200
    else:
        api.as_user(owner).post(url(secret, "bans", admin.pk))
    friend = register(api, token)
    assert not Membership.objects.filter(user=friend).exists()


def test_joining_by_mail_twice_is_once(api: Api, owner: User, secret: Group) -> None:
    invite(api, owner, secret, email=FRIEND)
    friend = register(api, token_of(FRIEND))
    accepted = Invitation.objects.get()
    GroupInvitation.objects.create(group=secret, invitation=accepted)
    group_invitations.join_invited(invitation_id=accepted.pk, user_id=friend.pk, now=secret.created_at)
    group_invitations.join_invited(invitation_id=accepted.pk, user_id=friend.pk, now=secret.created_at)
    secret.refresh_from_db()
    assert secret.member_count == 2


def test_a_group_whose_name_reads_like_a_link_is_not_named(api: Api, owner: User) -> None:
    group = make_group(owner, "www.evil.example/win")
    invite(api, owner, group, email=FRIEND)
    [(subject, content)] = mails_to(FRIEND)
    assert subject == "Owner Example invites you to VECTRAGrow"
    assert "evil" not in content["text"] + content["html"]
