"""People in the admin: looked at by staff, changed only by their workflows."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Session, User
from core.admin import ReadOnlyAdmin


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
    list_display = ("email", "name", "role", "status", "email_verified_at", "identity_verified_at", "created_at")
    list_filter = (
        "role",
        "status",
        ("email_verified_at", admin.EmptyFieldListFilter),
        ("identity_verified_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("email", "first_name", "last_name")
    ordering = ("-created_at",)
    exclude = ("password", "last_login")
    inlines = (SessionInline,)
    show_full_result_count = False
