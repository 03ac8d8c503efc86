"""The AsyncAPI 3 document of `/ws/`, made from the same table that routes its frames."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from core.api import schemas
from core.api.openapi import OutputField
from core.api.outputs import Output
from core.api.serializers import Serializer, is_optional
from core.realtime import sockets


class Auth(sockets.AuthInput):
    """First frame of a socket opened without the `bearer.<token>` subprotocol, within 10 seconds."""


class Ping(Serializer):
    """Ask for a sign of life, every `heartbeatSeconds`; answered by `pong`."""


class Pong(Serializer):
    """Answers `ping`, with its `ref`."""


class Ready(Serializer):
    """The socket is signed in and hears everything from now on."""

    user_id = serializers.UUIDField()
    session_id = serializers.UUIDField()
    heartbeat_seconds = serializers.IntegerField()


class FieldError(Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class Error(Serializer):
    """A frame was refused; the codes are those of the API (/api/docs/errors)."""

    code = serializers.CharField()
    detail = serializers.CharField()
    errors = FieldError(many=True, required=False)  # type: ignore[assignment]


REF = {
    "type": ["string", "integer"],
    "maxLength": 64,
    "minimum": -sockets.LARGEST_REF,
    "maximum": sockets.LARGEST_REF,
    "description": "The client's own mark; the `ack`, `pong` or `error` carries it back.",
}


def document() -> dict[str, Any]:
    """What `/api/asyncapi` answers."""
    resume = (sockets.resume_input(), "Bring what was missed behind these positions, in order, then go on live.")
    said = {
        "auth": _summed_up(Auth),
        "ping": _summed_up(Ping),
        "resume": resume,
        **{command.name: (command.input, command.summary) for command in sockets.commands()},
    }
    own: dict[str, sockets.Frame] = {"ready": Ready, "pong": Pong, "error": Error}
    heard = {name: _summed_up(frame) for name, frame in {**own, **sockets.announced()}.items()}
    messages = {
        **{name: _message(name, frame, summary, ref=True, said=True) for name, (frame, summary) in said.items()},
        **{
            _heard_key(name): _message(name, frame, summary, ref=name in ("pong", "error"))
            for name, (frame, summary) in heard.items()
        },
        "ack": _ack(),
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
            "say": _operation("receive", "What clients send.", list(said)),
            "hear": _operation("send", "What the server sends.", ["ack", *map(_heard_key, heard)]),
        },
        "components": {
            "schemas": _components([*heard.values(), *said.values()]),
            "messages": messages,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _heard_key(name: str) -> str:
    """`chat.read` is both said and heard; the document's names are unique."""
    return f"{name}.heard" if name in {command.name for command in sockets.commands()} else name


def _operation(action: str, summary: str, keys: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{key}"} for key in keys],
    }


def _message(name: str, frame: Any, summary: str, *, ref: bool, said: bool = False) -> dict[str, Any]:
    schema = _schema(frame, said=said)
    mark = {**REF, "type": ["string", "integer", "null"]} if said else REF
    schema["properties"] = {"type": {"const": name}, **({"ref": mark} if ref else {}), **schema["properties"]}
    schema["required"] = ["type", *schema["required"]]
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": schema}


def _ack() -> dict[str, Any]:
    """The answer to a frame with `ref`: more members follow, by what was asked."""
    answers = {command.name: command.answer for command in sockets.commands() if command.answer}
    plain = {"type": "object", "properties": {"type": {"const": "ack"}, "ref": REF}, "required": ["type", "ref"]}
    return {
        "name": "ack",
        "summary": "A frame with `ref` was done. " + " ".join(f"`{name}` adds members." for name in answers),
        "contentType": "application/json",
        "payload": {
            "allOf": [plain],
            "anyOf": [
                *({"title": name, **_schema(answer)} for name, answer in answers.items()),
                {"type": "object"},
            ],
        },
    }


def _components(frames: list[tuple[Any, str]]) -> dict[str, Any]:
    """Every output that a frame or its answer has inside."""
    answers = [command.answer for command in sockets.commands() if command.answer]
    found: dict[str, Any] = {}
    for frame in [*(frame for frame, _ in frames), *answers]:
        for shape in _outputs_in(frame):
            found |= schemas.components(shape)
    return found


def _outputs_in(frame: Any) -> list[Any]:
    if isinstance(frame, type) and issubclass(frame, Output):
        return [frame]
    found: list[Any] = []
    for field in (frame() if isinstance(frame, type) else frame).fields.values():
        inner = getattr(field, "child", field)
        if isinstance(inner, OutputField):
            found.append(inner.shape)
        elif isinstance(inner, serializers.Serializer):
            found += _outputs_in(inner)
    return found


def _summed_up(frame: Any) -> tuple[Any, str]:
    return frame, (frame.__doc__ or "").strip().split("\n")[0]


_TYPES: list[tuple[type[serializers.Field], dict[str, Any]]] = [
    (serializers.UUIDField, {"type": "string", "format": "uuid"}),
    (serializers.DateTimeField, {"type": "string", "format": "date-time"}),
    (serializers.URLField, {"type": "string", "format": "uri"}),
    (serializers.BooleanField, {"type": "boolean"}),
    (serializers.IntegerField, {"type": "integer"}),
    (serializers.ChoiceField, {"type": "string"}),
    (serializers.CharField, {"type": "string"}),
]


def _schema(field: Any, *, said: bool = False) -> dict[str, Any]:
    """
    JSON Schema of a field or serializer, as far as our frames go.

    :param said: by clients, who may write null for what they leave out
    """
    if isinstance(field, type) and issubclass(field, Output):
        return dict(schemas.components(field)[schemas.name_of(field)])
    if isinstance(field, type):
        field = field()
    schema: dict[str, Any]
    match field:
        case OutputField():
            schema = dict(schemas.schema(field.shape))
        case serializers.ListSerializer() | serializers.ListField():
            schema = {"type": "array", "items": _schema(field.child, said=said)}
        case serializers.Serializer():
            members = field.fields
            schema = {
                "type": "object",
                "properties": {name: _schema(member, said=said) for name, member in members.items()},
                "required": [name for name, member in members.items() if member.required or member.read_only],
            }
        case serializers.DictField():
            inner = _schema(field.child) if field.child.__class__ is not serializers.Field else {}
            schema = {"type": "object", "additionalProperties": inner or True}
        case _:
            schema = dict(next((schema for kind, schema in _TYPES if isinstance(field, kind)), {}))
    if choices := getattr(field, "choices", None):
        schema["enum"] = list(choices)
    for ours, theirs in (("max_length", "maxLength"), ("min_value", "minimum"), ("max_value", "maximum")):
        if (bound := getattr(field, ours, None)) is not None and schema.get("type") != "array":
            schema[theirs] = bound
    if field.help_text:
        schema["description"] = str(field.help_text)
    if (field.allow_null or said and is_optional(field)) and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema
