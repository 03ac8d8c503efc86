"""What is sent as absent is absent: null members, blank query parameters, file inputs without a file (API.md)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT
from rest_framework.fields import CharField, FileField, IntegerField, ListField

from accounts.models import User
from core import clock
from core.api.serializers import Serializer
from core.realtime import sockets
from core.testing import Api
from core.testing.documents import document

ABSENT = "01900000-0000-7000-8000-000000000000"


def operations() -> list[tuple[str, str]]:
    return sorted((verb, path) for path, verbs in document()["paths"].items() for verb in verbs)


def with_bodies() -> list[tuple[str, str]]:
    return [(verb, path) for verb, path in operations() if body_of(verb, path) is not None]


def with_queries() -> list[tuple[str, str]]:
    return [(verb, path) for verb, path in operations() if query_names(verb, path)]


def query_names(verb: str, path: str) -> list[str]:
    parameters = document()["paths"][path][verb].get("parameters", [])
    return [row["name"] for row in parameters if row["in"] == "query" and not row.get("required")]


def body_of(verb: str, path: str) -> dict[str, Any] | None:
    content = document()["paths"][path][verb].get("requestBody", {}).get("content", {})
    return content["application/json"]["schema"] if "application/json" in content else None


def empty(schema: dict[str, Any], *, nulls: bool) -> dict[str, Any]:
    """A body without any member, but for required objects; with `nulls` its optional members are null."""
    if "$ref" in schema:
        return empty(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], nulls=nulls)
    body: dict[str, Any] = {}
    for name, inner in schema.get("properties", {}).items():
        if name not in schema.get("required", []):
            body |= {name: None} if nulls else {}
        elif "$ref" in inner or inner.get("type") == "object":
            body[name] = empty(inner, nulls=nulls)
    return body


def said(answer: Any) -> tuple[Any, ...]:
    """What two answers have to have in common: all but ids and moments."""
    problem = answer.json() if answer.status_code >= 400 else {}
    return answer.status_code, problem.get("code"), problem.get("errors"), set(answer.json())


@pytest.fixture
def callers(api: Api, person: Callable[..., User]) -> list[Any]:
    return [api.as_user(person(role, role=role, identity=True)) for role in ("user", "reviewer")]


def address(path: str) -> str:
    return re.sub(r"{\w+}", ABSENT, path)


@pytest.mark.parametrize(("verb", "path"), with_bodies())
def test_null_for_an_optional_member_is_as_good_as_leaving_it_out(verb: str, path: str, callers: list[Any]) -> None:
    schema = body_of(verb, path)
    assert schema is not None
    for caller in callers:
        left_out = getattr(caller, verb)(address(path), empty(schema, nulls=False))
        null = getattr(caller, verb)(address(path), empty(schema, nulls=True))
        assert said(left_out) == said(null), empty(schema, nulls=True)


@pytest.mark.parametrize(("verb", "path"), with_queries())
def test_a_blank_parameter_is_as_good_as_leaving_it_out(verb: str, path: str, callers: list[Any]) -> None:
    blank = "&".join(f"{name}=" for name in query_names(verb, path))
    for caller in callers:
        send = getattr(caller, verb)
        assert said(send(address(path))) == said(send(f"{address(path)}?{blank}")), blank


def optional(name: str, serializer: Serializer) -> list[tuple[str, str]]:
    return [(name, member) for member, field in serializer.fields.items() if not field.required]


@pytest.mark.parametrize(
    ("frame", "member"),
    [row for command in sockets.commands() for row in optional(command.name, command.input())]
    + optional("resume", sockets.resume_input()()),
)
def test_null_for_an_optional_member_of_a_frame_is_absent(frame: str, member: str) -> None:
    taken = {command.name: command.input for command in sockets.commands()} | {"resume": sockets.resume_input()}
    without, null = taken[frame](data={}), taken[frame](data={member: None})
    without.is_valid(), null.is_valid()
    assert null.errors == without.errors
    assert getattr(null, "_validated_data", None) == getattr(without, "_validated_data", None)


# --- The rule itself --------------------------------------------------------------------------------------------------


class Inner(Serializer):
    note = CharField(required=False)


class ThingInput(Serializer):
    title = CharField()
    count = IntegerField(required=False)
    limit_of = IntegerField(required=False, allow_null=True)
    bio = CharField(required=False, allow_blank=True)
    inner = Inner(required=False)
    media = ListField(child=FileField(), required=False)


def checked(body: Any, *, partial: bool = False) -> dict[str, Any]:
    serializer = ThingInput(data=body, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def test_null_is_absent_at_every_depth() -> None:
    assert checked({"title": "x", "count": None, "limitOf": None, "bio": None, "inner": None}) == {"title": "x"}
    assert checked({"title": "x", "inner": {"note": None}}) == {"title": "x", "inner": {}}


def test_when_a_part_is_changed_every_member_is_optional() -> None:
    assert checked({"title": None, "count": 1}, partial=True) == {"count": 1}


def test_empty_text_clears_what_can_be_cleared() -> None:
    assert checked({"title": "x", "limitOf": "", "bio": ""}) == {"title": "x", "limit_of": None, "bio": ""}


def test_null_for_a_required_member_is_refused() -> None:
    serializer = ThingInput(data={"title": None})
    assert not serializer.is_valid()
    assert serializer.errors["title"][0].code == "null"


# --- Over the wire ----------------------------------------------------------------------------------------------------


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A multipart body by hand: name, file name (None for a field) and content."""
    lines = b""
    for name, filename, content in parts:
        lines += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if filename is not None:
            lines += f'; filename="{filename}"\r\nContent-Type: application/octet-stream'.encode()
        lines += b"\r\n\r\n" + content + b"\r\n"
    return lines + f"--{BOUNDARY}--\r\n".encode()


