"""Conversations of people who block each other: a direct one is not there, in a group only places are left."""

from collections.abc import Callable
from threading import Event
from typing import Any

import orjson
import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import relations
from accounts.testing import sign_in
from chat import streams
from chat.errors import PersonNotFound
from chat.models import Conversation, Message, stream_of
from chat.services import conversations, messages
from chat.tests.factories import CONVERSATIONS, direct, group, say, url
from core.api.errors import NotFound
from core.data.transactions import atomic
from core.testing import WAIT_LIMIT, Api, another_connection_waits, commits, eventually, together
from core.testing.sockets import Server, dial

HIDDEN: dict[str, Any] = {
    "sender": None,
    "content": "",
    "media": [],
    "replyTo": None,
    "clientId": None,
    "editedAt": None,
    "deletedAt": None,
    "hidden": True,
    "moderation": None,
}
live = pytest.mark.django_db(transaction=True)


def block(one: User, other: User) -> None:
    with commits():
        relations.block(person=one, other_id=other.pk, now=timezone.now())


def unblock(one: User, other: User) -> None:
    with commits():
        relations.unblock(person=one, other_id=other.pk, now=timezone.now())


def listed(api: Api, person: User) -> list[str]:
    return [item["id"] for item in api.as_user(person).get(CONVERSATIONS).json()["items"]]


# --- Direct -----------------------------------------------------------------------------------------------------------


def test_a_direct_conversation_is_not_there_until_the_block_ends(
    api: Api, founder: User, backer: User, stranger: User, talk: Conversation
) -> None:
    say(founder, talk, "Hello")
    block(backer, founder)
    for somebody, other in ((founder, backer), (backer, founder)):
        me = api.as_user(somebody)
        assert listed(api, somebody) == []
        answers = [
            me.get(url(talk)),
            me.get(url(talk, "/messages")),
            me.post(url(talk, "/messages"), {"content": "Still there?"}),
            me.put(url(talk, "/read")),
            me.delete(url(talk)),
        ]
        foreign = api.as_user(stranger).get(url(talk)).json()
        for answer in answers:
            assert answer.status_code == 404
            assert {**answer.json(), "requestId": "", "instance": ""} == {**foreign, "requestId": "", "instance": ""}
        begun = me.post(CONVERSATIONS, {"type": "direct", "participants": [str(other.pk)]})
        unknown = me.post(CONVERSATIONS, {"type": "direct", "participants": [str(talk.pk)]})
        assert begun.status_code == 404
        assert {**begun.json(), "requestId": ""} == {**unknown.json(), "requestId": ""}
    assert Message.objects.count() == 1
    block(founder, backer)
    unblock(backer, founder)
    assert listed(api, backer) == [], "the other one blocks, too"
    unblock(founder, backer)
    assert listed(api, backer) == [str(talk.pk)]
    assert api.as_user(backer).get(url(talk, "/messages")).json()["items"][0]["content"] == "Hello"
    assert api.as_user(founder).post(url(talk, "/messages"), {"content": "There you are"}).status_code == 201


def test_a_conversation_with_somebody_else_stays(api: Api, founder: User, backer: User, stranger: User) -> None:
    kept = direct(founder, stranger)
    block(backer, founder)
    assert listed(api, founder) == [str(kept.pk)]


@live
def test_open_sockets_hear_of_it_at_once(
    socket_server: Server, founder: User, backer: User, talk: Conversation
) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone, dial(socket_server.url, sign_in(backer)) as other:
        phone.expect("ready")
        other.expect("ready")
        block(founder, backer)
        gone = {"type": "access_revoked", "conversationId": str(talk.pk)}
        assert phone.expect("access_revoked") == gone == other.expect("access_revoked")
        for device in (phone, other):
            for command, more in (
                ("chat.send", {"content": "Hello"}),
                ("chat.typing", {"isTyping": True}),
                ("chat.read", {"seq": 1}),
            ):
                answer = device.ask(command, conversationId=str(talk.pk), **more)
                assert (answer["type"], answer["code"]) == ("error", "not_found")
        other.send("resume", conversations={str(talk.pk): 0})
        assert other.expect("access_revoked") == gone
        assert phone.silent("chat.message")


# --- Groups -----------------------------------------------------------------------------------------------------------


