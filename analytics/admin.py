"""Names of events that clients send and nobody has registered, for operators; and where a campaign's figures are."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from analytics.models import EventName
from analytics.permissions import READ_FIGURES, REGISTER_NAMES
from analytics.services import event_names
from campaigns.models import Campaign
from core import clock
from core.admin import ReadOnlyAdmin, add_link, chip, holds

add_link(Campaign, gettext_lazy("Figures"), "campaign-figures", READ_FIGURES)


class RegisteredFilter(admin.SimpleListFilter):
    title = gettext_lazy("registered")
    parameter_name = "registered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Kept aside")), ("yes", _("Registered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[EventName]) -> QuerySet[EventName]:
        if self.value() is None:
            return queryset
        return queryset.filter(registered_at__isnull=self.value() == "no")


@admin.register(EventName)
class EventNameAdmin(ReadOnlyAdmin):
    right = READ_FIGURES
    list_display = ("name", "count", "first_seen_at", "last_seen_at", "state")
    list_filter = (RegisteredFilter,)
    search_fields = ("name",)
    ordering = ("-count", "name")
    actions = ("register",)

    @admin.display(description=gettext_lazy("state"))
    def state(self, name: EventName) -> Any:
        return chip(_("registered"), "good") if name.registered_at else chip(_("kept aside"), "info")

    def has_register_permission(self, request: HttpRequest) -> bool:
        return holds(request, REGISTER_NAMES)

    @admin.action(description=gettext_lazy("Count these events in figures from now on"), permissions=["register"])
    def register(self, request: HttpRequest, queryset: QuerySet[EventName]) -> None:
        count = event_names.register(queryset.values_list("name", flat=True), actor=request.user, now=clock.now())
        text = ngettext("%(count)d name registered.", "%(count)d names registered.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
