"""Settlements in the admin: what waits, and the page of one with its evidence and the decision of two people."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from core import clock, events
from core.admin import DecisionAdmin, ReadOnlyAdmin, chip, reason_in
from core.money import Money
from investments.models import Approval, Dispute, PayoutTarget, Settlement, SettlementPayment
from investments.permissions import APPROVE_SETTLEMENTS
from investments.services.approvals import TWO
from investments.services.settlements import (
    approve_settlement,
    decision_refusal,
    read_case,
    reject_settlement,
)

TONES: dict[str, str] = {
    Settlement.Status.WAITING_FOR_TARGET: "warn",
    Settlement.Status.WAITING_FOR_APPROVAL: "info",
    Settlement.Status.APPROVED: "good",
    Settlement.Status.PAYING: "info",
    Settlement.Status.PAID: "good",
    PayoutTarget.Status.VERIFIED: "good",
    PayoutTarget.Status.REJECTED: "bad",
    SettlementPayment.Status.FAILED: "bad",
}
LONGEST_REASON = 500


class TwoPersonAdmin(DecisionAdmin):
    """The page of something that two people approve, each bound to the evidence that they were shown (`seen`)."""

    decision_template = "admin/investments/two_person.html"
    decisions = {"approve": "approve", "reject": "reject"}
    show_full_result_count = False
    ordering = ("-created_at", "-id")

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        app, name = self.opts.app_label, self.opts.model_name
        return {
            "list_url": reverse(f"admin:{app}_{name}_changelist"),
            "list_title": capfirst(str(self.opts.verbose_name_plural)),
            "tone": TONES.get(row.status, ""),
            "status": row.get_status_display(),
            "longest_reason": LONGEST_REASON,
            "may_reject": True,
            "reason_label": _("Why, if it is rejected"),
        }

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_chip(self, row: Any) -> SafeString:
        return chip(row.get_status_display(), TONES.get(row.status, ""))


@admin.register(Settlement)
class SettlementAdmin(TwoPersonAdmin):
    right = APPROVE_SETTLEMENTS
    list_display = ("created_at", "campaign", "net_text", "paid_text", "status_chip", "because")
    list_filter = ("status", "currency")
    search_fields = ("campaign__title", "owner__email")
    search_help_text = gettext_lazy("Campaign, or owner's e-mail address")
    list_select_related = ("campaign",)

    @admin.display(description=gettext_lazy("net"))
    def net_text(self, settlement: Settlement) -> str:
        return str(settlement.net)

    @admin.display(description=gettext_lazy("paid"), ordering="paid_minor")
    def paid_text(self, settlement: Settlement) -> str:
        return str(settlement.paid)

    def rows(self, request: HttpRequest) -> QuerySet[Settlement]:
        return self.get_queryset(request).select_related("campaign", "owner")

    def approve(self, request: HttpRequest, settlement: Settlement) -> str:
        seen = request.POST.get("seen", "")
        now_there = approve_settlement(
            staff=request.user,  # type: ignore[arg-type]
            settlement_id=settlement.pk,
            seen=seen,
            now=clock.now(),
        )
        if now_there.status == Settlement.Status.APPROVED:
            self.message_user(request, _("%(amount)s go to the owner.") % {"amount": settlement.remaining})
        else:
            self.message_user(request, _("Approved. Somebody else has to approve it as well."))
        return ""

    def reject(self, request: HttpRequest, settlement: Settlement) -> str:
        reason, wrong = reason_in(request, most=LONGEST_REASON, missing=_("Write to the owner why it is rejected."))
        if wrong:
            return wrong
        reject_settlement(
            staff=request.user,  # type: ignore[arg-type]
            settlement_id=settlement.pk,
            seen=request.POST.get("seen", ""),
            reason=reason,
            now=clock.now(),
        )
        self.message_user(request, _("%(amount)s stay where they are.") % {"amount": settlement.remaining})
        return ""

    def page(self, request: HttpRequest, settlement: Settlement) -> dict[str, Any]:
        case = read_case(settlement)
        refusal = decision_refusal(case, request.user)  # type: ignore[arg-type]
        approvals = list(case.approvals)
        hindrance = refusal.detail if refusal else ""
        if not hindrance and any(one.person_id == request.user.pk for one in approvals):
            hindrance = _("You have approved this already. Somebody else has to approve it as well.")
        target = case.target
        payments = settlement.payments.order_by("attempt")
        return {
            **super().page(request, settlement),
            "amount": settlement.remaining if settlement.remaining_minor else settlement.net,
            "about": _("to the owner of %(title)s") % {"title": settlement.campaign.title},
            "words": settlement.reason,
            "words_title": _("Rejected with"),
            "evidence": [
                (_("Released"), settlement.gross),
                (_("Released later"), Money(settlement.late_minor, settlement.currency)),
                (_("Fees"), settlement.fees),
                (_("Withheld"), settlement.withheld),
                (_("Net"), settlement.net),
                (_("Paid"), settlement.paid),
                (_("Owed to the owner in the books"), case.balance),
                (_("Of it disputed or on its way"), case.frozen),
                (_("Disputes"), _disputes(case.disputes)),
                (_("Payout target"), f"{target} · {target.get_status_display()}" if target else _("none")),
            ],
            "reason_label": _("To the owner, if it is rejected"),
            "seen": case.digest,
            "is_waiting": settlement.status == Settlement.Status.WAITING_FOR_APPROVAL and case.needs_two,
            "hindrance": hindrance,
            "approvals": approvals,
            "people_needed": TWO if case.needs_two else 0,
            "asides": [
                (
                    _("Owner"),
                    [
                        (_("Name"), settlement.owner.name),
                        (_("E-mail"), settlement.owner.email),
                        (_("Identity"), _("proven") if settlement.owner.kyc_verified else _("not proven")),
                    ],
                ),
                (
                    _("Payments"),
                    [
                        (one.key, f"{one.amount} · {one.get_status_display()} {one.failure_code}".strip())
                        for one in payments
                    ],
                ),
            ],
            "history": events.timeline(settlement),
        }


def _disputes(counts: Mapping[str, int]) -> str:
    """`2 open, 1 lost`."""
    labels = {status.value: str(status.label).lower() for status in Dispute.Status}
    return ", ".join(f"{count} {labels[status]}" for status, count in counts.items()) or _("none")


@admin.register(PayoutTarget)
class PayoutTargetAdmin(ReadOnlyAdmin):
    right = APPROVE_SETTLEMENTS
    list_display = ("created_at", "owner", "method", "status_chip", "reason", "verified_at", "removed_at")
    list_filter = ("status",)
    search_fields = ("owner__email",)
    search_help_text = gettext_lazy("Owner's e-mail address")
    list_select_related = ("owner", "method")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_chip(self, target: PayoutTarget) -> SafeString:
        return chip(target.get_status_display(), TONES.get(target.status, ""))


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    right = APPROVE_SETTLEMENTS
    list_display = ("created_at", "person", "subject_kind", "subject_id", "digest")
    list_filter = ("subject_kind",)
    search_fields = ("=subject_id", "person__email")
    search_help_text = gettext_lazy("Id of what was approved, or e-mail address of who approved")
    list_select_related = ("person",)
    ordering = ("-created_at", "-id")
    show_full_result_count = False
