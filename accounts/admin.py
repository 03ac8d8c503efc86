"""Accounts in the admin: staff may view them; only services change them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import selectors
from accounts.models import LoginAttempt, Session, Status, User
from accounts.permissions import READ_PEOPLE, READ_RELATIONS, SUSPEND
from accounts.services import administration, history, two_factor
from core import clock, events
from core.admin import (
    SECTION_ROWS,
    ReadOnlyAdmin,
    Section,
    add_section,
    chip,
    holds,
    moment_text,
    person_cell,
    sections_of,
    yes_or_no,
)
from core.api.errors import Refusal
from core.devices import device_name
from core.permissions import READ_AUDIT

_STATUS_TONES = {Status.ACTIVE: "good", Status.SUSPENDED: "warn", Status.DELETED: "bad"}
LONGEST_REASON = 300
DEVICES, ATTEMPTS, RELATIONS = 20, 10, 20
"""How many of each a person's page shows; the login history has a list of its own."""


class ReasonForm(ActionForm):
    reason = forms.CharField(label=_("Reason, for staff:"), required=False, max_length=LONGEST_REASON)


class SuspensionForm(forms.Form):
    reason = forms.CharField(
        max_length=LONGEST_REASON, error_messages={"required": _("Nobody was suspended: give a reason.")}
    )

    @property
    def refused(self) -> str:
        """What is wrong with the reason, if something is."""
        return " ".join(map(str, self.errors.get("reason", [])))


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    right = READ_PEOPLE
    action_form = ReasonForm
    actions = ("suspend", "reinstate")
    list_display = ("person", "role_chip", "status_chip", "address_verified", "identity", "joined")
    list_filter = (
        "role",
        "status",
        ("email_verified_at", yes_or_no(_("address confirmed"))),
        ("identity_verified_at", yes_or_no(_("identity verified"))),
    )
    search_fields = ("email", "first_name", "last_name")
    search_help_text = _("Name or e-mail address")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("People"), **(extra_context or {})})

    # --- One person ---------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one person: devices and history; suspending and reinstating, as by the list's actions."""
        person: User | None = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404
        if not self.has_view_permission(request, person):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, person)
        if not self.has_suspend_permission(request):
            raise PermissionDenied
        decision, now = request.POST.get("decision", ""), clock.now()
        if decision not in ("suspend", "reinstate"):
            raise Http404
        form = SuspensionForm(request.POST)
        if decision == "suspend" and form.refused:
            return self._page(request, person, refused=form.refused, status=400)
        try:
            if decision == "suspend":
                reason = form.cleaned_data["reason"]
                decided = administration.suspend(user_id=person.pk, reason=reason, by=_staff(request), now=now)
            else:
                decided = administration.reinstate(user_id=person.pk, by=_staff(request), now=now)
        except Refusal as refusal:
            person.refresh_from_db()
            return self._page(request, person, refused=refusal.detail, status=refusal.status)
        self.message_user(request, f"{decided.name}: {decided.get_status_display()}", messages.SUCCESS)
        return HttpResponseRedirect(request.path)

    def _page(self, request: HttpRequest, person: User, *, refused: str = "", status: int = 200) -> HttpResponse:
        """:param refused: why the action was refused; the form keeps its input"""
        now = clock.now()
        devices = Session.objects.filter(user=person).order_by("-last_seen_at", "-id")[:DEVICES]
        attempts = LoginAttempt.objects.filter(user=person).order_by("-created_at", "-id")[:ATTEMPTS]
        page = {
            **self.admin_site.each_context(request),
            "title": person.name,
            "person": person,
            "sections": sections_of(request, person),
            "status": self.status_chip(person),
            "role": self.role_chip(person),
            "has_app": two_factor.has_app(person),
            "passkeys": person.passkeys.order_by("created_at", "id"),
            "refused": refused,
            "typed": request.POST.get("reason", ""),
            "may_decide": self.has_suspend_permission(request) and person.status != Status.DELETED,
            "sessions": [
                {"session": session, "device": device_name(session.device), "state": _state_of(session, now)}
                for session in devices
            ],
            "relations": selectors.relations_around(person, now, RELATIONS) if holds(request, READ_RELATIONS) else None,
            "attempts": [
                {"attempt": attempt, "device": device_name(attempt.device), "outcome": _outcome_of(attempt)}
                for attempt in attempts
            ],
        }
        return TemplateResponse(request, "admin/accounts/user/person.html", page, status=status)

    # --- The list -----------------------------------------------------------------------------------------------------

    @admin.display(description=_("Person"), ordering="last_name")
    def person(self, user: User) -> SafeString:
        return person_cell(user.name, user.email)

    @admin.display(description=_("Role"), ordering="role")
    def role_chip(self, user: User) -> SafeString:
        return chip(user.get_role_display(), "info" if user.is_staff else "")

    @admin.display(description=_("Status"), ordering="status")
    def status_chip(self, user: User) -> SafeString:
        return chip(user.get_status_display(), _STATUS_TONES[Status(user.status)])

    @admin.display(description=_("Address"), ordering="email_verified_at")
    def address_verified(self, user: User) -> SafeString:
        return chip(_("confirmed"), "good") if user.email_verified else chip(_("not confirmed"))

    @admin.display(description=_("Identity"), ordering="identity_verified_at")
    def identity(self, user: User) -> SafeString:
        return chip(_("verified"), "good") if user.kyc_verified else chip(_("not verified"))

    @admin.display(description=_("Joined"), ordering="created_at")
    def joined(self, user: User) -> str:
        return date_format(user.created_at, "DATE_FORMAT")

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        return holds(request, SUSPEND)

    @admin.action(description=_("Suspend, with a reason"), permissions=["suspend"])
    def suspend(self, request: HttpRequest, people: QuerySet[User]) -> None:
        form, by, now = SuspensionForm(request.POST), _staff(request), clock.now()
        if form.refused:
            self.message_user(request, form.refused, messages.ERROR)
            return
        reason = form.cleaned_data["reason"]
        self._for_each(
            request, people, lambda user: administration.suspend(user_id=user.pk, reason=reason, by=by, now=now)
        )

    @admin.action(description=_("Reinstate"), permissions=["suspend"])
    def reinstate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        by, now = _staff(request), clock.now()
        self._for_each(request, people, lambda user: administration.reinstate(user_id=user.pk, by=by, now=now))

    def _for_each(self, request: HttpRequest, people: QuerySet[User], decide: Callable[[User], User]) -> None:
        for person in people:
            try:
                decided = decide(person)
            except Refusal as refusal:
                self.message_user(request, f"{person.name}: {refusal.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{decided.name}: {decided.get_status_display()}", messages.SUCCESS)


