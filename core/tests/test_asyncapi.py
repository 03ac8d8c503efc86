"""/api/asyncapi says what the socket's tables say, and the tests' client compares every frame with it."""

from typing import Any

import pytest

from accounts.testing import make_person, sign_in
from core.realtime import sockets
from core.realtime.asyncapi import message_key, type_of
from core.realtime.frames import Ack, Frame
from core.realtime.publishing import publish
from core.testing import Api
from core.testing.sockets import Server, dial


class Undeclared(Frame, tag="undeclared"):
    """Published without being announced."""


class Misdescribed(Frame, tag="chat.typing"):
    """A type that is announced, with other members."""

    seconds: int


def test_document_names_every_frame(api: Api) -> None:
    answer = api.get("/api/asyncapi")
    assert answer.status_code == 200
    document = answer.json()
    assert document["asyncapi"].startswith("3.")
    messages = document["components"]["messages"]
    commands: dict[str, type[Ack] | None] = {
        "auth": Ack,
        "ping": None,
        "resume": Ack,
        **{row.name: row.answer for row in sockets.commands()},
    }
    acks = {answer for answer in commands.values() if answer}
    heard = {message_key(frame) for frame in [*sockets.announced(), *acks]}
    assert set(messages) == {f"client.{name}" for name in commands} | heard
    assert {"ready", "pong", "error", "chat.message", "notification"} <= {type_of(row) for row in sockets.announced()}
    assert set(document["channels"]["socket"]["messages"]) == set(messages)

    def listed(operation: Any) -> set[Any]:
        return {one["$ref"].rpartition("/")[2] for one in operation["messages"]}

    operations = document["operations"]
    assert listed(operations.pop("hear")) == heard
    assert {name: listed(operation) for name, operation in operations.items()} == {
        name: {f"client.{name}"} for name in commands
    }
    assert listed(operations["chat.send"]["reply"]) == {"server.ack.MessageAck", "server.error"}


def test_frames_show_their_members(api: Api) -> None:
    components = api.get("/api/asyncapi").json()["components"]
    messages, schemas = components["messages"], components["schemas"]
    sent = messages["client.chat.send"]["payload"]
    assert sent["properties"]["type"] == {"const": "chat.send"}
    assert sent["properties"]["content"]["maxLength"] == 8000
    assert set(sent["required"]) == {"type", "conversationId", "content"}
    assert messages["server.chat.message"]["payload"] == {"$ref": "#/components/schemas/MessageFrame"}
    heard = schemas["MessageFrame"]
    assert heard["properties"]["type"] == {"const": "chat.message"}
    assert heard["properties"]["message"] == {"$ref": "#/components/schemas/MessageOutput"}
    sender = schemas["MessageOutput"]["properties"]["sender"]
    assert sender == {"oneOf": [{"$ref": "#/components/schemas/UserCard"}, {"type": "null"}]}
    assert schemas["UserCard"]["properties"]["firstName"] == {"type": "string"}
    assert all(message["summary"] for message in messages.values())


def test_a_message_has_one_shape_in_both_documents(api: Api) -> None:
    over_rest = api.get("/api/schema?format=json").json()["components"]["schemas"]
    over_socket = api.get("/api/asyncapi").json()["components"]["schemas"]
    assert over_socket["MessageOutput"] == over_rest["MessageOutput"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("frame", [Undeclared(), Misdescribed(seconds=1)], ids=lambda frame: type(frame).__name__)
def test_a_frame_that_is_not_as_announced_fails_the_test_that_hears_it(socket_server: Server, frame: Frame) -> None:
    person = make_person()
    with dial(socket_server.url, sign_in(person)) as phone:
        phone.expect("ready")
        publish(users=[person.pk], frame=frame)
        with pytest.raises(AssertionError, match="/api/asyncapi"):
            phone.ask("ping")


@pytest.mark.django_db(transaction=True)
def test_a_command_that_is_taken_though_undocumented_fails_the_test(
    socket_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.testing.frames.asyncapi.CLIENT", "nobody")
    with dial(socket_server.url, sign_in(make_person())) as phone:
        phone.expect("ready")
        with pytest.raises(AssertionError, match="the server took a ping"):
            phone.ask("ping")


def test_only_get_is_answered(api: Api) -> None:
    assert api.post("/api/asyncapi").status_code == 405
