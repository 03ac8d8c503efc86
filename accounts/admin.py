"""People in the admin: looked at by staff, changed only by their workflows."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import Session, Status, User
from core.admin import ReadOnlyAdmin, chip, person_cell

_STATUS_TONES = {Status.ACTIVE: "good", Status.SUSPENDED: "warn", Status.DELETED: "bad"}


class SessionInline(admin.TabularInline):
    model = Session
    fields = (
        "device",
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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
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
        (_("Standing"), {"fields": ("role", "status", "badges", "email_verified_at", "identity_verified_at")}),
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