def test_in_a_group_only_the_place_of_a_message_is_left(
    api: Api, founder: User, backer: User, circle: Conversation
) -> None:
    friend = User.objects.get(first_name="Friend")
    first = say(backer, circle, "From backer")
    reply = say(friend, circle, "To backer", reply_to_id=first.id)
    block(founder, backer)
    last = say(backer, circle, "Again")

    me = api.as_user(founder)
    items = me.get(url(circle, "/messages")).json()["items"]
    assert [item["seq"] for item in items] == [3, 2, 1]
    whole = api.as_user(friend).get(url(circle, "/messages")).json()["items"]
    assert not any(item["hidden"] for item in whole)
    for item, shown in ((items[0], whole[0]), (items[2], whole[2])):
        assert item == {**{name: shown[name] for name in ("id", "conversationId", "seq", "createdAt")}, **HIDDEN}
    assert (items[1]["content"], items[1]["hidden"]) == ("To backer", False)
    shown = ("sender", "content", "deletedAt", "hidden", "moderation")
    assert items[1]["replyTo"] == {"id": str(first.id), "seq": 1, **{name: HIDDEN[name] for name in shown}}

    for card in (me.get(CONVERSATIONS).json()["items"][0], me.get(url(circle)).json()):
        assert card["lastMessage"]["id"] == str(last.id) and card["lastMessage"]["hidden"]
        assert card["unreadCount"] == 1, "the friend's"
        assert card["participantCount"] == 3, "both stay members"
    me.put(url(circle, "/read"))
    assert me.get(CONVERSATIONS).json()["items"][0]["unreadCount"] == 0

    theirs = api.as_user(backer)
    say(founder, circle, "From founder")
    assert theirs.get(url(circle, "/messages")).json()["items"][0]["hidden"]
    refused = theirs.post(
        url(circle, "/messages"), {"content": "?", "replyToId": me.get(url(circle)).json()["lastMessage"]["id"]}
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "reply_not_here")
    marks = {row["user"]["firstName"]: row["lastReadSeq"] for row in theirs.get(url(circle)).json()["members"]}
    assert marks == {"Founder": 0, "Backer": 3, "Friend": 2}, "how far somebody hidden has read is not shown"

    unblock(founder, backer)
    assert [item["content"] for item in me.get(url(circle, "/messages")).json()["items"]] == [
        "From founder",
        "Again",
        "To backer",
        "From backer",
    ]
    assert reply.hidden is False


def test_nobody_is_added_to_a_group_by_whom_they_block(api: Api, founder: User, backer: User, stranger: User) -> None:
    block(backer, founder)

    def begin(*ids: Any) -> Any:
        return api.as_user(founder).post(CONVERSATIONS, {"type": "group", "participants": [str(one) for one in ids]})

    refused, unknown = begin(stranger.pk, backer.pk), begin(stranger.pk, "0190aaaa-0000-7000-8000-000000000001")
    assert refused.status_code == 404
    assert {**refused.json(), "requestId": ""} == {**unknown.json(), "requestId": ""}
    assert not Conversation.objects.exists()


@live
def test_live_frames_of_a_group(socket_server: Server, founder: User, backer: User, circle: Conversation) -> None:
    friend = User.objects.get(first_name="Friend")
    with (
        dial(socket_server.url, sign_in(founder)) as phone,
        dial(socket_server.url, sign_in(backer)) as other,
        dial(socket_server.url, sign_in(friend)) as third,
    ):
        for device in (phone, other, third):
            device.expect("ready")
        block(backer, founder)
        said = say(founder, circle, "Hello", client_id=circle.pk)
        heard = [device.expect("chat.message")["message"] for device in (phone, other, third)]
        assert heard[0] == heard[2] and heard[0]["content"] == "Hello"
        assert heard[1] == {
            **{name: heard[0][name] for name in ("id", "conversationId", "seq", "createdAt")},
            **HIDDEN,
        }
        say(friend, circle, "Yes", reply_to_id=said.id)
        heard = [device.expect("chat.message")["message"] for device in (phone, other, third)]
        assert [message["seq"] for message in heard] == [2, 2, 2]
        assert [message["replyTo"]["content"] for message in heard] == ["Hello", "", "Hello"]

        phone.ask("chat.typing", conversationId=str(circle.pk), isTyping=True)
        phone.ask("chat.read", conversationId=str(circle.pk), seq=2)
        third.expect("chat.typing")
        third.expect("chat.read")
        assert other.silent("chat.typing") and other.silent("chat.read")

        other.send("resume", conversations={str(circle.pk): 0})
        again = [other.expect("chat.message")["message"] for _ in range(2)]
        assert [(message["seq"], message["hidden"]) for message in again] == [(1, True), (2, False)]
        assert again[1]["replyTo"]["hidden"]


