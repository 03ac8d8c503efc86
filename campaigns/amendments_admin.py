"""Amendments in the admin: the queue and the page of one, with what it changes. Decisions call the services."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from campaigns.models import PUBLIC_NAMES, Amendment, AmendmentStatus, ReviewPhrase, read_stored
from campaigns.permissions import MODERATE
from campaigns.services.amendments import approve_amendment, reject_amendment
from core import clock
from core.admin import DecisionAdmin, chip, holds, person_cell, reason_in
from core.money import Money

TONES: dict[str, str] = {
    AmendmentStatus.PROPOSED: "info",
    AmendmentStatus.APPROVED: "good",
    AmendmentStatus.REJECTED: "bad",
}
LABELS: dict[str, Any] = {
    "goal_minor": gettext_lazy("Goal"),
    "max_minor": gettext_lazy("At most"),
    "min_investment_minor": gettext_lazy("Each at least"),
    "ends_at": gettext_lazy("Ends"),
    "expected_return_percent": gettext_lazy("Promised return"),
}
LONGEST_REASON = 1000


class QueueFilter(admin.SimpleListFilter):
    title = gettext_lazy("queue")
    parameter_name = "queue"
    template = "admin/campaigns/campaign/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting for review")), ("all", _("All"))]

    def value(self) -> str:
        return super().value() or "waiting"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Amendment]) -> QuerySet[Amendment]:
        return queryset if self.value() == "all" else queryset.filter(status=AmendmentStatus.PROPOSED)

    def choices(self, changelist: Any) -> Any:
        for name, label in self.lookup_choices:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}, ["p"]),
                "display": label,
            }


@admin.register(Amendment)
class AmendmentAdmin(DecisionAdmin):
    right = MODERATE
    list_display = ("campaign_title", "asked_by", "fields_text", "status_chip", "created_at")
    list_filter = (QueueFilter,)
    change_list_template = "admin/campaigns/campaign/queue.html"
    search_fields = ("campaign__title", "campaign__owner__email")
    search_help_text = gettext_lazy("Title of the campaign, or owner's e-mail address")
    list_select_related = ("campaign", "campaign__owner")
    ordering = ("created_at", "id")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("Campaign"), ordering="campaign__title")
    def campaign_title(self, amendment: Amendment) -> str:
        return amendment.campaign.title

    @admin.display(description=gettext_lazy("Owner"), ordering="campaign__owner__last_name")
    def asked_by(self, amendment: Amendment) -> SafeString:
        return person_cell(amendment.campaign.owner.name, amendment.campaign.owner.email)

    @admin.display(description=gettext_lazy("Changes"))
    def fields_text(self, amendment: Amendment) -> str:
        return ", ".join(str(LABELS[name]) for name in PUBLIC_NAMES if name in amendment.changes)

    @admin.display(description=gettext_lazy("Status"), ordering="status")
    def status_chip(self, amendment: Amendment) -> SafeString:
        return chip(amendment.get_status_display(), TONES.get(amendment.status, ""))

    # --- The page of one --------------------------------------------------------------------------------------------

    decision_template = "admin/campaigns/amendment/review.html"
    decisions = {"approve": "approve", "reject": "reject"}

    def rows(self, request: HttpRequest) -> QuerySet[Amendment]:
        return self.get_queryset(request).select_related("campaign__owner", "reviewer")

    def next_page(self, request: HttpRequest, amendment: Amendment) -> str:
        following = self._following(request, amendment)
        if following is None:
            return super().next_page(request, amendment)
        return reverse("admin:campaigns_amendment_change", args=[following.pk])

    def _following(self, request: HttpRequest, amendment: Amendment) -> Amendment | None:
        """The one that this person may decide on next, after the last one the first again."""
        waiting = self.get_queryset(request).filter(status=AmendmentStatus.PROPOSED).exclude(pk=amendment.pk)
        others = waiting.exclude(campaign__owner_id=request.user.pk).order_by("pk")
        return others.filter(pk__gt=amendment.pk).first() or others.first()

    def approve(self, request: HttpRequest, amendment: Amendment) -> str:
        approve_amendment(moderator=request.user, amendment_id=amendment.pk, now=clock.now())
        self.message_user(request, _("The new terms of %(title)s hold.") % {"title": amendment.campaign.title})
        return ""

    def reject(self, request: HttpRequest, amendment: Amendment) -> str:
        """Returns what is wrong with the words to the owner, if something is."""
        reason, wrong = reason_in(request, most=LONGEST_REASON, missing=_("Write to the owner why."))
        if wrong:
            return wrong
        reject_amendment(moderator=request.user, amendment_id=amendment.pk, reason=reason, now=clock.now())
        self.message_user(request, _("The terms of %(title)s stay as they are.") % {"title": amendment.campaign.title})
        return ""

    def page(self, request: HttpRequest, amendment: Amendment) -> dict[str, Any]:
        campaign = amendment.campaign
        following = self._following(request, amendment)
        return {
            "title": campaign.title,
            "amendment": amendment,
            "campaign": campaign,
            "tone": TONES.get(amendment.status, ""),
            "changes": [
                (LABELS[name], self._words(amendment, name, amendment.before), self._words(amendment, name, after))
                for name, after in ((name, amendment.changes) for name in PUBLIC_NAMES if name in amendment.changes)
            ],
            "reconfirm": campaign.rule_set["reconfirm_within"],
            "is_waiting": amendment.status == AmendmentStatus.PROPOSED,
            "is_own": campaign.owner_id == request.user.pk,
            "may_decide": holds(request, MODERATE),
            "following": following,
            "phrases": ReviewPhrase.objects.order_by("position", "id"),
            "longest_reason": LONGEST_REASON,
        }

    def _words(self, amendment: Amendment, name: str, values: dict[str, Any]) -> str:
        value = read_stored(name, values[name])
        if value is None:
            return _("none")
        if name == "ends_at":
            return f"{value:%d %b %Y %H:%M} UTC"
        if name == "expected_return_percent":
            return f"{value.normalize():f} %"
        return str(Money(value, amendment.campaign.currency))