@admin.register(LoginAttempt)
class LoginAttemptAdmin(ReadOnlyAdmin):
    right = READ_PEOPLE
    list_display = ("created_at", "person", "outcome", "method", "device_in_words", "address")
    list_filter = ("success", "method", "reason")
    list_select_related = ("user",)
    search_fields = ("user__email", "address")
    search_help_text = _("E-mail address or IP address")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=_("Person"))
    def person(self, attempt: LoginAttempt) -> SafeString:
        return person_cell(attempt.user.name, attempt.user.email)

    @admin.display(description=_("Outcome"), ordering="success")
    def outcome(self, attempt: LoginAttempt) -> SafeString:
        return _outcome_of(attempt)

    @admin.display(description=_("Device"))
    def device_in_words(self, attempt: LoginAttempt) -> str:
        return device_name(attempt.device)


def _staff(request: HttpRequest) -> Any:
    return request.user


def _state_of(session: Session, now: datetime) -> SafeString:
    if session.revoked_at:
        return chip(_("ended: %(why)s") % {"why": session.revoked_because}, "")
    return chip(_("expired")) if session.expires_at <= now else chip(_("signed in"), "good")


def _outcome_of(attempt: LoginAttempt) -> SafeString:
    if not attempt.success:
        return chip(attempt.reason, "warn")
    return chip(_("reset")) if attempt.method == history.PASSWORD_RESET else chip(_("signed in"), "good")


def _audit(request: HttpRequest, person: User) -> Section:
    lines = events.audit_lines_about(person.pk, SECTION_ROWS)
    return Section(
        title=_("Audit log"),
        head=(_("When"), _("What"), _("By"), _("About")),
        rows=[
            (moment_text(line.created_at), line.kind, line.actor_label, f"{line.subject_type} {line.subject_id or ''}")
            for line in lines
        ],
        address=f"{reverse('admin:core_event_changelist')}?q={person.pk}",
    )


add_section(User, READ_AUDIT, _audit, place=90)
