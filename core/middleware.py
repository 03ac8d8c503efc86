"""The outermost ring: request id, client address, tidy paths, headers that every answer carries."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

from core import bodies, context, errors, limits, methods, problems
from core.addresses import forwarded_address
from core.postgres import waiting

logger = logging.getLogger("vectragrow.requests")
API_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestContext:
    """
    Gives each request its id (`X-Request-ID` when sane, else a new one) and its client address, says on the answer how
    the caller stands with the limits that were asked (`RateLimit-*`), and logs its end.

    A trailing slash on an API path is accepted and dropped before routing, never redirected (API.md, base).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = request_id_from(request.headers.get("X-Request-ID", ""))
        context.request_id.set(request_id)
        context.client_address.set(client_address(request))
        context.limits_met.set({})
        is_api = request.path_info.startswith("/api")
        if is_api and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
            request.path = request.path.rstrip("/")
        if "%00" in request.META.get("QUERY_STRING", ""):  # no text of ours may hold NUL (SECURITY-GOALS 40)
            response = problems.bad_request(request, errors.Invalid())
        else:
            with waiting.at_most(settings.DATABASE_WAIT):
                response = self.get_response(request)
        response["X-Request-ID"] = request_id
        if is_api:
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Content-Security-Policy", API_CONTENT_POLICY)
        for name, value in limits.headers().items():
            response.headers.setdefault(name, value)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 2),
                },
            )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse methods that the address does not declare, and large bodies of pages, which take no files."""
        allowed = methods.declared_by(view)
        if request.method not in allowed:
            return problems.method_not_allowed(request, allowed)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers=errors.MethodNotAllowed(allow=allowed).headers)
        is_operation = hasattr(view, "actions")
        return None if is_operation or bodies.is_small(request) else problems.answer(errors.TooLarge())


def request_id_from(given: str) -> str:
    """The id a client sent, when sane, else a new one."""
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex


def for_pages(base: type[Any]) -> type[Any]:
    """A middleware that API calls pass by: they have no cookies, no forms and a fixed content policy."""

    class ForPages(base):
        def __call__(self, request: HttpRequest) -> HttpResponse:
            if request.path_info.startswith("/api/") and not request.path_info.startswith("/api/docs"):
                return self.get_response(request)
            return super().__call__(request)

    return ForPages


StaticFiles = for_pages(WhiteNoiseMiddleware)
ContentPolicy = for_pages(CSPMiddleware)
Sessions = for_pages(SessionMiddleware)
StaffAuthentication = for_pages(AuthenticationMiddleware)
Messages = for_pages(MessageMiddleware)


def client_address(request: HttpRequest) -> str | None:
    """The address that limits and logs go by."""
    return forwarded_address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))
