"""Distributions in the admin: everything is read-only, and the page of one that waits has the decision on it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from core import clock
from core.admin import DecisionAdmin, chip, reason_in
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
from investments.two_person_admin import LargePayoutAdmin
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


@admin.register(Distribution)
class DistributionAdmin(DecisionAdmin):
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

    decision_template = "admin/investments/distribution/review.html"
    decisions = {"approve": "approve", "reject": "reject"}
    """Bound to what was shown: `seen`."""

    def rows(self, request: HttpRequest) -> QuerySet[Distribution]:
        return self.get_queryset(request).select_related("campaign__owner", "charge__method", "decided_by")

    def approve(self, request: HttpRequest, distribution: Distribution) -> str:
        seen = request.POST.get("seen", "")
        approve_distribution(staff=request.user, distribution_id=distribution.pk, seen=seen, now=clock.now())  # type: ignore[arg-type]
        self.message_user(request, _("%(amount)s go to the holders.") % {"amount": distribution.amount})
        return ""

    def reject(self, request: HttpRequest, distribution: Distribution) -> str:
        """Returns what is wrong with the words to the owner, if something is."""
        missing = _("Write to the owner why it is rejected.")
        reason, wrong = reason_in(request, most=LONGEST_REASON, missing=missing)
        if wrong:
            return wrong
        reject_distribution(
            staff=request.user,  # type: ignore[arg-type]
            distribution_id=distribution.pk,
            seen=request.POST.get("seen", ""),
            reason=reason,
            now=clock.now(),
        )
        self.message_user(request, _("%(amount)s go back to the owner.") % {"amount": distribution.amount})
        return ""

    def page(self, request: HttpRequest, distribution: Distribution) -> dict[str, Any]:
        charge = distribution.charge
        holders = holders_of(distribution.campaign_id)
        is_holder = holdings_in(distribution.campaign_id).filter(investor_id=request.user.pk).exists()
        refusal = decision_refusal(distribution, charge, request.user, is_holder=is_holder)  # type: ignore[arg-type]
        is_waiting = distribution.status == Distribution.Status.PROPOSED
        return {
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
        }


@admin.register(Payout)
class PayoutAdmin(LargePayoutAdmin):
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
