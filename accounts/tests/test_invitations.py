"""Asking somebody to join."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Invitation, User
from accounts.tests.test_registration import BODY
from core import events
from core.models import Event
from core.testing import Api, drain_outbox, together
from notifications.mailbox import _content
from notifications.models import MailboxMessage

INVITE = "/api/profile/invite"
FRIEND = "friend@example.com"


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada", last_name="Lovelace")


def registered() -> list[tuple[str | None, str | None]]:
    """Who registered, in order, and whose invitation they had."""
    recorded = Event.objects.filter(kind="account.registered").order_by("id")
    email_of: dict[Any, str] = dict(User.objects.values_list("pk", "email"))
    return [(email_of[event.subject_id], email_of.get(events.facts_of(event).get("invited_by"))) for event in recorded]


def mails_to(address: str) -> list[Any]:
    drain_outbox()
    return [(kept.subject, _content(kept)) for kept in MailboxMessage.objects.filter(to=address).order_by("created_at")]


def token_for(api: Api, inviter: User, address: str = FRIEND) -> str:
    assert api.as_user(inviter).post(INVITE, {"email": address}).status_code == 200
    _, content = mails_to(address)[-1]
    return re.search(r"invitation code is ([\w-]+)\.", content["text"]).group(1)


def register(api: Api, **changes: Any) -> Any:
    return api.post("/api/auth/register", {**BODY, **changes})


def test_an_invitation_is_mailed_and_the_registration_tells_who_invited(api: Api, ada: User) -> None:
    answer = api.as_user(ada).post(INVITE, {"email": "Friend@Example.com"})
    assert answer.status_code == 200
    assert answer.json() == {"message": "Invitation sent", "invitationId": str(Invitation.objects.get().pk)}
    assert answer.headers["RateLimit-Limit"] == "20"
    [(subject, content)] = mails_to(FRIEND)
    assert subject == "Ada Lovelace invites you to VECTRAGrow"
    token = re.search(r"invitation code is ([\w-]+)\.", content["text"]).group(1)
    assert token not in str(Invitation.objects.values().get())
    joined = register(api, email=FRIEND, inviteToken=token)
    assert joined.status_code == 201
    assert registered() == [(FRIEND, ada.email)]
    assert str(Invitation.objects.get().accepted_by_id) == joined.json()["user"]["id"]


def test_without_an_invitation_nobody_invited(api: Api) -> None:
    register(api)
    assert registered() == [("ada@example.com", None)]


def test_a_token_works_once_and_for_thirty_days(api: Api, ada: User) -> None:
    token = token_for(api, ada)
    assert register(api, email="one@example.com", inviteToken=token).status_code == 201
    refused = register(api, email="two@example.com", inviteToken=token)
    assert (refused.status_code, refused.json()["code"]) == (400, "invitation_invalid")
    assert refused.json()["errors"][0]["field"] == "inviteToken"
    old = token_for(api, ada)
    Invitation.objects.filter(accepted_at=None).update(expires_at=Invitation.objects.get(accepted_at=None).created_at)
    assert register(api, email="three@example.com", inviteToken=old).json()["code"] == "invitation_invalid"
    assert register(api, email="four@example.com", inviteToken="not-ours").json()["code"] == "invitation_invalid"
    assert [email for email, _ in registered()] == ["one@example.com"], "a refused registration leaves nothing"


def test_a_taken_address_does_not_use_the_invitation_up(api: Api, ada: User) -> None:
    token = token_for(api, ada)
    assert register(api, email=ada.email, inviteToken=token).json()["code"] == "email_taken"
    assert register(api, inviteToken=token).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_registrations_with_one_token(api: Api, ada: User) -> None:
    token = token_for(api, ada)
    answers = together(*(lambda n=n: register(api, email=f"rival{n}@example.com", inviteToken=token) for n in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 400]


def test_a_known_address_answers_alike_and_gets_no_mail(api: Api, ada: User, person: Callable[..., User]) -> None:
    known = person("known")
    me = api.as_user(ada)
    answers = [me.post(INVITE, {"email": address}) for address in (known.email, FRIEND)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json().keys() == answers[1].json().keys()
    assert answers[0].json()["message"] == answers[1].json()["message"]
    assert (len(mails_to(known.email)), len(mails_to(FRIEND))) == (0, 1)


def test_twenty_a_day(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    statuses = [me.post(INVITE, {"email": f"friend{n}@example.com"}).status_code for n in range(21)]
    assert statuses == [200] * 20 + [429]


def test_nobody_is_flooded_and_nobody_is_told(api: Api, ada: User, person: Callable[..., User]) -> None:
    for inviter in (ada, person("bob")):
        for _ in range(3):
            assert api.as_user(inviter).post(INVITE, {"email": FRIEND}).status_code == 200
    assert len(mails_to(FRIEND)) == 3


def test_a_stranger_turns_invitations_off_for_good(api: Api, ada: User, person: Callable[..., User]) -> None:
    token_for(api, ada)
    [(_, content)] = mails_to(FRIEND)
    path = re.search(r"(/api/notifications/unsubscribe/[^>]+)>", content["headers"]["List-Unsubscribe"]).group(1)
    assert FRIEND.split("@")[0] not in path
    answer = api.client.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.json()["message"] == "You will get no more mails about invitations."
    assert api.as_user(person("bob")).post(INVITE, {"email": FRIEND}).status_code == 200
    assert len(mails_to(FRIEND)) == 1
    assert api.as_user(ada).post(INVITE, {"email": "other@example.com"}).status_code == 200
    assert len(mails_to("other@example.com")) == 1


@pytest.mark.parametrize("name", ["evil.example/win", "mail@evil.example", "https:", "www.evil.example"])
def test_a_name_that_reads_like_a_link_is_not_mailed_to_strangers(
    api: Api, person: Callable[..., User], name: str
) -> None:
    api.as_user(person("eve", last_name=name)).post(INVITE, {"email": FRIEND})
    [(subject, content)] = mails_to(FRIEND)
    assert subject == "A member invites you to VECTRAGrow"
    assert name not in content["text"] + content["html"]


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "x@ex\u0430mple.com", "a@example.com\r\nBcc: b@example.com", None]
)
def test_a_bad_address_is_refused(api: Api, ada: User, email: str | None) -> None:
    refused = api.as_user(ada).post(INVITE, {"email": email})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "email")
    assert not Invitation.objects.exists()


def test_an_inviter_who_is_gone_invites_nobody(api: Api, ada: User) -> None:
    token = token_for(api, ada)
    ada.status = "suspended"
    ada.save()
    assert register(api, inviteToken=token).json()["code"] == "invitation_invalid"
