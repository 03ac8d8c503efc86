"""The OpenAPI 3.1 document: inputs are read by drf-spectacular, answers from `core.api.operations` and the outputs."""

from collections.abc import Iterable, Sequence
from copy import copy, deepcopy
from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import models
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core.api import errors, schemas
from core.api.card_numbers import RawCardDataRefused
from core.api.names import to_camel
from core.api.operations import Operation, operation_of
from core.api.outputs import DEEPEST, MAX_LIMIT, Problem
from core.api.serializers import CurrencyField, Serializer, is_optional, takes_files

JSON, FORM, PROBLEM = "application/json", "multipart/form-data", "application/problem+json"
FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
"""Bytes, in the words of OpenAPI 3.1 (`contentMediaType`) and in those that most generators of clients know."""

_generating = Lock()

_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="1–255 visible ASCII characters; the same key and body within 24 h get the same answer and one effect.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of what was read, a list of tags, or `*`. When it is stale nothing changes: 412.",
)
_HEADERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "Allow": ("Allow", {"type": "string"}, "The methods that this address answers."),
    "ETag": ("ETag", {"type": "string"}, "The version of what is answered, for `If-Match`."),
    "Location": ("Location", {"type": "string", "format": "uri-reference"}, "Where to go on."),
    "Idempotent-Replayed": (
        "IdempotentReplayed",
        {"type": "string", "enum": ["true"]},
        "Only on the stored answer to a repeated `Idempotency-Key`.",
    ),
    "RateLimit-Limit": ("RateLimitLimit", {"type": "integer", "minimum": 1}, "How often it may be done in the window."),
    "RateLimit-Remaining": ("RateLimitRemaining", {"type": "integer", "minimum": 0}, "How often it still may be done."),
    "RateLimit-Reset": ("RateLimitReset", {"type": "integer", "minimum": 0}, "Seconds until the window ends."),
    "Retry-After": ("RetryAfter", {"type": "integer", "minimum": 1}, "Seconds to wait before the next try."),
    "WWW-Authenticate": ("WWWAuthenticate", {"type": "string"}, "`Bearer`."),
    "X-Request-ID": (
        "XRequestID",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
        "The id of this request in our logs: the one that was sent, when it fits the pattern, else a new one.",
    ),
}
"""Header, its name among the components, its schema, what it says."""
_RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
ANY_OPERATION = (errors.Broken, errors.Busy, errors.DatabaseUnavailable, errors.Overloaded, errors.MethodNotAllowed)


def _page_parameters(default_limit: int) -> list[OpenApiParameter]:
    def number(most: int, default: int) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": most, "default": default}

    return [
        OpenApiParameter("page", number(DEEPEST, 1), description=f"`page` × `limit` may not pass {DEEPEST}."),
        OpenApiParameter("limit", number(MAX_LIMIT, default_limit), description="How many rows to answer at most."),
        OpenApiParameter(
            "cursor", OpenApiTypes.STR, description="`nextCursor` of the page before, in place of `page`."
        ),
        OpenApiParameter("withTotal", OpenApiTypes.BOOL, description="Also count the whole list."),
    ]


def _bodies(operation: Operation) -> Any:
    """What drf-spectacular takes for the request: a class for each media type, files in the form only."""
    request = operation.input
    if operation.partial:
        request = _partial_class(request)
    if not operation.multipart:
        return request
    form = _form_class(request)
    files = {name: field for name, field in request._declared_fields.items() if takes_files(field)}
    if any(field.required for field in files.values()):
        return {FORM: form}
    return {FORM: form, JSON: _without(request, tuple(files))}


def _like(base: type[Serializer], name: str, /, **attrs: Any) -> type[Serializer]:
    return type(name, (base,), {"__module__": __name__, "__doc__": base.__doc__, **attrs})


@cache
def _partial_class(base: type[Serializer]) -> type[Serializer]:
    def optional(field: Any) -> Any:
        copied = deepcopy(field)  # whose instances are made anew from the recorded arguments, as DRF does
        copied._kwargs["required"] = False
        return copied

    fields = {name: optional(field) for name, field in base._declared_fields.items()}
    return _like(base, base.__name__.removesuffix("Input") + "Edit", **fields)


@cache
def _form_class(base: type[Serializer]) -> type[Serializer]:
    return _like(base, base.__name__.removesuffix("Input") + "Form")


@cache
def _without(base: type[Serializer], names: tuple[str, ...]) -> type[Serializer]:
    return _like(base, base.__name__, **dict.fromkeys(names)) if names else base


