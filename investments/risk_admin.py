"""Risk cases in the admin: what was declined and by which rule that is too many, and the decision."""

from typing import Any, NamedTuple
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
from investments.models import DistributionCharge, Payment, RiskCase
from investments.permissions import REVIEW_RISK
from investments.services.risk_review import decide_risk_case, decision_refusal
from investments.velocity import rule_set

TONES: dict[str, str] = {
    RiskCase.Status.OPEN: "info",
    RiskCase.Status.LIFTED: "good",
    RiskCase.Status.KEPT: "warn",
    RiskCase.Status.BANNED: "bad",
}
DECISIONS = {"lift": RiskCase.Status.LIFTED, "keep": RiskCase.Status.KEPT, "ban": RiskCase.Status.BANNED}
LONGEST_NOTE = 500


class NoteForm(forms.Form):
    """Why it was decided so, for staff."""

    note = forms.CharField(
        max_length=LONGEST_NOTE, error_messages={"required": gettext_lazy("Write down why, for whoever looks next.")}
    )


class Declined(NamedTuple):
    """A declined charge of the evidence."""

    charge: Payment | DistributionCharge
    address: str
    """Of the admin's page about what it was to pay."""
    what: str
    who: str


@admin.register(RiskCase)
class RiskCaseAdmin(ReadOnlyAdmin):
    right = REVIEW_RISK
    list_display = ("created_at", "person", "method", "rule", "failures", "consequence", "status_chip")
    list_filter = ("status", "consequence", "rule")
    search_fields = ("person__email", "method__last4")
    search_help_text = gettext_lazy("Person's e-mail address, or last four digits")
    list_select_related = ("person", "method")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_chip(self, case: RiskCase) -> SafeString:
        return chip(case.get_status_display(), TONES.get(case.status, ""))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The evidence, and the decision: `decision=lift|keep|ban`, `seen`, `note`."""
        case = self._case(request, object_id)
        if request.method != "POST":
            return self._page(request, case)
        decision = DECISIONS.get(request.POST.get("decision", ""))
        if decision is None:
            raise Http404
        form = NoteForm(request.POST)
        if not form.is_valid():
            return self._page(request, case, refused=" ".join(map(str, form.errors["note"])), status=400)
        try:
            decide_risk_case(
                staff=request.user,  # type: ignore[arg-type]
                case_id=case.pk,
                decision=decision,
                seen=request.POST.get("seen", ""),
                note=form.cleaned_data["note"],
                now=clock.now(),
            )
        except Refusal as refusal:
            return self._page(request, self._case(request, object_id), refused=refusal.detail, status=refusal.status)
        self.message_user(request, _("The case is decided; %(name)s is told.") % {"name": case.person.name})
        return HttpResponseRedirect(reverse("admin:investments_riskcase_changelist"))

    def _case(self, request: HttpRequest, object_id: str) -> RiskCase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return RiskCase.objects.select_related("person", "method", "decided_by").get(pk=UUID(object_id))
        except (RiskCase.DoesNotExist, ValueError):
            raise Http404 from None

    def _page(self, request: HttpRequest, case: RiskCase, *, refused: str = "", status: int = 200) -> HttpResponse:
        """:param refused: why the decision was refused; the form keeps its input"""
        refusal = decision_refusal(case, request.user)  # type: ignore[arg-type]
        texts = {rule.id: rule.text for rule in rule_set().rules}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(case),
            "case": case,
            "tone": TONES.get(case.status, ""),
            "rule_text": texts.get(case.rule, ""),
            "minutes": case.window_seconds // 60,
            "declined": declined_charges(case.charges),
            "is_decidable": case.status != RiskCase.Status.LIFTED,
            "hindrance": refusal.detail if refusal else "",
            "longest_note": LONGEST_NOTE,
            "refused": refused,
            "typed": request.POST.get("note", ""),
        }
        return TemplateResponse(request, "admin/investments/riskcase/review.html", context, status=status)


def declined_charges(keys: list[str]) -> list[Declined]:
    """The charges of these keys, in their order."""
    payments = Payment.objects.filter(key__in=keys).select_related("investment__investor", "investment__campaign")
    charges = DistributionCharge.objects.filter(key__in=keys).select_related(
        "distribution__proposed_by", "distribution__campaign"
    )
    found: dict[str, Declined] = {}
    for payment in payments:
        investment = payment.investment
        address = reverse("admin:investments_investment_change", args=[investment.pk])
        what = f"{investment.reference}, {investment.campaign.title}"
        found[payment.key] = Declined(payment, address, what, investment.investor.name)
    for charge in charges:
        distribution = charge.distribution
        address = reverse("admin:investments_distribution_change", args=[distribution.pk])
        found[charge.key] = Declined(charge, address, distribution.campaign.title, distribution.proposed_by.name)
    return [found[key] for key in keys if key in found]
