"""/api/asyncapi says what the socket's table says."""

from core.realtime import sockets


def test_document_names_every_frame(api):
    answer = api.get("/api/asyncapi")
    assert answer.status_code == 200
    document = answer.json()
    assert document["asyncapi"].startswith("3.")
    messages = document["components"]["messages"]
    said = {"auth", "ping", "resume", *(command.name for command in sockets.commands())}
    heard = {"ready", "pong", "ack", "error", *sockets.announced()}
    assert {message["name"] for message in messages.values()} == said | heard
    assert set(document["channels"]["socket"]["messages"]) == set(messages)

    def listed(operation):
        references = [one["$ref"].rpartition("/")[2] for one in document["operations"][operation]["messages"]]
        return {messages[key]["name"] for key in references}

    assert (listed("say"), listed("hear")) == (said, heard)


def test_frames_show_their_members(api):
    components = api.get("/api/asyncapi").json()["components"]
    messages = components["messages"]
    sent = messages["chat.send"]["payload"]
    assert sent["properties"]["type"] == {"const": "chat.send"}
    assert sent["properties"]["content"]["maxLength"] == 8000
    assert set(sent["required"]) == {"type", "conversationId", "content"}
    heard = messages["chat.message"]["payload"]["properties"]["message"]
    assert heard["properties"]["sender"] == {"$ref": "#/components/schemas/UserCard"}
    assert components["schemas"]["UserCard"]["properties"]["firstName"] == {"type": "string"}
    assert heard["properties"]["replyTo"]["type"] == ["object", "null"]
    assert all(message["summary"] for message in messages.values())


def test_only_get_is_answered(api):
    assert api.post("/api/asyncapi").status_code == 405
