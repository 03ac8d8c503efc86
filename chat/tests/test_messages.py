"""Sending and reading messages over REST."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from chat.models import Conversation, Message
from chat.tests.factories import direct, say, url
from core.realtime.sockets import MESSAGES
from core.testing import Api
from uploads.testing import paper, picture


def send(api: Api, sender: User, conversation: Conversation, content: str = "Hello", **more: Any) -> Any:
    return api.as_user(sender).post(url(conversation, "/messages"), {"content": content, **more})


def test_message_is_sent_with_the_next_seq(api: Api, founder: User, backer: User, talk: Conversation) -> None:
    sent = send(api, founder, talk, "Hello")
    assert sent.status_code == 201
    body = sent.json()
    assert body == {
        "id": body["id"],
        "conversationId": str(talk.pk),
        "seq": 1,
        "sender": {
            "id": str(founder.pk),
            "firstName": "Founder",
            "lastName": founder.last_name,
            "profilePhoto": None,
            "badges": [],
        },
        "content": "Hello",
        "media": [],
        "replyTo": None,
        "clientId": None,
        "createdAt": body["createdAt"],
        "editedAt": None,
        "deletedAt": None,
        "hidden": False,
        "moderation": None,
    }
    assert send(api, backer, talk, "Hi").json()["seq"] == 2
    assert sent.headers["RateLimit-Limit"] == str(MESSAGES.most)


def test_content_is_kept_as_written(api: Api, founder: User, talk: Conversation) -> None:
    text = "  <b>bold</b> & \u202e mixed \n\n lines  "
    assert send(api, founder, talk, text).json()["content"] == text


def test_client_id_makes_one_message(api: Api, founder: User, backer: User, talk: Conversation) -> None:
    mark = str(uuid4())
    first, again = (send(api, founder, talk, "Hello", clientId=mark) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["clientId"] == mark
    assert send(api, backer, talk, "Mine", clientId=mark).status_code == 201
    assert Message.objects.count() == 2


def test_idempotency_key_makes_one_message(api: Api, founder: User, talk: Conversation) -> None:
    mine = api.as_user(founder)
    first, again = (mine.post(url(talk, "/messages"), {"content": "Hi"}, idempotency_key="k1") for _ in range(2))
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Message.objects.count() == 1


def test_reply_shows_what_it_answers(api: Api, founder: User, backer: User, stranger: User, talk: Conversation) -> None:
    asked = send(api, founder, talk, "Why? " * 100).json()
    reply = send(api, backer, talk, "Because.", replyToId=asked["id"]).json()
    assert reply["replyTo"] == {
        "id": asked["id"],
        "seq": 1,
        "sender": asked["sender"],
        "content": asked["content"][:200],
        "deletedAt": None,
        "hidden": False,
        "moderation": None,
    }
    elsewhere = say(founder, direct(founder, stranger))
    for wrong in (str(elsewhere.id), str(uuid4())):
        refused = send(api, backer, talk, "?", replyToId=wrong)
        assert (refused.status_code, refused.json()["code"]) == (400, "reply_not_here")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "empty_message"),
        ({"content": " \n "}, "empty_message"),
        ({"content": "x" * 8001}, "invalid_input"),
        ({"content": 5.5, "clientId": "five"}, "invalid_input"),
        ({"content": "x", "media": ["not a file"]}, "invalid_input"),
        ({"content": "x", "replyToId": "one"}, "invalid_input"),
    ],
)
def test_bad_messages_are_refused(api: Api, founder: User, talk: Conversation, body: dict[str, Any], code: str) -> None:
    mine = api.as_user(founder)
    refused = mine.post(url(talk, "/messages"), body)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert mine.post(url(talk, "/messages"), {"content": "x" * 8000}).status_code == 201


def test_pictures_come_with_links_that_open(api: Api, founder: User, backer: User, talk: Conversation) -> None:
    body = {"content": "Look", "media": [picture("PNG", size=(40, 30)), picture("JPEG", size=(20, 20))]}
    sent = api.as_user(founder).upload(url(talk, "/messages"), body)
    assert sent.status_code == 201
    first, second = api.as_user(backer).get(url(talk, "/messages")).json()["items"][0]["media"]
    assert (first["type"], first["width"], first["height"]) == ("image/png", 40, 30)
    assert second["type"] == "image/jpeg"
    opened = api.get("/" + first["url"].split("/", 3)[3])
    assert opened.status_code == 200
    assert opened.headers["Content-Type"] == "image/png"


def test_picture_alone_is_a_message_and_other_files_are_not(
    api: Api, founder: User, stranger: User, talk: Conversation
) -> None:
    mine = api.as_user(founder)
    assert mine.upload(url(talk, "/messages"), {"media": [picture("PNG", size=(8, 8))]}).status_code == 201
    assert mine.upload(url(talk, "/messages"), {"media": [paper()]}).status_code == 415
    six = mine.upload(url(talk, "/messages"), {"media": [picture("PNG", size=(8, 8)) for _ in range(6)]})
    assert six.status_code == 400
    theirs = api.as_user(stranger).upload(url(talk, "/messages"), {"media": [picture("PNG", size=(8, 8))]})
    assert theirs.status_code == 404
    assert Message.objects.count() == 1


def test_messages_are_read_newest_first_in_pages_and_windows(
    api: Api, founder: User, backer: User, talk: Conversation
) -> None:
    for number in range(1, 8):
        say(founder if number % 2 else backer, talk, str(number))
    mine = api.as_user(founder)

    def seqs(**query: Any) -> Any:
        page = mine.get(url(talk, "/messages"), query).json()
        return [one["seq"] for one in page["items"]], page

    assert seqs()[0] == [7, 6, 5, 4, 3, 2, 1]
    assert seqs()[1]["limit"] == 50
    assert seqs(page=2, limit=3)[0] == [4, 3, 2]
    assert seqs(beforeSeq=4)[0] == [3, 2, 1]
    assert seqs(afterSeq=4)[0] == [7, 6, 5]
    assert seqs(afterSeq=1, beforeSeq=4)[0] == [3, 2]
    _, page = seqs(limit=3)
    say(backer, talk, "8")
    assert seqs(limit=3, cursor=page["nextCursor"])[0] == [4, 3, 2]
    assert mine.get(url(talk, "/messages"), {"afterSeq": "x"}).status_code == 400
    assert mine.get(url(talk, "/messages"), {"limit": 101}).status_code == 400


def test_hundred_messages_a_minute_then_wait(
    api: Api, founder: User, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.views.MESSAGES", MESSAGES.__class__("test:messages", 3, MESSAGES.window))
    statuses = [send(api, founder, talk).status_code for _ in range(4)]
    assert statuses == [201, 201, 201, 429]
