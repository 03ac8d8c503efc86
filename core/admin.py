from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.models import AuditEntry, OutboxEvent


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what nobody edits by hand, whatever the role."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "action", "actor_label", "actor_id", "target_type", "target_id", "address")
    list_filter = ("action",)
    search_fields = ("actor_id", "target_id", "request_id")
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "topic", "attempts", "due_at", "delivered_at", "parked_at", "last_error")
    list_filter = (("parked_at", admin.EmptyFieldListFilter), ("delivered_at", admin.EmptyFieldListFilter), "topic")
    show_full_result_count = False
