"""The few pages for people. Everything else is the API; /admin/ has its own pages."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.appeal_tokens import MAX_LENGTH, person_of_appeal_token
from accounts.services import passwords, sharing
from accounts.services.mailed_tokens import is_live
from accounts.services.verification import confirmed_by, verify_email
from core import clock, context
from core.api import catalogue, errors, limits, problems, schemas
from core.api.methods import only
from core.api.openapi import generate, header_refs
from core.api.rendering import to_json
from core.devices import sent_by
from core.realtime import asyncapi
from core.share_pages import allow_media
from notifications.services import unsubscribing
from social.inputs.moderation import MAX_CHARACTERS, AppealInput
from social.outputs.moderation import SanctionOutput
from social.selectors import sanctions
from social.services.appeals import APPEALING, appeal as write_appeal
from uploads.selectors import media_origins
from vectragrow import health
from vectragrow.outputs import AliveOutput, ReadinessOutput


@only("GET")
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """What is running, and where things are."""
    return render(request, "home.html", {"report": health.report(), "has_mailbox": settings.MAILBOX_ENABLED})


@only("GET")
def alive(request: HttpRequest) -> HttpResponse:
    """`vectragrow.server` answers this one and the next by itself, outside every pool of threads."""
    return health.alive()


@only("GET")
def ready(request: HttpRequest) -> HttpResponse:
    return health.ready()


@csrf_exempt  # the mailed token is the proof, and no cookie is looked at
@only("GET", "POST")
@never_cache
def confirm_email(request: HttpRequest) -> HttpResponse:
    """
    Where the link in the verification mail leads unless FRONTEND_URL names a front end.

    GET changes nothing, since scanners open the links in mails; the button does.
    """
    if request.method != "POST":
        token = request.GET.get("token", "")[:200]
        state, status = ("done" if confirmed_by(token=token) else "ask") if token else "no_token", 200
    else:
        try:
            verify_email(token=request.POST.get("token", "")[:200], now=clock.now())
            state, status = "done", 200
        except errors.Invalid:
            state, status = "refused", 400
    page = {"state": state, "token": request.GET.get("token", "")[:200]}
    return _page_with_token(request, "verify_email.html", page, status)


@csrf_exempt  # as above
@only("GET", "POST")
@never_cache
def reset_password(request: HttpRequest) -> HttpResponse:
    """Where the link in the reset mail leads unless FRONTEND_URL names a front end. Looking uses nothing up."""
    now = clock.now()
    given = request.POST if request.method == "POST" else request.GET
    page: dict[str, Any] = {"token": given.get("token", "")[:200], "reasons": []}
    if request.method != "POST":
        state = "ask" if is_live(token=page["token"], purpose=passwords.PURPOSE, now=now) else "refused"
        return _page_with_token(request, "reset_password.html", {**page, "state": state}, 200)
    try:
        passwords.reset_password(
            token=page["token"],
            password=given.get("password", "")[:1000],
            address=context.client_address.get(),
            device=sent_by(request.headers),
            now=now,
        )
    except problems.InvalidInput as refusal:
        page["reasons"] = [row["detail"] for row in refusal.rows]
        return _page_with_token(request, "reset_password.html", {**page, "state": "ask"}, 400)
    except errors.Invalid:
        return _page_with_token(request, "reset_password.html", {**page, "state": "refused"}, 400)
    return _page_with_token(request, "reset_password.html", {**page, "state": "done"}, 200)


@only("GET")
@never_cache
def signed_in(request: HttpRequest) -> HttpResponse:
    """Where a sign-in with a provider ends unless FRONTEND_URL names a front end. Looking uses nothing up."""
    reasons = {refusal.code: refusal.message for refusal in errors.every_refusal()}
    code = request.GET.get("error", "")
    reason = reasons.get(code, errors.Invalid.message) if code else ""
    return _page_with_token(request, "signed_in.html", {"reason": reason}, 200)


def _page_with_token(request: HttpRequest, template: str, page: dict[str, Any], status: int) -> HttpResponse:
    """Headers so that the address is not sent to other sites as a referrer."""
    answer = render(request, template, page, status=status)
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@csrf_exempt  # as above
@only("GET", "POST")
@never_cache
def unsubscribe(request: HttpRequest) -> HttpResponse:
    """Where the link at the foot of a mail leads. Looking changes nothing; the button does."""
    form = request.POST if request.method == "POST" else request.GET
    token, status = form.get("token", ""), 200
    page: dict[str, Any] = {"token": token}
    try:
        if request.method != "POST":
            topic, page["state"] = unsubscribing.topic_of(token), "ask"
        elif form.get("again"):
            topic, page["state"] = unsubscribing.resubscribe(token=token), "again"
        else:
            topic, page["state"] = unsubscribing.unsubscribe(token=token, now=clock.now()), "done"
        page["about"] = topic.about
    except errors.NotFound:
        page["state"], status = "refused", 404
    answer = render(request, "unsubscribe.html", page, status=status)
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@csrf_exempt  # as above
@only("GET", "POST")
@never_cache
def appeal(request: HttpRequest) -> HttpResponse:
    """
    Where the mail about a suspension leads: what was decided about the person, and a form to appeal, since they cannot
    sign in. Looking changes nothing.
    """
    now, form = clock.now(), request.POST if request.method == "POST" else request.GET
    page: dict[str, Any] = {"token": form.get("token", "")[:MAX_LENGTH], "state": "ask", "longest": MAX_CHARACTERS}
    try:
        person = person_of_appeal_token(page["token"], now)
    except errors.Unauthenticated:
        return _page_with_token(request, "appeal.html", {**page, "state": "refused"}, 400)
    status = 200
    if request.method == "POST":
        page["chosen"], page["typed"] = form.get("decision", ""), form.get("text", "")[:MAX_CHARACTERS]
        given = AppealInput(data={"text": page["typed"]})
        try:
            limits.hit(APPEALING, person.pk)
            if not given.is_valid():
                raise errors.Invalid()
            write_appeal(person=person, decision_id=read_id(page["chosen"]), now=now, **given.validated_data)
            page["state"] = "done"
        except errors.Invalid:
            page["reason"], status = _("Write why you think that the decision is wrong."), 400
        except errors.Refusal as refusal:
            page["reason"], status = refusal.detail, refusal.status
    shown = sanctions(person.pk).order_by("-pk")[:MAX_DECISIONS]
    page["decisions"] = [SanctionOutput.of(decision, now) for decision in shown]
    return _page_with_token(request, "appeal.html", page, status)


def read_id(text: str) -> UUID:
    """:raises NotFound: it is none"""
    try:
        return UUID(text)
    except ValueError:
        raise errors.NotFound() from None


@only("GET")
@never_cache
def shared_profile(request: HttpRequest, token: str) -> HttpResponse:
    """The public page of a profile, for whoever was given the link; chats show its preview."""
    try:
        shared = sharing.public_page(token=token, now=clock.now())
    except errors.NotFound:
        raise Http404 from None
    page = {"page": shared, "person": shared.user, "website": urlsplit(shared.user.website).netloc}
    answer = render(request, "profile.html", page)
    allow_media(answer, media_origins())
    return answer


@only("GET")
def with_slash(request: HttpRequest, place: str) -> HttpResponse:
    """`/admin` for `/admin/`: paths that people type."""
    return redirect(f"/{place}/")


@only("GET")
def api_docs(request: HttpRequest) -> HttpResponse:
    """The interactive page, from our own files only."""
    return _documents(request, "docs", "api_docs.html")


@only("GET")
def api_errors(request: HttpRequest) -> HttpResponse:
    """What every `code` means; a problem's `type` leads to its line."""
    return _documents(request, "errors", "api_errors.html", groups=catalogue.by_status(catalogue.entries()))