def test_registering_with_null_for_the_phone_and_the_invitation(api: Api) -> None:
    body = {"email": "ada@example.com", "password": "a fine long phrase", "firstName": "Ada", "lastName": "L"}
    assert api.post("/api/auth/register", {**body, "phoneNumber": None, "inviteToken": None}).status_code == 201


def test_a_form_without_a_chosen_file(api: Api, person: Callable[..., User]) -> None:
    from campaigns.models import Category
    from uploads.testing import picture

    category = Category.objects.first()
    assert category is not None
    founder = api.as_user(person("founder", identity=True))
    ends_at = (clock.now() + timedelta(days=200)).isoformat()
    fields = {
        "title": "Solar roofs", "summary": "s", "description": "d", "category": category.slug,
        "goalAmount": "1000", "currency": "EUR", "endsAt": ends_at, "maxAmount": "",
    }  # fmt: skip
    texts = [(name, None, value.encode()) for name, value in fields.items()]
    for files, kept in (
        ([("media", "", b"")], 0),
        ([("media", "", b""), ("media", "a.png", picture().read())], 1),
    ):
        made = founder.client.generic("POST", "/api/campaigns", form(*texts, *files), content_type=MULTIPART_CONTENT)
        assert made.status_code == 201, made.content
        assert len(made.json()["media"]) == kept and made.json()["maxAmount"] is None
    missing = founder.client.generic(
        "POST", "/api/profile/photo", form(("photo", "", b"")), content_type=MULTIPART_CONTENT
    )
    assert [(row["field"], row["code"]) for row in missing.json()["errors"]] == [("photo", "required")]


def test_a_cursor_goes_on_with_and_without_blank_filters(api: Api, person: Callable[..., User]) -> None:
    ada = person("ada")
    me = api.as_user(ada)
    for _ in range(3):
        api.as_user(ada)
    cursor = me.get("/api/auth/sessions?limit=2&q=&status=").json()["nextCursor"]
    rest = me.get("/api/auth/sessions", {"limit": 2, "cursor": cursor, "page": "", "withTotal": ""})
    assert (rest.status_code, len(rest.json()["items"])) == (200, 2)


def test_null_beside_a_token_is_no_card_number(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("ada", identity=True))
    details = {"token": "tok_visa", "number": None, "cvv": None, "expiryMonth": None, "expiryYear": None}
    made = me.post("/api/investments/payment-methods", {"type": "card", "details": details})
    assert made.status_code == 201, made.content