class Schema(AutoSchema):
    """drf-spectacular's reader of inputs, plus what `@operation` says, our permissions, errors and headers."""

    view: Any
    in_query = False

    @property
    def operation(self) -> Operation:
        found = operation_of(self.view)
        if found is None:
            raise TypeError(f"{type(self.view).__name__}.{self.view.action} is not an @operation")
        return found

    def get_operation_id(self) -> str:
        return self.operation.id.format(view=type(self.view).__name__)

    def get_summary(self) -> str:
        return self.operation.summary.format(view=type(self.view).__name__)

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular calls it
        return self.operation.description

    def get_tags(self) -> list[str]:
        subject = self.path.removeprefix("/api").strip("/").split("/")[0]
        return [subject.upper() if len(subject) <= 3 else subject.capitalize()]

    def get_request_serializer(self) -> Any:
        return _bodies(self.operation)

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Never a bare array: a list is answered in its envelope, which the operation names."""
        return False

    def map_parsers(self) -> list[str]:
        return [] if self.method == "GET" else [JSON]

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        """
        A class without a docstring of its own has no description, rather than that of its base; empty text is no
        default.
        """
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        if isinstance(schema, dict) and type(serializer).__doc__ is None:
            schema.pop("description", None)
        for member in schema.get("properties", {}).values() if isinstance(schema, dict) else ():
            if member.get("default") == "":  # generated clients would demand the member
                del member["default"]
        return schema

    def get_override_parameters(self) -> list[Any]:
        operation = self.operation
        given: list[Any] = [*operation.parameters, *([operation.query] if operation.query else [])]
        if operation.is_page:
            given += _page_parameters(operation.default_limit)
        if self.method == "POST":
            given.append(_KEY)
        if errors.Stale in operation.refusals:
            given.append(_IF_MATCH)
        return given

    def _process_override_parameters(self, direction: str = "request") -> Any:
        self.in_query = True  # where absent is blank and not null
        try:
            return super()._process_override_parameters(direction)
        finally:
            self.in_query = False

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        if direction == "request" and not self.in_query and not field.read_only and is_optional(field):
            field = copy(field)
            field.allow_null = True  # null means absent (core.api.serializers)
        if isinstance(field, serializers.ChoiceField) and (named := self._named_choice(field)):
            meta = self._get_serializer_field_meta(field, direction)
            meta.pop("nullable", None)  # a word of OpenAPI 3.0
            return {"oneOf": [named, {"type": "null"}], **meta} if field.allow_null else {**named, **meta}
        if isinstance(field, serializers.FileField):
            meta = self._get_serializer_field_meta(field, direction)
            meta.pop("nullable", None)  # a form has no null; a part without a file is absent
            return {**FILE, **meta}
        return super()._map_serializer_field(field, direction, bypass_extensions)

    def _named_choice(self, field: serializers.ChoiceField) -> dict[str, Any] | None:
        """The component of an enum that a field takes; None for choices that are no enum's."""
        if isinstance(field, serializers.MultipleChoiceField):
            return None
        if isinstance(field, CurrencyField):
            schema = {"type": "string", "enum": list(settings.CURRENCIES), "description": "ISO 4217."}
            return self._component("Currency", schema).ref
        enum = _enums().get(tuple(field.choices))
        return self._with_components(enum) if enum else None

    def get_auth(self) -> list[dict[str, list[str]]]:
        named = [getattr(each, "schemes", ("bearer",)) for each in self.view.get_authenticators()]
        bearer: list[dict[str, list[str]]] = [{scheme: []} for schemes in named for scheme in schemes]
        if not self._is_open():
            return bearer
        return [{}, *bearer] if self.operation.may_sign_in else []

    def _permissions(self) -> list[Any]:
        return list(self.view.get_permissions())

    def _is_open(self) -> bool:
        return all(getattr(permission, "roles", ()) == ("anyone",) for permission in self._permissions())

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["security"] = self.get_auth()  # an empty list means open; a missing one, the default
        operation["x-roles"] = sorted(
            {role for permission in self._permissions() for role in getattr(permission, "roles", ())}
        )
        return operation

    # --- Answers ---

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        operation = self.operation
        described = {operation.status: "Done.", **operation.also}
        content = self._success_content(operation)
        answers = {
            str(status): {
                "description": "The browser goes on to `Location`." if 300 <= status < 400 else text,
                **({"content": content} if content else {}),
                "headers": header_refs(self._success_headers(status)),
            }
            for status, text in described.items()
        }
        by_status: dict[int, list[type[errors.Refusal]]] = {}
        for refusal in self._refusals():
            by_status.setdefault(refusal.status, []).append(refusal)
        for status, refusals in sorted(by_status.items()):
            answers[str(status)] = self._problem(status, refusals)
        return answers

    def _success_content(self, operation: Operation) -> dict[str, Any]:
        files = {kind: {"schema": FILE} for kind in operation.files}
        if operation.returns is None:
            return files
        return {JSON: {"schema": self._with_components(operation.returns)}, **files}

    def _with_components(self, shape: Any) -> dict[str, Any]:
        for name, schema in schemas.components(shape).items():
            self._component(name, schema)
        return schemas.schema(shape)

    def _component(self, name: str, schema: dict[str, Any]) -> ResolvedComponent:
        component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema)
        self.registry.register_on_missing(component)
        return component

    def _problem(self, status: int, refusals: Sequence[type[errors.Refusal]]) -> dict[str, Any]:
        codes = sorted({refusal.code for refusal in refusals})
        is_common = all(refusal.__module__ == errors.__name__ for refusal in refusals)
        if len(codes) == 1 or (is_common and len(codes) <= 3):  # what many operations have in common
            name = "Or".join(_pascal(code) for code in codes) + "Problem"
        else:
            name = f"{_pascal(self.get_operation_id())}Problem{status}"
        self._with_components(Problem)  # for the component of its rows, and for clients that handle all alike
        for refusal in refusals:
            for kind in refusal.members.values():
                self._with_components(kind)
        return {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {PROBLEM: {"schema": self._component(name, _problem_schema(codes, refusals)).ref}},
            "headers": header_refs(self._problem_headers(status)),
        }

    def _success_headers(self, status: int) -> list[str]:
        names = ["ETag"] if self.operation.etag else []
        names += ["Location"] if 300 <= status < 400 else []
        names += ["Idempotent-Replayed"] if self.method == "POST" else []
        return [*names, *(_RATE_LIMIT if self.operation.limited else ()), "X-Request-ID"]

    def _problem_headers(self, status: int) -> list[str]:
        names = ["WWW-Authenticate"] if status == 401 else ["Allow"] if status == 405 else []
        waits = status in (429, 503) or (status == 409 and self.method == "POST")
        names += ["Retry-After"] if waits else []
        names += ["Idempotent-Replayed"] if self.method == "POST" and status in (404, 409) else []
        return [*names, *(_RATE_LIMIT if self.operation.limited and status != 405 else ()), "X-Request-ID"]

    def _refusals(self) -> list[type[errors.Refusal]]:
        from core.api.problems import InvalidInput

        operation = self.operation
        found: list[type[errors.Refusal]] = [*ANY_OPERATION]
        if not self._is_open():
            found.append(errors.Unauthenticated)
        for part in [*self.view.get_authenticators(), *self._permissions()]:
            found.extend(getattr(part, "refusals", ()))
        if operation.input is not None:
            found += [InvalidInput, errors.MalformedBody, errors.TooLarge, errors.UnsupportedMedia, errors.UnknownFile]
            if self.view.refuses_card_numbers:
                found.append(RawCardDataRefused)
        if operation.takes_amount:
            found.append(errors.InvalidAmount)
        if operation.parameters or operation.query or operation.is_page:
            found.append(errors.Invalid)
        if operation.query:
            found.append(InvalidInput)
        if operation.is_page:
            found += [errors.InvalidPage, errors.InvalidCursor]
        if self.method == "POST":
            found += [
                errors.InvalidIdempotencyKey,
                errors.IdempotencyKeyReused,
                errors.IdempotencyInProgress,
                errors.TooLarge,
            ]
        if "{" in self.path:
            found.append(errors.NotFound)
        return [*found, *operation.refusals]


