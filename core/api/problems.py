"""One form of answer for every refusal and every unexpected error: application/problem+json (RFC 9457)."""

import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy
from msgspec import UNSET
from psycopg_pool import PoolTimeout
from rest_framework import exceptions as drf
from rest_framework.response import Response

from core import context
from core.api import errors
from core.api.names import to_camel
from core.api.outputs import FieldError, Problem
from core.api.rendering import to_json
from core.data.transactions import is_lost, sqlstate

NUMERIC_VALUE_OUT_OF_RANGE = "22003"
CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger("vectragrow.problems")


class InvalidInput(errors.Invalid):
    """400 with every wrong member listed in `errors`."""

    code = "invalid_input"
    message = gettext_lazy("Some members of the request are missing or wrong; see errors.")

    def __init__(self, rows: list[dict[str, str]]) -> None:
        super().__init__()
        self.rows = rows

    @property
    def errors(self) -> list[dict[str, str]]:
        return self.rows


def problem(refusal: errors.Refusal) -> dict[str, Any]:
    """The members of a refusal's problem document."""
    document = Problem(
        type=f"/api/docs/errors#{refusal.code}",
        title=str(refusal.title),
        status=refusal.status,
        detail=refusal.detail,
        code=refusal.code,
        request_id=context.request_id.get(),
        errors=[FieldError(**row) for row in refusal.errors[:100]] or UNSET,
    )
    own = {to_camel(name): refusal.facts[name] for name in refusal.members if name in refusal.facts}
    return {**msgspec.to_builtins(document), **own}


def refusal_of(error: BaseException) -> errors.Refusal | None:
    """The refusal that an exception stands for, or None for an unexpected error."""
    match error:
        case errors.Refusal():
            return error
        case drf.ValidationError():
            return _of_rows(list(_rows(error.get_full_details(), "")))
        case drf.ParseError():
            return errors.MalformedBody(reason=str(error.detail))
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return errors.Unauthenticated()
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMedia()
        case drf.PermissionDenied() | PermissionDenied():
            return errors.NotAllowed()
        case Http404() | ObjectDoesNotExist() | drf.NotFound():
            return errors.NotFound()
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return errors.TooLarge()
        case SuspiciousOperation():
            return errors.Invalid()
        case DataError() if sqlstate(error) == NUMERIC_VALUE_OUT_OF_RANGE:
            return errors.OutOfRange()
        case PoolTimeout():
            return errors.DatabaseUnavailable()
        case OperationalError() | InterfaceError():
            return errors.DatabaseUnavailable() if is_lost(error) else None
    return None


def _of_rows(rows: list[dict[str, str]]) -> errors.Refusal:
    if {row["code"] for row in rows} == {errors.ZoneRequired.code}:
        return errors.ZoneRequired([row["field"] for row in rows])
    return InvalidInput(rows)


def _rows(detail: Any, path: str) -> Any:
    """Flatten DRF's nested errors to `{field, code, detail}` rows; names are camelCase already."""
    if (
        isinstance(detail, dict)
        and set(detail) == {"message", "code"}
        and not isinstance(detail["message"], dict | list)
    ):
        yield {"field": path, "code": str(detail["code"]), "detail": str(detail["message"])}
    elif isinstance(detail, dict):
        for name, inner in detail.items():
            part = "" if name == "non_field_errors" else str(name)
            yield from _rows(inner, f"{path}.{part}" if path and part else path or part)
    else:
        for index, inner in enumerate(detail):
            if isinstance(inner, dict) and "message" not in inner and inner:
                yield from _rows(inner, f"{path}.{index}" if path else str(index))
            elif inner:
                yield from _rows(inner, path)


def handle(error: Exception, _context: Any) -> Response | None:
    """DRF's exception handler. None lets Django log the traceback and call `server_error`."""
    refusal = refusal_of(error)
    if refusal is None:
        return None
    if refusal.status >= 500:
        logger.warning("refused: %s", refusal.code, exc_info=error)
    return Response(problem(refusal), refusal.status, headers=refusal.headers, content_type=CONTENT_TYPE)


def answer(refusal: errors.Refusal) -> HttpResponse:
    """The same document outside DRF: unknown paths, middleware, unexpected errors."""
    return HttpResponse(
        to_json(problem(refusal)), status=refusal.status, headers=refusal.headers, content_type=CONTENT_TYPE
    )


def alone(view: Callable[[], HttpResponse]) -> HttpResponse:
    """What a server answers by itself: no middleware sees the request or the answer."""
    context.request_id.set(uuid.uuid4().hex)
    response = view()
    response["X-Request-ID"] = context.request_id.get()
    response.headers.setdefault("Cache-Control", "no-store")
    response["X-Content-Type-Options"] = "nosniff"
    if response.status_code != 204:
        response["Content-Length"] = str(len(response.content))
    return response


def _wants_page(request: HttpRequest) -> bool:
    return not request.path.startswith(("/api", "/ws")) and "text/html" in request.headers.get("Accept", "")


def _page_or_problem(request: HttpRequest, refusal: errors.Refusal) -> HttpResponse:
    if _wants_page(request):
        # Without the request, so that nothing which may be broken now is used.
        page = render_to_string("error.html", {"refusal": refusal, "request_id": context.request_id.get()})
        return HttpResponse(page, status=refusal.status, headers=refusal.headers)
    return answer(refusal)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page_or_problem(request, refusal_of(exception) or errors.Invalid())


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page_or_problem(request, errors.NotAllowed())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page_or_problem(request, errors.NotAllowed())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page_or_problem(request, errors.NotFound())


def method_not_allowed(request: HttpRequest, allowed: Iterable[str]) -> HttpResponse:
    return _page_or_problem(request, errors.MethodNotAllowed(allow=allowed))


def server_error(request: HttpRequest) -> HttpResponse:
    return _page_or_problem(request, errors.Broken())