@only("GET")
def api_schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document."""
    return HttpResponse(_schema(), content_type="application/json")


def _documents(request: HttpRequest, here: str, template: str, **facts: Any) -> HttpResponse:
    return render(request, template, {"here": here, "has_mailbox": settings.MAILBOX_ENABLED, **facts})


MAX_DECISIONS = 20
"""So many decisions, the newest, are on the page of an appeal."""


@cache
def _schema() -> bytes:
    """Made once per process: it costs a second and changes with the code only."""
    return to_json(generate())


def describe_platform(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add to the OpenAPI document what is answered here, outside of the API's views (`SPECTACULAR_SETTINGS`)."""
    schemas_used = result["components"]["schemas"]
    for path, (operation_id, summary, answers) in PLATFORM.items():
        responses = {}
        for status, (text, shape) in answers.items():
            schemas_used |= schemas.components(shape) if shape else {}
            content = {"application/json": {"schema": schemas.schema(shape) if shape else {"type": "object"}}}
            names = ("X-Request-ID", *(["Retry-After"] if status == 503 else ()))
            responses[str(status)] = {"description": text, "content": content, "headers": header_refs(names)}
        result["paths"][path] = {
            "get": {
                "operationId": operation_id,
                "summary": summary,
                "tags": ["Platform"],
                "security": [],
                "responses": responses,
            }
        }
    result["components"]["schemas"] = dict(sorted(schemas_used.items()))
    result["components"]["securitySchemes"]["appeal"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "`appealToken` of a login that was refused as `account_suspended`: for somebody suspended.",
    }
    return result


PLATFORM: dict[str, tuple[str, str, dict[int, tuple[str, Any]]]] = {
    "/healthz": ("getHealth", "Whether the process answers", {200: ("It does.", AliveOutput)}),
    "/readyz": (
        "getReadiness",
        "Whether requests can be served, and which parts are missing",
        {200: ("They can.", ReadinessOutput), 503: ("Without the database they cannot.", ReadinessOutput)},
    ),
    "/api/schema": ("getOpenAPIDocument", "This document", {200: ("OpenAPI 3.1.", None)}),
    "/api/asyncapi": ("getAsyncAPIDocument", "The frames of the socket at /ws/", {200: ("AsyncAPI 3.0.", None)}),
}
"""Path, operation id, summary, and by status what is answered."""


@only("GET")
def api_asyncapi(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI 3 document of the websocket."""
    return HttpResponse(to_json(asyncapi.document()), content_type="application/json")
