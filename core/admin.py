from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from core.models import AuditEntry, OutboxEvent


def chip(text: Any, tone: str = "") -> SafeString:
    """A short state in a list; `tone` is `good`, `info`, `warn`, `bad` or nothing."""
    return format_html('<span class="chip {}">{}</span>', tone, text)


def person_cell(name: str, address: str) -> SafeString:
    """Initials, name and a line below."""
    initials = "".join(part[0] for part in name.split()[:2]).upper()
    return format_html(
        '<span class="who"><span class="face" aria-hidden="true">{}</span>'
        "<span><b>{}</b><small>{}</small></span></span>",
        initials,
        name,
        address,
    )


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what nobody edits by hand, whatever the role. Lists and pages are titled by what they show."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context.update({"title": context.get("subtitle") or context["title"], "subtitle": None})
        return super().render_change_form(request, context, *args, **kwargs)

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