@live
def test_a_mute_keeps_away_that_somebody_writes_and_nothing_else(
    socket_server: Server, founder: User, backer: User, talk: Conversation
) -> None:
    relations.mute(person=backer, other_id=founder.pk, until=None, now=timezone.now())
    with dial(socket_server.url, sign_in(founder)) as phone, dial(socket_server.url, sign_in(backer)) as other:
        phone.expect("ready")
        other.expect("ready")
        phone.ask("chat.typing", conversationId=str(talk.pk), isTyping=True)
        say(founder, talk, "Hello")
        assert other.expect("chat.message")["message"]["content"] == "Hello"
        assert other.silent("chat.typing")


def test_what_the_hub_reads_from_the_database_hides_the_same(
    founder: User, backer: User, circle: Conversation, talk: Conversation
) -> None:
    said = say(founder, circle, "Hello")
    say(founder, talk, "Between us")
    block(founder, backer)
    found = streams.missed([str(founder.pk), str(backer.pk)], said.created_at)
    pushes = {push.stream: push for push in found}
    push = pushes[stream_of(circle.pk)]
    assert str(backer.pk) not in push.users and str(founder.pk) in push.users
    ((users, text),) = push.others
    assert list(users) == [str(backer.pk)]
    assert orjson.loads(text)["message"]["hidden"]
    assert pushes[stream_of(talk.pk)].everybody == []
    assert [one.others for one in streams.after(stream_of(circle.pk), 0)] == [push.others]


# --- Races ------------------------------------------------------------------------------------------------------------


def while_a_block_commits(blocker: User, blocked: User, action: Callable[[], Any]) -> Any:
    """What `action` gives that begins before a block is committed and ends after it, or before it without waiting."""
    written, done = Event(), Event()

    def block() -> None:
        with atomic():
            relations.block(person=blocker, other_id=blocked.pk, now=timezone.now())
            written.set()
            eventually(lambda: done.is_set() or another_connection_waits())

    def act() -> Any:
        assert written.wait(WAIT_LIMIT)
        try:
            return action()
        finally:
            done.set()

    _, outcome = together(block, act)
    return outcome


@live
def test_a_message_on_its_way_does_not_come_after_the_block(founder: User, backer: User, talk: Conversation) -> None:
    outcome = while_a_block_commits(backer, founder, lambda: say(founder, talk))
    assert isinstance(outcome, NotFound)
    assert not Message.objects.exists()


@live
def test_a_look_at_the_blocks_comes_too_early_twin(
    founder: User, backer: User, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement waits for the row, and goes on with what it saw of other tables before: a message gets through."""
    look = "NOT EXISTS (SELECT 1 FROM accounts_hidden_from(%(sender)s))"
    assert "NOT conversation.is_blocked" in messages.WRITE
    monkeypatch.setattr(messages, "WRITE", messages.WRITE.replace("NOT conversation.is_blocked", look))
    while_a_block_commits(backer, founder, lambda: say(founder, talk))
    assert Conversation.objects.get().is_blocked and Message.objects.exists()


def begin(founder: User, backer: User) -> Any:
    return conversations.open_direct(starter=founder, participants=[backer.pk], now=timezone.now())


@live
def test_a_conversation_does_not_begin_behind_a_block(founder: User, backer: User) -> None:
    assert isinstance(while_a_block_commits(backer, founder, lambda: begin(founder, backer)), PersonNotFound)
    assert not Conversation.objects.exists()


@live
def test_without_the_lock_a_conversation_begins_behind_a_block_twin(
    founder: User, backer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "lock_people", lambda *ids: User.objects.in_bulk(ids))
    while_a_block_commits(backer, founder, lambda: begin(founder, backer))
    assert not Conversation.objects.get().is_blocked


def test_a_group_of_two_is_no_pair(api: Api, founder: User, backer: User) -> None:
    both = group(founder, backer)
    block(founder, backer)
    assert listed(api, founder) == [str(both.pk)]
