"""
The AsyncAPI 3 document of `/ws/`.

What the server sends are frames (`core.realtime.frames`), described as answers are; what clients send are commands,
described from the serializers that check them.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from rest_framework import serializers

from core.api import schemas
from core.api.serializers import Serializer, is_optional
from core.realtime import sockets
from core.realtime.frames import Ack, Frame, Pong


class Auth(sockets.AuthInput):
    """First frame of a socket opened without the `bearer.<token>` subprotocol, within 10 seconds."""


class Ping(Serializer):
    """Keep the connection alive, every `heartbeatSeconds`; answered by `pong`."""


RESUME = "Bring what was missed behind these positions, in order, then go on live."
REF = {
    "type": ["string", "integer", "null"],
    "maxLength": 64,
    "minimum": -sockets.LARGEST_REF,
    "maximum": sockets.LARGEST_REF,
    "description": "The client's own mark; the `ack`, `pong` or `error` carries it back.",
}
SERVER, CLIENT = "server", "client"
"""Who sends a message: the names of messages begin with it, since `chat.read` is sent by both."""


def document() -> dict[str, Any]:
    """What `/api/asyncapi` answers."""
    commands: dict[str, tuple[type[Serializer], str, type[Frame]]] = {
        "auth": (Auth, summary_of(Auth), Ack),
        "ping": (Ping, summary_of(Ping), Pong),
        "resume": (sockets.resume_input(), RESUME, Ack),
        **{command.name: (command.input, command.summary, command.answer) for command in sockets.commands()},
    }
    frames = [*sockets.announced(), *{answer: None for _, _, answer in commands.values() if issubclass(answer, Ack)}]
    messages = {
        **{f"{CLIENT}.{name}": _command(name, input, text) for name, (input, text, _) in commands.items()},
        **{message_key(frame): _frame(frame) for frame in frames},
    }
    scheme, _, host = settings.PUBLIC_URL.partition("://")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "VECTRAGrow realtime",
            "version": settings.SPECTACULAR_SETTINGS["VERSION"],
            "description": "One socket per device for chat and notifications. Frames are JSON text, at most 64 KiB. "
            "Close codes: 4001 not (any more) authenticated, 4003 origin, 4008 too slow (reconnect and resume), "
            "4029 flooding, too many sockets or too many bad tokens, 1009 frame too large, 1012 the server restarts.",
        },
        "servers": {
            "public": {
                "host": host,
                "protocol": "wss" if scheme == "https" else "ws",
                "security": [{"$ref": "#/components/securitySchemes/bearer"}],
            }
        },
        "channels": {
            "socket": {
                "address": "/ws/",
                "description": "Subprotocols `vectragrow.v1` and `bearer.<access token>`, or a first frame `auth`.",
                "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
            }
        },
        "operations": {
            **{
                name: {
                    **_operation("receive", text, [f"{CLIENT}.{name}"]),
                    "reply": {"channel": _CHANNEL, "messages": _refs([message_key(answer), "server.error"])},
                }
                for name, (_, text, answer) in commands.items()
            },
            "hear": _operation("send", "What the server sends.", [message_key(frame) for frame in frames]),
        },
        "components": {
            "schemas": {name: schema for frame in frames for name, schema in schemas.components(frame).items()},
            "messages": messages,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def message_key(frame: type[Frame]) -> str:
    """The name of a frame's message: `server.chat.read`; `server.ack.MessageAck` for an ack with members."""
    name = f"{SERVER}.{type_of(frame)}"
    return f"{name}.{frame.__name__}" if issubclass(frame, Ack) and frame is not Ack else name


def type_of(frame: type[Frame]) -> str:
    return str(frame.__struct_config__.tag)


def summary_of(described: type) -> str:
    return (described.__doc__ or "").strip().split("\n")[0]


_CHANNEL = {"$ref": "#/channels/socket"}


def _operation(action: str, summary: str, keys: Iterable[str]) -> dict[str, Any]:
    return {"action": action, "summary": summary, "channel": _CHANNEL, "messages": _refs(keys)}


def _refs(keys: Iterable[str]) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/socket/messages/{key}"} for key in keys]


def _frame(frame: type[Frame]) -> dict[str, Any]:
    payload = schemas.schema(frame)
    if issubclass(frame, Ack):  # it answers a frame that had one
        payload = {"allOf": [payload, {"required": ["ref"]}]}
    return _message(type_of(frame), summary_of(frame), payload)


def _command(name: str, input: type[Serializer], summary: str) -> dict[str, Any]:
    schema = _schema(input())
    schema["properties"] = {"type": {"const": name}, "ref": REF, **schema["properties"]}
    schema["required"] = ["type", *schema["required"]]
    return _message(name, summary, schema)


def _message(name: str, summary: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": payload}


_TYPES: list[tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]] = [
    (serializers.UUIDField, {"type": "string", "format": "uuid"}),
    (serializers.BooleanField, {"type": "boolean"}),
    (serializers.IntegerField, {"type": "integer"}),
    (serializers.CharField, {"type": "string"}),
]


def _schema(field: Any) -> dict[str, Any]:
    """JSON Schema of what clients send, as far as our commands go; null stands for what is left out."""
    schema: dict[str, Any]
    match field:
        case serializers.Serializer():
            members = field.fields
            schema = {
                "type": "object",
                "properties": {name: _schema(member) for name, member in members.items()},
                "required": [name for name, member in members.items() if member.required],
            }
        case serializers.DictField():
            schema = {"type": "object", "additionalProperties": _schema(field.child)}
        case _:
            schema = dict(next(schema for kind, schema in _TYPES if isinstance(field, kind)))
    for ours, theirs in (("max_length", "maxLength"), ("min_value", "minimum"), ("max_value", "maximum")):
        if (bound := getattr(field, ours, None)) is not None:
            schema[theirs] = bound
    if field.help_text:
        schema["description"] = str(field.help_text)
    if field.allow_null or is_optional(field):
        schema["type"] = [schema["type"], "null"]
    return schema
