"""What each operation says of itself in the OpenAPI 3.1 document: summary, bodies, headers, errors by status, roles."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from functools import cache
from typing import Any, TypeVar, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from core.api import errors, limits
from core.api.names import to_camel
from core.api.pages import DEEPEST, DEFAULT_LIMIT, MAX_LIMIT
from core.api.serializers import AmountField, Serializer, is_optional, takes_files

H = TypeVar("H", bound=Callable[..., Any])
JSON, FORM, PROBLEM = "application/json", "multipart/form-data", "application/problem+json"
FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
"""Bytes, in the words of OpenAPI 3.1 (`contentMediaType`) and in those that most generators of clients know."""

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
}
"""Header, its name among the components, its schema, what it says."""
_RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
ANY_OPERATION = (errors.Broken, errors.Busy, errors.DatabaseAway, errors.Overloaded)


class FieldError(Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Serializer):
    """application/problem+json, RFC 9457. Some codes bring members of their own, such as `available`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()
    errors = FieldError(many=True, required=False)  # type: ignore[assignment]


class Message(Serializer):
    message = serializers.CharField()


class Page(Serializer):
    """The list envelope; a subclass adds `items`."""

    page = serializers.IntegerField(min_value=1, max_value=DEEPEST)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT)
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(min_value=0, required=False, help_text="With `withTotal=true`.")


@cache
def page_class(card: Any) -> type[Serializer]:
    """The list envelope around a card, for the document."""
    return type(f"{card.__name__}Page", (Page,), {"items": card(many=True), "__module__": __name__})


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


def describe(
    summary: str,
    *,
    request: Any = None,
    answer: Any = None,
    page_of: type[serializers.BaseSerializer[Any]] | None = None,
    default_limit: int = DEFAULT_LIMIT,
    status: int = 200,
    also: Mapping[int, str] | None = None,
    errors: Sequence[type[errors.Refusal]] = (),
    errors_from: Callable[[], Sequence[type[errors.Refusal]]] | None = None,
    parameters: Sequence[OpenApiParameter | type[Serializer]] = (),
    multipart: bool = False,
    partial: bool = False,
    files: Sequence[str] = (),
    etag: bool = False,
    limited: bool = False,
    may_sign_in: bool = False,
    details: str = "",
) -> Callable[[H], H]:
    """
    Describe an operation. Errors of permissions, of input and of idempotency are added by themselves.

    :param answer: serializer of the success answer; `page_of` wraps a card in the list envelope where there is none
    :param default_limit: how many rows a page has when the client does not say
    :param also: other success statuses with the same body, and when they are given
    :param errors_from: gives further errors when the document is made: those that apps above have registered
    :param parameters: of the query; a serializer class also means that a wrong one is a 400
    :param multipart: files are taken, so multipart/form-data is offered; JSON beside it, unless files are required
    :param partial: any subset of the request's members
    :param files: the content types of an answer that is a file
    :param etag: the answer has an `ETag`
    :param limited: answers say how the caller stands with a limit; so they do where `errors` has `RateLimited`
    :param may_sign_in: an open operation that answers some things only to the right person
    """
    body: Any = page_class(cast(Any, page_of)) if page_of and answer is None else answer
    refusals = tuple(errors)
    responses: dict[Any, Any] = {status: body if body is not None else OpenApiResponse(description="Done.")}
    if files:
        responses = {(status, *files): OpenApiResponse(FILE, description="The file.")}
    for other, when in (also or {}).items():
        responses[other] = OpenApiResponse(body, description=when)

    def decorate(handler: H) -> H:
        marks: dict[str, Any] = {
            "refusals": refusals,
            "refusals_from": errors_from,
            "takes_body": request is not None,
            "takes_query": bool(parameters) or page_of is not None,
            "checks_query": any(isinstance(parameter, type) for parameter in parameters),
            "pages": page_of is not None,
            "takes_amount": any(isinstance(field, AmountField) for field in _fields(request).values()),
            "etag": etag,
            "limited": limited or any(issubclass(refusal, limits.RateLimited) for refusal in refusals),
            "may_sign_in": may_sign_in,
            "multipart": multipart,  # `core.api.bodies` goes by it, too
        }
        for name, value in marks.items():
            setattr(handler, name, value)
        return extend_schema(
            summary=summary,
            description=details or None,
            request=_bodies(request, multipart=multipart, partial=partial),
            responses=responses,
            parameters=[*parameters, *(_page_parameters(default_limit) if page_of else [])],
        )(handler)

    return decorate


def _bodies(request: Any, *, multipart: bool, partial: bool) -> Any:
    """What drf-spectacular takes for `request`: a class for each media type, files in the form only."""
    if partial:
        request = _partial_class(request)
    if not multipart:
        return request
    form = _form_class(request)
    files = {name: field for name, field in _fields(request).items() if takes_files(field)}
    if any(field.required for field in files.values()):
        return {FORM: form}
    return {FORM: form, JSON: _without(request, tuple(files))}


def _fields(request: Any) -> dict[str, Any]:
    return getattr(request, "_declared_fields", {})


