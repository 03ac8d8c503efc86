"""The outermost middleware: request id, client address, normalised paths, headers of every answer."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, cast

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from whitenoise.middleware import WhiteNoiseMiddleware

from core import context
from core.addresses import forwarded_address
from core.api import bodies, errors, limits, methods, problems
from core.data.postgres import waiting
from core.devices import is_unattended

logger = logging.getLogger("vectragrow.requests")
API_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestContext:
    """
    Sets the request id (`X-Request-ID` when valid, else a new one) and the client address, writes on the answer how
    many calls the limits still allow (`RateLimit-*`), and logs the end of the request.

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
        context.counted_if_accepted.set([])
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
        if response.status_code >= 400:
            limits.give_back_refused()
        for name, value in limits.headers().items():
            response.headers.setdefault(name, value)
        if not bodies.will_come_again(request):
            log_end(
                method=(request.method or "")[:16],
                route=_route_of(request),
                status=response.status_code,
                started=started,
                person=_person_of(request),
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


def log_end(*, method: str, route: str, status: int, started: float, person: Any) -> None:
    """
    The one line of each request, and of each socket when it closes. Never the path or the query: they name people's
    things and carry tokens.

    :param route: the pattern that the path matched
    :param started: by `time.perf_counter`
    """
    took = round((time.perf_counter() - started) * 1000, 1)
    facts = {"method": method, "route": route, "status": status, "ms": took, "person": person}
    logger.info("request", extra={name: value for name, value in facts.items() if value is not None})


def _route_of(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    return "/static/" if request.path_info.startswith("/static/") else "none"


def _person_of(request: HttpRequest) -> Any:
    """The id of the person who was authenticated, without a query for it."""
    known = getattr(request, "_cached_user", None) or vars(request).get("user")
    return None if isinstance(known, SimpleLazyObject) else getattr(known, "pk", None)


def request_id_from(given: str) -> str:
    """The id that the client sent, when valid, else a new one."""
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex


def for_pages(base: type[Any]) -> type[Any]:
    """A middleware that skips API calls: they have no cookies, no forms and a fixed content policy."""

    class ForPages(base):
        def __call__(self, request: HttpRequest) -> HttpResponse:
            if request.path_info.startswith("/api/") and not request.path_info.startswith("/api/docs"):
                return cast(HttpResponse, self.get_response(request))
            return cast(HttpResponse, super().__call__(request))

    return ForPages


StaticFiles = for_pages(WhiteNoiseMiddleware)
ContentPolicy = for_pages(CSPMiddleware)


class Sessions(for_pages(SessionMiddleware)):  # type: ignore[misc]
    """A request that a page sends by itself does not keep an idle session alive (SECURITY-GOALS 67)."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if is_unattended(request.headers) and not request.session.modified:
            return response
        return cast(HttpResponse, super().process_response(request, response))


StaffAuthentication = for_pages(AuthenticationMiddleware)
Messages = for_pages(MessageMiddleware)


def client_address(request: HttpRequest) -> str | None:
    """The address that limits and logs go by."""
    return forwarded_address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))
