"""Distributions in the admin: everything is read-only, and the page of one that waits has the decision on it."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from core import clock
from core.admin import ReadOnlyAdmin, chip
from core.api.errors import Refusal
from core.money import Money
from investments.access import holdings_in
from investments.models import Distribution, DistributionCharge, Payout
from investments.permissions import READ, REVIEW_DISTRIBUTIONS
from investments.services.distribution_review import (
    approve_distribution,
    decision_refusal,
    evidence_of,
    holders_of,
    reject_distribution,
)
from ledger.admin import postings_of

TONES: dict[str, str] = {
    Distribution.Status.PROPOSED: "info",
    Distribution.Status.APPROVED: "good",
    Distribution.Status.PAID: "good",
    Distribution.Status.REJECTED: "bad",
    DistributionCharge.Status.REFUNDED: "warn",
    Payout.Status.FAILED: "bad",
}
LONGEST_REASON = 500


class ReasonForm(forms.Form):
    """The reviewer's reason, for the owner of a rejected distribution."""

    reason = forms.CharField(
        max_length=LONGEST_REASON, error_messages={"required": gettext_lazy("Write to the owner why it is rejected.")}
    )


@admin.register(Distribution)
class DistributionAdmin(ReadOnlyAdmin):
    right = REVIEW_DISTRIBUTIONS
    list_display = ("created_at", "campaign", "kind", "amount_text", "status_chip", "paid_in")
    list_filter = ("status", "kind", "currency")
    search_fields = ("campaign__title", "proposed_by__email")
    search_help_text = gettext_lazy("Campaign, or owner's e-mail address")
    list_select_related = ("campaign", "charge")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount_text(self, distribution: Distribution) -> str:
        return str(distribution.amount)

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_chip(self, distribution: Distribution) -> SafeString:
        return chip(distribution.get_status_display(), TONES.get(distribution.status, ""))

    @admin.display(description=gettext_lazy("payment"))
    def paid_in(self, distribution: Distribution) -> str:
        return distribution.charge.get_status_display()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What a decision is bound to, and the decision: `decision=approve|reject`, `seen`, `reason`."""
        distribution = self._distribution(request, object_id)
        if request.method != "POST":
            return self._page(request, distribution)
        decide = {"approve": self._approve, "reject": self._reject}.get(request.POST.get("decision", ""))
        if decide is None:
            raise Http404
        try:
            refused = decide(request, distribution)
        except Refusal as refusal:
            now_there = self._distribution(request, object_id)
            return self._page(request, now_there, refused=refusal.detail, status=refusal.status)
        if refused:
            return self._page(request, distribution, refused=refused, status=400)
        return HttpResponseRedirect(reverse("admin:investments_distribution_changelist"))

    def _distribution(self, request: HttpRequest, object_id: str) -> Distribution:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = Distribution.objects.select_related("campaign__owner", "charge__method", "decided_by")
            return found.get(pk=UUID(object_id))
        except (Distribution.DoesNotExist, ValueError):
            raise Http404 from None

    def _approve(self, request: HttpRequest, distribution: Distribution) -> str:
        seen = request.POST.get("seen", "")
        approve_distribution(staff=request.user, distribution_id=distribution.pk, seen=seen, now=clock.now())  # type: ignore[arg-type]
        self.message_user(request, _("%(amount)s go to the holders.") % {"amount": distribution.amount})
        return ""

    def _reject(self, request: HttpRequest, distribution: Distribution) -> str:
        """Returns what is wrong with the words to the owner, if something is."""
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return " ".join(map(str, form.errors["reason"]))
        reject_distribution(
            staff=request.user,  # type: ignore[arg-type]
            distribution_id=distribution.pk,
            seen=request.POST.get("seen", ""),
            reason=form.cleaned_data["reason"],
            now=clock.now(),
        )
        self.message_user(request, _("%(amount)s go back to the owner.") % {"amount": distribution.amount})
        return ""

    def _page(
        self, request: HttpRequest, distribution: Distribution, *, refused: str = "", status: int = 200
    ) -> HttpResponse:
        """:param refused: why the action was refused; the form keeps its input"""
        charge = distribution.charge
        holders = holders_of(distribution.campaign_id)
        is_holder = holdings_in(distribution.campaign_id).filter(investor_id=request.user.pk).exists()
        refusal = decision_refusal(distribution, charge, request.user, is_holder=is_holder)  # type: ignore[arg-type]
        is_waiting = distribution.status == Distribution.Status.PROPOSED
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(distribution),
            "distribution": distribution,
            "charge": charge,
            "tone": TONES.get(distribution.status, ""),
            "holders": holders,
            "booked": postings_of(f"distribution:{distribution.pk}"),
            "held": Money(holders.held_minor, distribution.currency),
            "seen": evidence_of(distribution, charge, holders),
            "is_waiting": is_waiting,
            "hindrance": refusal.detail if refusal and is_waiting else "",
            "longest_reason": LONGEST_REASON,
            "refused": refused,
            "typed": request.POST.get("reason", ""),
        }
        return TemplateResponse(request, "admin/investments/distribution/review.html", context, status=status)


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("created_at", "investment", "amount_text", "method", "status_chip", "failure_code")
    list_filter = ("status", "provider")
    fields = (
        *("investment", "method", "amount_text", "status_chip", "provider", "provider_id", "failure_code"),
        *("reservation", "created_at", "updated_at"),
    )
    search_fields = ("investment__reference", "investment__investor__email")
    search_help_text = gettext_lazy("Reference of the investment, or investor's e-mail address")
    list_select_related = ("investment", "method")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount_text(self, payout: Payout) -> str:
        return str(payout.amount)

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_chip(self, payout: Payout) -> SafeString:
        return chip(payout.get_status_display(), TONES.get(payout.status, ""))