def _like(base: type[Serializer], name: str, **attrs: Any) -> type[Serializer]:
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
    """drf-spectacular's reader, plus our permissions, errors and headers."""

    view: Any
    in_query = False

    def _handler(self) -> Any:
        return getattr(self.view, getattr(self.view, "action", "") or "", None)

    def get_operation_id(self) -> str:
        view = type(self.view).__name__
        action = to_camel(self.view.action)
        return f"{view[0].lower()}{view[1:]}{action[0].upper()}{action[1:]}"

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular calls it
        return ""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api").strip("/").split("/")[0].capitalize()]

    def map_parsers(self) -> list[str]:
        return [] if self.method == "GET" else [JSON]

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Never a bare array: a list is answered in its envelope, which `describe` names."""
        return False

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        """A class without words of its own has none, rather than those of its base; empty text is no default."""
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        if isinstance(schema, dict) and type(serializer).__doc__ is None:
            schema.pop("description", None)
        for member in schema.get("properties", {}).values() if isinstance(schema, dict) else ():
            if member.get("default") == "":  # generated clients would demand the member
                del member["default"]
        return schema

    def get_override_parameters(self) -> list[Any]:
        given = [*super().get_override_parameters()]
        if self.method == "POST":
            given.append(_KEY)
        if errors.Stale in self._own_refusals():
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
        if isinstance(field, serializers.FileField):
            return {**FILE, **self._get_serializer_field_meta(field, direction)}
        return super()._map_serializer_field(field, direction, bypass_extensions)

    def get_auth(self) -> list[dict[str, list[str]]]:
        bearer: list[dict[str, list[str]]] = [{"bearer": []}]
        if not self._is_open():
            return bearer
        return [{}, *bearer] if getattr(self._handler(), "may_sign_in", False) else []

    def _gates(self) -> list[Any]:
        return self.view.get_permissions()

    def _is_open(self) -> bool:
        return all(getattr(gate, "roles", ()) == ("anyone",) for gate in self._gates())

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["security"] = self.get_auth()  # an empty list says that nothing is needed; left out, nothing is said
        operation["x-roles"] = sorted({role for gate in self._gates() for role in getattr(gate, "roles", ())})
        by_status: dict[str, set[str]] = {}
        for refusal in self._refusals():
            by_status.setdefault(str(refusal.status), set()).add(refusal.code)
        self.resolve_serializer(Problem(), "response")
        responses = operation["responses"]
        for status, response in responses.items():
            response["description"] = response["description"] or "Done."
            self._add_headers(response, self._success_headers(status))
        for status, codes in sorted(by_status.items()):
            responses[status] = {
                "description": ", ".join(f"`{code}`" for code in sorted(codes)),
                "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                "x-codes": sorted(codes),
            }
            self._add_headers(responses[status], self._problem_headers(status))
        return operation

    def _limit_headers(self) -> tuple[str, ...]:
        return _RATE_LIMIT if getattr(self._handler(), "limited", False) else ()

    def _success_headers(self, status: str) -> list[str]:
        names = ["ETag"] if getattr(self._handler(), "etag", False) else []
        names += ["Location"] if status.startswith("3") else []
        names += ["Idempotent-Replayed"] if self.method == "POST" else []
        return [*names, *self._limit_headers()]

    def _problem_headers(self, status: str) -> list[str]:
        names = ["WWW-Authenticate"] if status == "401" else []
        waits = status in ("429", "503") or (status == "409" and self.method == "POST")
        names += ["Retry-After"] if waits else []
        names += ["Idempotent-Replayed"] if self.method == "POST" and status in ("404", "409") else []
        return [*names, *self._limit_headers()]

    def _add_headers(self, response: dict[str, Any], names: Sequence[str]) -> None:
        if names:
            response["headers"] = {name: {"$ref": f"#/components/headers/{_HEADERS[name][0]}"} for name in names}

    def _own_refusals(self) -> tuple[type[errors.Refusal], ...]:
        handler = self._handler()
        more = getattr(handler, "refusals_from", None)
        return (*getattr(handler, "refusals", ()), *(more() if more else ()))

    def _refusals(self) -> list[type[errors.Refusal]]:
        from core.api.problems import InvalidInput

        handler = self._handler()
        found: list[type[errors.Refusal]] = [*ANY_OPERATION]
        if not self._is_open():
            found.append(errors.Unauthenticated)
        for part in [*self.view.get_authenticators(), *self._gates()]:
            found.extend(getattr(part, "refusals", ()))
        if getattr(handler, "takes_body", False):
            found += [InvalidInput, errors.MalformedBody, errors.TooLarge, errors.UnsupportedMedia, errors.UnknownFile]
        if getattr(handler, "takes_amount", False):
            found.append(errors.InvalidAmount)
        if getattr(handler, "takes_query", False):
            found.append(errors.Invalid)
        if getattr(handler, "checks_query", False):
            found.append(InvalidInput)
        if getattr(handler, "pages", False):
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
        return [*found, *self._own_refusals()]


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
