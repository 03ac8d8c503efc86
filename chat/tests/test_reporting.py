"""Messages that are reported: who may, what moderators read, and what everybody sees of a hidden one."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from accounts.services import relations
from accounts.testing import sign_in
from chat.models import Conversation, Message
from chat.services.reporting import MAX_LINES_BEFORE
from chat.tests.factories import CONVERSATIONS, say, url
from core import clock
from core.testing import Api, commits
from core.testing.sockets import Server, dial
from social.models import Case
from social.services.decisions import undo
from social.testing import act
from uploads.testing import picture

REPORTS = "/api/social/reports"


@pytest.fixture
def moderator(person: Any) -> User:
    made: User = person("moderator", role="moderator")
    return made


def ask(api: Api, who: User, message_id: Any) -> Any:
    body = {"targetType": "message", "targetId": str(message_id), "reason": "abuse"}
    return api.as_user(who).post(REPORTS, body)


def test_only_members_report_what_they_see(
    api: Api, founder: User, backer: User, stranger: User, moderator: User, talk: Conversation, circle: Conversation
) -> None:
    said, in_circle = say(founder, talk, "Send me money"), say(founder, circle, "Join us")
    refused = [ask(api, who, said.id) for who in (stranger, moderator)]
    api.as_user(backer).delete(url(circle))
    refused.append(ask(api, backer, in_circle.id))  # they deleted it
    api.as_user(backer).delete(url(talk))
    refused.append(ask(api, backer, said.id))
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(404, "not_found")] * 4
    assert ask(api, founder, in_circle.id).json()["code"] == "own_thing"
    assert not Case.objects.exists()


@pytest.mark.parametrize("reporter_blocks", [True, False])
def test_a_block_keeps_nobody_from_reporting(
    api: Api, founder: User, backer: User, talk: Conversation, circle: Conversation, reporter_blocks: bool
) -> None:
    say(founder, talk, "Hello")
    said, in_circle = say(founder, talk, "Send me money"), say(founder, circle, "Join us")
    blocker, blocked = (backer, founder) if reporter_blocks else (founder, backer)
    with commits():
        relations.block(person=blocker, other_id=blocked.pk, now=clock.now())
    assert [ask(api, backer, one.id).status_code for one in (said, in_circle)] == [201, 201]
    (version,) = Case.objects.get(target_id=said.id).versions
    assert version["before"] == [{"by": 0, "words": "Hello", "pictures": 0}]


def test_moderators_get_what_the_reporter_saw_and_no_more(
    api: Api, founder: User, backer: User, circle: Conversation, person: Any
) -> None:
    friend = circle.members.exclude(user__in=[founder, backer]).get().user
    say(founder, circle, "Long ago")
    with commits():
        relations.block(person=friend, other_id=backer.pk, now=clock.now())
    for number in range(MAX_LINES_BEFORE - 2):
        say(founder, circle, f"Before {number}")
    say(backer, circle, "Not for the friend")
    say(friend, circle, "Stop it")
    say(founder, circle, "", media=[picture()])
    reported = say(founder, circle, "You will regret it")
    say(friend, circle, "After it")
    assert ask(api, friend, reported.id).status_code == 201
    case = Case.objects.get()
    (version,) = case.versions
    assert (case.person, version["words"]) == (founder, "You will regret it")
    assert version["before"] == [
        *({"by": 0, "words": f"Before {number}", "pictures": 0} for number in range(MAX_LINES_BEFORE - 2)),
        {"by": 1, "words": "Stop it", "pictures": 0},
        {"by": 0, "words": "", "pictures": 1},
    ]
    assert str(friend.pk) not in str(case.versions) and friend.first_name not in str(case.versions)


def views(api: Api, person: User, talk: Conversation) -> list[dict[str, Any]]:
    """A message on every surface: the page of messages, the list of conversations, one conversation, a reply to it."""
    me = api.as_user(person)
    newest, message = me.get(url(talk, "/messages")).json()["items"]
    listed = me.get(CONVERSATIONS).json()["items"][0]["lastMessage"]["replyTo"]
    detail = me.get(url(talk)).json()["lastMessage"]["replyTo"]
    return [message, newest["replyTo"], listed, detail]


def test_a_hidden_message_leaves_its_place_on_every_surface(
    api: Api, founder: User, backer: User, moderator: User, talk: Conversation
) -> None:
    said = say(founder, talk, "Send me money", media=[picture()])
    say(backer, talk, "No", reply_to_id=said.id)
    before = views(api, backer, talk)
    ask(api, backer, said.id)
    hidden = act(moderator, Case.objects.get(), "hide")
    for person in (founder, backer):
        for shown in views(api, person, talk):
            assert (shown["content"], shown["moderation"], shown["hidden"]) == ("", "hidden", False)
            assert shown["sender"]["id"] == str(founder.pk) and not shown.get("media")
    assert ask(api, backer, said.id).status_code == 404
    (told,) = api.as_user(founder).get("/api/social/sanctions").json()["items"]
    assert told["target"] == {"type": "message", "id": str(said.id), "excerpt": "Send me money"}
    undo(moderator=moderator, decision_id=hidden.pk, now=clock.now())
    links = ("media",)
    without_links = [{name: value for name, value in shown.items() if name not in links} for shown in before]
    again = views(api, backer, talk)
    assert [{name: value for name, value in shown.items() if name not in links} for shown in again] == without_links
    assert len(again[0]["media"]) == 1


def test_a_case_about_a_message_survives_its_author(
    api: Api, founder: User, backer: User, moderator: User, talk: Conversation
) -> None:
    said = say(founder, talk, "Send me money")
    ask(api, backer, said.id)
    Message.objects.filter(pk=said.id).update(deleted_at=clock.now(), content="")
    act(moderator, Case.objects.get(), "warn")
    assert Case.objects.get().versions[0]["words"] == "Send me money"


@pytest.mark.django_db(transaction=True)
def test_open_sockets_learn_of_it(
    api: Api, founder: User, backer: User, moderator: User, circle: Conversation, socket_server: Server
) -> None:
    friend = circle.members.exclude(user__in=[founder, backer]).get().user
    said = say(founder, circle, "Send me money")
    ask(api, backer, said.id)
    relations.block(person=friend, other_id=founder.pk, now=clock.now())
    with dial(socket_server.url, sign_in(backer)) as phone, dial(socket_server.url, sign_in(friend)) as other:
        phone.expect("ready"), other.expect("ready")
        hidden = act(moderator, Case.objects.get(), "hide")
        heard = phone.expect("chat.message_moderated")["message"]
        assert (heard["id"], heard["content"], heard["moderation"]) == (str(said.id), "", "hidden")
        undo(moderator=moderator, decision_id=hidden.pk, now=clock.now() + timedelta(seconds=1))
        assert phone.expect("chat.message_moderated")["message"]["content"] == "Send me money"
        for _ in range(2):
            heard = other.expect("chat.message_moderated")["message"]
            assert (heard["sender"], heard["content"], heard["hidden"]) == (None, "", True)
