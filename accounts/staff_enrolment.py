"""The admin's page where a staff member sets up the first second factor, from the link that the sign-in mailed."""

from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import login as begin_admin_session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.browser_sessions import PROVEN
from accounts.errors import InvalidCredentials, MailedTokenInvalid, TwoFactorNotSetUp
from accounts.models import User
from accounts.services import history, login, staff_factors, two_factor
from accounts.services.two_factor import ENROLMENT_LIFETIME, Enrolment
from core import clock, context, events
from core.api.errors import Refusal
from core.devices import sent_by

ENROLLING = "second_factor_begun"
"""In the browser session: who gave the right password on this page, and until when (seconds since 1970) it counts."""
_TOO_LATE = _("That took too long. Type your password once more.")


def second_factor(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Looking at the link uses nothing up. The password is asked for, then the app's first code."""
    now = clock.now()
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")[:200]
    try:
        user = staff_factors.person_of_token(token=token, now=now)
    except MailedTokenInvalid:
        if site.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return _page(site, request, "refused", status=400 if request.method == "POST" else 200)
    if request.method != "POST":
        return _page(site, request, "ask", token=token)
    if "password" in request.POST:
        return _begin(site, request, user, token, now)
    if _has_begun(request, user, now):
        return _confirm(site, request, token, now)
    return _page(site, request, "ask", token=token, refused=str(_TOO_LATE), status=400)


def _has_begun(request: HttpRequest, user: User, now: datetime) -> bool:
    person, until = request.session.get(ENROLLING, ("", 0))
    return bool(person == str(user.pk) and now.timestamp() < until)


def _begin(site: AdminSite, request: HttpRequest, user: User, token: str, now: datetime) -> HttpResponse:
    password, device = request.POST.get("password", "")[:1000], sent_by(request.headers)
    try:
        login.verify_password(
            email=user.email, password=password, address=context.client_address.get(), device=device, now=now
        )
        enrolment = staff_factors.begin(token=token, now=now)
    except Refusal as refusal:
        if isinstance(refusal, InvalidCredentials):
            history.note_failure(user=user, device=device, method="admin", reason=refusal.code, now=now)
        return _page(site, request, "ask", token=token, refused=refusal.detail, status=refusal.status)
    request.session.cycle_key()
    request.session[ENROLLING] = (str(user.pk), (now + ENROLMENT_LIFETIME).timestamp())
    return _page(site, request, "scan", token=token, enrolment=enrolment)


def _confirm(site: AdminSite, request: HttpRequest, token: str, now: datetime) -> HttpResponse:
    try:
        user, codes = staff_factors.confirm(token=token, code=request.POST.get("code", "")[:40].strip(), now=now)
    except (MailedTokenInvalid, TwoFactorNotSetUp) as refusal:
        return _page(site, request, "ask", token=token, refused=refusal.detail, status=refusal.status)
    except Refusal as refusal:
        user = staff_factors.person_of_token(token=token, now=now)
        return _page(
            site,
            request,
            "scan",
            token=token,
            enrolment=two_factor.pending(user=user, now=now),
            refused=refusal.detail,
            status=refusal.status,
        )
    del request.session[ENROLLING]
    request.session[PROVEN] = str(user.pk)
    begin_admin_session(request, user)
    events.record("admin.signed_in", user, actor=user, now=now)
    return _page(site, request, "done", codes=codes)


def _page(
    site: AdminSite,
    request: HttpRequest,
    state: str,
    *,
    token: str = "",
    enrolment: Enrolment | None = None,
    codes: list[str] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    page: dict[str, Any] = {
        **site.each_context(request),
        "state": state,
        "token": token,
        "enrolment": enrolment,
        "codes": codes,
        "refused": refused,
    }
    answer = TemplateResponse(request, "admin/second_factor.html", page, status=status)
    answer.headers["Cache-Control"] = "no-store"  # SECURE_REFERRER_POLICY hides the address from other sites
    return answer
