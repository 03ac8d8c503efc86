"""
Whether a frame is what the AsyncAPI document says. `core.testing.sockets.Device` asks it about every frame it gets, and
about every one it sends that the server takes.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from django.utils import translation
from jsonschema import Draft202012Validator

from core.realtime import asyncapi, frames, sockets
from core.testing.documents import _FORMATS

OF_TESTS = "test."
"""Begins the types of frames that tests publish."""


def check_received(frame: dict[str, Any], answers: str | None) -> None:
    """
    :param answers: the type of the client's frame that an ack or pong answers
    :raises AssertionError: the document does not say that the server sends this
    """
    if not frame["type"].startswith(OF_TESTS):
        _check(_key_of(frame, answers), frame, "the server sent")


def check_sent(frame: dict[str, Any]) -> None:
    """:raises AssertionError: the document does not say that clients may send this, and the server took it"""
    _check(f"{asyncapi.CLIENT}.{frame['type']}", frame, "the server took")


def _check(key: str, frame: dict[str, Any], happened: str) -> None:
    assert key in _messages(), f"{happened} a {frame['type']} that /api/asyncapi does not have: {frame}"
    wrong = [f"{error.json_path}: {error.message}" for error in _validator(key).iter_errors(frame)]
    assert not wrong, f"{happened} a {frame['type']} that /api/asyncapi describes differently: {wrong[:5]}"


def _key_of(frame: dict[str, Any], answers: str | None) -> str:
    """The message of a frame; of an ack, the one of what it answers."""
    if frame["type"] == "ack":
        answer = {command.name: command.answer for command in sockets.commands()}.get(answers or "", frames.Ack)
        return asyncapi.message_key(answer)
    return f"{asyncapi.SERVER}.{frame['type']}"


@cache
def _document() -> dict[str, Any]:
    """Made once per process, closed: a member that the document does not name is wrong too."""
    with translation.override("en"):
        document = deepcopy(asyncapi.document())
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return document


def _messages() -> dict[str, Any]:
    messages: dict[str, Any] = _document()["components"]["messages"]
    return messages


@cache
def _validator(key: str) -> Draft202012Validator:
    components = {"schemas": _document()["components"]["schemas"]}
    return Draft202012Validator({**_messages()[key]["payload"], "components": components}, format_checker=_FORMATS)
