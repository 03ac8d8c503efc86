"""Talking over real sockets: frames, order, resuming, and what happens when a part is away (docs/realtime.md)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from accounts.testing import sign_in
from chat.models import Conversation, Member, Message
from chat.streams import KEPT
from chat.tests.factories import direct, group, say, url
from core.realtime.frames import Frame
from core.realtime.publishing import publish
from core.realtime.sockets import MESSAGES
from core.redis import client
from core.testing import Api, eventually, together
from core.testing.sockets import Device, Server, dial

pytestmark = pytest.mark.django_db(transaction=True)


class Bulk(Frame, tag="test.bulk"):
    number: int
    padding: str


def seqs(frames: Any) -> list[Any]:
    return [frame["message"]["seq"] for frame in frames]


@pytest.fixture
def open_socket(socket_server: Server) -> Iterator[Callable[..., Any]]:
    """Opens sockets of people, signed in and ready, and closes them at the end."""
    opened = []

    def open(person: User, url: str | None = None) -> Device:
        one = dial(url or socket_server.url, sign_in(person))
        device = one.__enter__()
        opened.append(one)
        device.expect("ready")
        return device

    yield open
    for one in opened:
        one.__exit__(None, None, None)


def test_both_talk_and_hear_each_other(
    open_socket: Callable[..., Any], api: Api, founder: User, backer: User, stranger: User, talk: Conversation
) -> None:
    phone, other, outside = open_socket(founder), open_socket(backer), open_socket(stranger)
    ack = phone.ask("chat.send", conversationId=str(talk.pk), clientId=str(uuid4()), content="Hello")
    heard = other.expect("chat.message")["message"]
    assert ack["message"] == heard == phone.expect("chat.message")["message"]
    assert heard == api.as_user(backer).get(url(talk, "/messages")).json()["items"][0]
    assert api.as_user(backer).post(url(talk, "/messages"), {"content": "Hi"}).status_code == 201
    assert (phone.expect("chat.message")["message"]["content"], heard["seq"]) == ("Hi", 1)
    assert outside.silent("chat.message")


def test_read_marks_and_typing_reach_the_others(
    open_socket: Callable[..., Any], founder: User, backer: User, talk: Conversation
) -> None:
    say(backer, talk)
    phone, other = open_socket(founder), open_socket(backer)
    assert phone.ask("chat.read", conversationId=str(talk.pk), seq=5)["seq"] == 1
    mark = {"type": "chat.read", "conversationId": str(talk.pk), "userId": str(founder.pk), "seq": 1}
    assert other.expect("chat.read") == mark
    assert phone.ask("chat.typing", conversationId=str(talk.pk), isTyping=True)["type"] == "ack"
    typing = {"type": "chat.typing", "conversationId": str(talk.pk), "userId": str(founder.pk), "isTyping": True}
    assert other.expect("chat.typing") == typing
    assert phone.silent("chat.typing")


def test_client_id_is_one_message_over_socket_and_rest(
    open_socket: Callable[..., Any], api: Api, founder: User, backer: User, talk: Conversation
) -> None:
    phone, other, mark = open_socket(founder), open_socket(backer), str(uuid4())
    body = {"content": "Hello", "clientId": mark}
    first = phone.ask("chat.send", conversationId=str(talk.pk), **body)["message"]
    again = api.as_user(founder).post(url(talk, "/messages"), body)
    assert (again.status_code, again.json()) == (200, first)
    assert phone.ask("chat.send", conversationId=str(talk.pk), **body)["message"] == first
    assert other.expect("chat.message")["message"] == first
    assert other.silent("chat.message")


def test_refusals_carry_the_codes_of_the_api(
    open_socket: Callable[..., Any], founder: User, stranger: User, person: Callable[..., User], talk: Conversation
) -> None:
    phone, outside = open_socket(founder), open_socket(stranger)
    newcomer = person("newcomer", verified=False)
    also = direct(founder, newcomer)

    def code(device: Device, type: Any, **members: Any) -> Any:
        frame = device.ask(type, **members)
        assert frame["type"] == "error"
        return frame["code"]

    hello = {"conversationId": str(talk.pk), "clientId": str(uuid4()), "content": "Hello"}
    assert code(outside, "chat.send", **hello) == "not_found"
    assert code(outside, "chat.read", conversationId=str(talk.pk), seq=1) == "not_found"
    assert code(outside, "chat.typing", conversationId=str(talk.pk), isTyping=True) == "not_found"
    assert code(phone, "chat.send", **{**hello, "content": "x" * 8001}) == "invalid_input"
    assert code(phone, "chat.send", **{**hello, "conversationId": "x"}) == "invalid_input"
    assert code(phone, "chat.send", **{**hello, "replyToId": str(uuid4())}) == "reply_not_here"
    unverified = open_socket(newcomer)
    assert code(unverified, "chat.send", **{**hello, "conversationId": str(also.pk)}) == "email_not_verified"
    assert unverified.ask("chat.read", conversationId=str(also.pk), seq=0)["type"] == "ack"
    assert Message.objects.count() == 0


def test_a_role_or_membership_lost_counts_at_once(
    open_socket: Callable[..., Any], founder: User, backer: User, talk: Conversation
) -> None:
    phone, other = open_socket(founder), open_socket(backer)
    Member.objects.filter(conversation=talk, user=backer).delete()
    hello = {"conversationId": str(talk.pk), "clientId": str(uuid4()), "content": "Hello"}
    assert other.ask("chat.send", **hello)["code"] == "not_found"
    phone.ask("chat.send", **hello)
    assert other.silent("chat.message")


# --- Resuming ---------------------------------------------------------------------------------------------------------


def test_resume_brings_what_is_lacking_once_and_in_order(
    open_socket: Callable[..., Any], founder: User, backer: User, talk: Conversation
) -> None:
    for _ in range(5):
        say(backer, talk)
    phone = open_socket(founder)
    assert phone.ask("resume", conversations={str(talk.pk): 2})["type"] == "ack"
    assert seqs(phone.all("chat.message", 3)) == [3, 4, 5]
    say(backer, talk)
    assert seqs([phone.expect("chat.message")]) == [6]
    assert phone.silent("chat.message")
    assert phone.ask("resume", conversations={str(talk.pk): 6})["type"] == "ack"
    assert phone.silent("chat.message")


def test_drops_under_fire_lose_and_repeat_nothing(
    socket_server: Server, founder: User, backer: User, talk: Conversation
) -> None:
    """The connection breaks again and again while somebody writes; the client keeps every frame it gets."""
    token, total = sign_in(founder), 60

    def write() -> None:
        for number in range(total):
            say(backer, talk, str(number))

    def listen() -> list[int]:
        got = [0]
        while got[-1] < total:
            with dial(socket_server.url, token) as phone:
                phone.expect("ready")
                phone.send("resume", conversations={str(talk.pk): got[-1]})
                lacking, begun = min(7, total - got[-1]), False
                while lacking:
                    seq = phone.expect("chat.message")["message"]["seq"]
                    begun = begun or seq == got[-1] + 1
                    if (
                        begun
                    ):  # before, it is live and came while the `resume` was still on its way, which brings it too
                        got.append(seq)
                        lacking -= 1
                phone.connection.socket.close()  # no goodbye
        return got

    assert together(listen, write) == [list(range(total + 1)), None]


def test_resume_says_when_too_much_is_lacking_or_it_is_not_theirs(
    open_socket: Callable[..., Any], founder: User, backer: User, stranger: User, talk: Conversation
) -> None:
    elsewhere = direct(backer, stranger)
    Message.objects.bulk_create(
        Message(conversation=talk, seq=seq, sender=backer, content=str(seq)) for seq in range(1, KEPT + 2)
    )
    talk.last_seq = KEPT + 1
    talk.save(update_fields=["last_seq"])
    phone = open_socket(founder)
    unknown = str(uuid4())
    phone.ask("resume", conversations={str(talk.pk): 0, str(elsewhere.pk): 0, unknown: 3})
    assert phone.expect("resync_required")["conversationId"] == str(talk.pk)
    revoked = {frame["conversationId"] for frame in phone.all("access_revoked", 2)}
    assert revoked == {str(elsewhere.pk), unknown}
    assert phone.silent("chat.message")
    phone.ask("resume", conversations={str(talk.pk): 1})
    assert seqs(phone.all("chat.message", KEPT)) == list(range(2, KEPT + 2))
    phone.ask("resume", conversations={str(talk.pk): KEPT + 7})
    assert phone.expect("resync_required")["conversationId"] == str(talk.pk)


def test_resume_does_not_bring_back_what_one_deleted(
    open_socket: Callable[..., Any], api: Api, founder: User, backer: User, talk: Conversation
) -> None:
    say(backer, talk, "before")
    api.as_user(founder).delete(url(talk))
    say(backer, talk, "after")
    phone = open_socket(founder)
    phone.ask("resume", conversations={str(talk.pk): 0})
    assert phone.expect("chat.message")["message"]["content"] == "after"


@pytest.mark.parametrize("positions", [{"x": 1}, {str(uuid4()): -1}, {str(uuid4()): "a"}, [], "all"])
def test_malformed_positions_are_refused(open_socket: Callable[..., Any], founder: User, positions: Any) -> None:
    assert open_socket(founder).ask("resume", conversations=positions)["code"] == "invalid_input"


# --- Many -------------------------------------------------------------------------------------------------------------


def test_many_writers_make_one_gapless_sequence_everywhere(
    open_socket: Callable[..., Any], person: Callable[..., User], api: Api
) -> None:
    """Four people write at once, by socket and REST, to two processes; each device hears 1..n in order."""
    people = [person("writer") for _ in range(4)]
    circle, second = group(*people), Server()
    try:
        devices = [open_socket(one, second.url if place % 2 else None) for place, one in enumerate(people)]
        each = 12

        def write(place: int) -> None:
            for number in range(each):
                if number % 3:
                    devices[place].send("chat.send", conversationId=str(circle.pk), content="x", clientId=str(uuid4()))
                else:
                    say(people[place], circle)

        assert together(*(partial(write, place) for place in range(4))) == [None] * 4
        for device in devices:
            assert seqs(device.all("chat.message", 4 * each)) == list(range(1, 4 * each + 1))
    finally:
        second.end()


def test_idle_socket_stays_and_still_hears(
    open_socket: Callable[..., Any], founder: User, backer: User, talk: Conversation
) -> None:
    """Until the server has fallen silent for so long that it asks Redis for a sign of life, and beyond."""

    def all_have_asked() -> bool:
        return {row["cmd"] for row in client().client_list(_type="pubsub")} == {"ping"}

    server = Server()
    try:
        phone = open_socket(founder, server.url)
        assert not all_have_asked()
        eventually(all_have_asked)
        say(backer, talk)
        assert phone.expect("chat.message")["message"]["seq"] == 1
    finally:
        server.end()


def test_flooding_with_messages_closes_4029(open_socket: Callable[..., Any], founder: User, talk: Conversation) -> None:
    phone = open_socket(founder)
    phone.flood(MESSAGES.most * 4, "chat.send", conversationId=str(talk.pk), content="spam")
    assert phone.close_code() == 4029
    assert MESSAGES.most <= Message.objects.count() < MESSAGES.most * 3  # the window slides while it fills


def test_slow_reader_is_dropped_and_delays_nobody(
    socket_server: Server, open_socket: Callable[..., Any], founder: User, backer: User, talk: Conversation
) -> None:
    slow = open_socket(founder)
    slow.connection.recv_messages.pause()  # the client's library stops taking frames off the connection
    quick = open_socket(backer)
    padding = "x" * 60_000
    for number in range(250):
        publish(users=[founder.pk, backer.pk], frame=Bulk(number=number, padding=padding))
        assert quick.expect("test.bulk")["number"] == number
    slow.connection.recv_messages.resume()
    assert slow.close_code() == 4008
    assert len(slow.frames) < 250
    assert quick.ask("ping")["type"] == "pong"


def test_a_push_that_was_overtaken_at_the_beginning_comes_first(
    open_socket: Callable[..., Any], founder: User, backer: User, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers commit one after the other and publish the other way round; the server knows nothing of the talk."""
    pushes = []
    monkeypatch.setattr("chat.services.messages.publish", lambda **push: pushes.append(push))
    server = Server()
    try:
        phone = open_socket(founder, server.url)
        say(backer, talk)
        say(backer, talk)
        assert [push["seq"] for push in pushes] == [1, 2]
        for push in reversed(pushes):
            publish(**push)
        assert seqs(phone.all("chat.message", 2)) == [1, 2]
        assert phone.silent("chat.message")
    finally:
        server.end()