def header_refs(names: Iterable[str]) -> dict[str, Any]:
    """What a response says of the headers that it has; they are described among the components."""
    return {name: {"$ref": f"#/components/headers/{_HEADERS[name][0]}"} for name in names}


def _problem_schema(codes: list[str], refusals: Iterable[type[errors.Refusal]]) -> dict[str, Any]:
    """A problem with one of these codes, and the members that its refusals have of their own."""
    general = schemas.components(Problem)["Problem"]
    own = {to_camel(name): schemas.schema(kind) for refusal in refusals for name, kind in refusal.members.items()}
    members = {**general["properties"], "code": {"type": "string", "enum": codes}, **own}
    return {"type": "object", "properties": members, "required": general["required"]}


def _pascal(name: str) -> str:
    """`not_found` and `placeInvestment` as `NotFound` and `PlaceInvestment`."""
    camel = to_camel(name)
    return camel[0].upper() + camel[1:]


@cache
def _enums() -> dict[tuple[str, ...], type[models.TextChoices]]:
    """The enums of all apps by their values; without values that two of them share."""
    found: dict[tuple[str, ...], list[type[models.TextChoices]]] = {}
    for enum in models.TextChoices.__subclasses__():
        found.setdefault(tuple(enum.values), []).append(enum)
    return {values: enums[0] for values, enums in found.items() if len(enums) == 1}


def generate() -> dict[str, Any]:
    """The whole document. One thread at a time, since drf-spectacular keeps what it has found in globals."""
    with _generating:
        document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """What every operation refers to: the security scheme and the headers."""
    components = result.setdefault("components", {})
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    components["headers"] = {
        key: {"description": description, "schema": schema} for key, schema, description in _HEADERS.values()
    }
    _drop(result, "x-spec-enum-id")  # drf-spectacular's own note
    return result


def _drop(part: Any, name: str) -> None:
    if isinstance(part, dict):
        part.pop(name, None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _drop(inner, name)
