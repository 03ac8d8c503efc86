"""People in the admin: looked at by staff, changed only by their workflows."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import LoginAttempt, Role, Session, Status, User
from accounts.services import standing
from core.admin import ReadOnlyAdmin, chip, person_cell
from core.devices import device_name
from core.errors import Refusal

_STATUS_TONES = {Status.ACTIVE: "good", Status.SUSPENDED: "warn", Status.DELETED: "bad"}


class SessionInline(admin.TabularInline):
    model = Session
    fields = (
        "device_in_words",
        "address",
        "method",
        "created_at",
        "last_seen_at",
        "expires_at",
        "revoked_at",
        "revoked_because",
    )
    readonly_fields = fields
    extra = 0
    can_delete = False
    ordering = ("-last_seen_at",)
    show_change_link = False

    @admin.display(description=_("Device"))
    def device_in_words(self, session: Session) -> str:
        return device_name(session.device)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReasonForm(ActionForm):
    reason = forms.CharField(label=_("Reason, for staff:"), required=False, max_length=300)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    action_form = ReasonForm
    actions = ("suspend", "reinstate")
    list_display = ("person", "role_chip", "status_chip", "address_verified", "identity", "joined")
    list_filter = (
        "role",
        "status",
        ("email_verified_at", admin.EmptyFieldListFilter),
        ("identity_verified_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("email", "first_name", "last_name")
    search_help_text = _("Name or e-mail address")
    ordering = ("-created_at", "-id")
    inlines = (SessionInline,)
    show_full_result_count = False
    fieldsets = (
        (_("Person"), {"fields": ("first_name", "last_name", "email", "phone_number", "location", "website", "bio")}),
        (
            _("Standing"),
            {"fields": ("role", "status", "suspended_because", "badges", "email_verified_at", "identity_verified_at")},
        ),
        (_("Security"), {"fields": ("two_factor_enabled_at", "created_at", "updated_at")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("People"), **(extra_context or {})})

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
        return _staff(request).role in (Role.MODERATOR, Role.ADMIN)

    @admin.action(description=_("Suspend, with a reason"), permissions=["suspend"])
    def suspend(self, request: HttpRequest, people: QuerySet[User]) -> None:
        reason, by, now = request.POST.get("reason", "").strip(), _staff(request), timezone.now()
        if not reason:
            self.message_user(request, _("Nobody was suspended: give a reason."), messages.ERROR)
            return
        self._for_each(request, people, lambda user: standing.suspend(user_id=user.pk, reason=reason, by=by, now=now))

    @admin.action(description=_("Reinstate"), permissions=["suspend"])
    def reinstate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        by, now = _staff(request), timezone.now()
        self._for_each(request, people, lambda user: standing.reinstate(user_id=user.pk, by=by, now=now))

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
        return chip(_("signed in"), "good") if attempt.success else chip(attempt.reason, "warn")

    @admin.display(description=_("Device"))
    def device_in_words(self, attempt: LoginAttempt) -> str:
        return device_name(attempt.device)


def _staff(request: HttpRequest) -> Any:
    return request.user
