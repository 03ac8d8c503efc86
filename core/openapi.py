"""What each operation says of itself in the OpenAPI 3.1 document: summary, bodies, errors by status, roles."""

from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from typing import Any, TypeVar, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from core import errors
from core.names import to_camel
from core.serializers import Serializer, is_optional

H = TypeVar("H", bound=Callable[..., Any])

_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1–255 visible ASCII characters; the same key and body within 24 h get the same answer and one effect.",
)
_PAGE = [
    OpenApiParameter("page", OpenApiTypes.INT, description="From 1."),
    OpenApiParameter("limit", OpenApiTypes.INT, description="1–100."),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`nextCursor` of the page before."),
    OpenApiParameter("withTotal", OpenApiTypes.BOOL, description="Also count the whole list."),
]


class FieldError(Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Serializer):
    """application/problem+json, RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()
    errors = FieldError(many=True, required=False)  # type: ignore[assignment]


class Message(Serializer):
    message = serializers.CharField()


@cache
def page_class(card: Any) -> type[Serializer]:
    """The list envelope around a card, for the document."""
    attrs: dict[str, Any] = {
        "items": card(many=True),
        "page": serializers.IntegerField(),
        "limit": serializers.IntegerField(),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True),
        "total": serializers.IntegerField(required=False),
        "__module__": __name__,
    }
    return type(f"{card.__name__}Page", (Serializer,), attrs)


def describe(
    summary: str,
    *,
    request: Any = None,
    answer: Any = None,
    page_of: type[serializers.BaseSerializer[Any]] | None = None,
    status: int = 200,
    errors: Sequence[type[errors.Refusal]] = (),
    parameters: Sequence[OpenApiParameter | type[Serializer]] = (),
    multipart: bool = False,
    details: str = "",
) -> Callable[[H], H]:
    """
    Describe an operation. Errors of the gates, of input and of idempotency are added by themselves.

    :param answer: serializer of the success answer; `page_of` wraps a card in the list envelope where there is none
    :param multipart: files are taken, so multipart/form-data is offered (JSON too unless the request has files only)
    """
    body = page_class(cast(Any, page_of)) if page_of and answer is None else answer
    refusals = tuple(errors)

    def decorate(handler: H) -> H:
        handler.refusals = refusals  # type: ignore[attr-defined]
        handler.multipart = multipart  # type: ignore[attr-defined]
        return extend_schema(
            summary=summary,
            description=details or None,
            request=request,
            responses={status: body if body is not None else OpenApiResponse(description="Done.")},
            parameters=[*parameters, *(_PAGE if page_of else [])],
        )(handler)

    return decorate


class Schema(AutoSchema):
    """drf-spectacular's reader, plus our gates, errors and headers."""

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
        if self.method == "GET":
            return []
        both = ["multipart/form-data", "application/json"]
        return both if getattr(self._handler(), "multipart", False) else ["application/json"]

    def get_override_parameters(self) -> list[Any]:
        given = super().get_override_parameters()
        return [*given, _KEY] if self.method == "POST" else given

    def _process_override_parameters(self, direction: str = "request") -> Any:
        self.in_query = True  # where absent is blank and not null
        try:
            return super()._process_override_parameters(direction)
        finally:
            self.in_query = False

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        if direction == "request" and not self.in_query and not field.read_only and is_optional(field):
            field = copy(field)
            field.allow_null = True  # null means absent (core.serializers)
        return super()._map_serializer_field(field, direction, bypass_extensions)

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [] if self._is_open() else [{"bearer": []}]

    def _gates(self) -> list[Any]:
        return self.view.get_permissions()

    def _is_open(self) -> bool:
        return all(getattr(gate, "roles", ()) == ("anyone",) for gate in self._gates())

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["x-roles"] = sorted({role for gate in self._gates() for role in getattr(gate, "roles", ())})
        by_status: dict[str, list[type[errors.Refusal]]] = {}
        for refusal in self._refusals():
            by_status.setdefault(str(refusal.status), []).append(refusal)
        problem = {"$ref": "#/components/schemas/Problem"}
        self.resolve_serializer(Problem(), "response")
        for status, refusals in sorted(by_status.items()):
            codes = sorted({refusal.code for refusal in refusals})
            operation["responses"].setdefault(
                status,
                {
                    "description": ", ".join(f"`{code}`" for code in codes),
                    "content": {"application/problem+json": {"schema": problem}},
                    "x-codes": codes,
                },
            )
        return operation

    def _refusals(self) -> list[type[errors.Refusal]]:
        from core.problems import InvalidInput

        found: list[type[errors.Refusal]] = [errors.TooMany]
        if not self._is_open():
            found.append(errors.Unauthenticated)
        for gate in self._gates():
            found.extend(getattr(gate, "refusals", ()))
        if self.method in ("POST", "PUT"):
            found += [InvalidInput, errors.MalformedBody, errors.TooLarge, errors.UnsupportedMedia]
        if self.method == "POST":
            found += [errors.IdempotencyKeyReused, errors.IdempotencyInProgress]
        if "{" in self.path:
            found.append(errors.NotFound)
        return [*found, *getattr(self._handler(), "refusals", ())]


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """The security scheme; set here since every operation uses the same one."""
    result.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    return result
