"""What takes two people, in the admin: large refunds and payouts, refunds that staff propose, corrections."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from core import clock, events
from core.admin import ReadOnlyAdmin, add_link, reason_in
from core.api.errors import Refusal
from core.money import Money, parse_decimal
from investments.models import Approval, Correction, Investment, Payment, Payout, Refund, StaffRefund
from investments.permissions import APPROVE_REFUNDS, CORRECT_BOOKS
from investments.services import corrections, large_payments, staff_refunds
from investments.services.approvals import TWO, approvals_of
from investments.settlement_admin import LONGEST_REASON, TwoPersonAdmin
from ledger.models import LedgerAccount, Posting

ONCE = gettext_lazy("You have approved this already. Somebody else has to approve it as well.")


class ApprovedAdmin(TwoPersonAdmin):
    """With the approvals of a row, and who may not decide on it."""

    subject: str

    def case(
        self, request: HttpRequest, row: Any, digest: str, refusal: Refusal | None, *, people: int = TWO
    ) -> dict[str, Any]:
        """:param people: how many have to approve it"""
        approvals = list(approvals_of(self.subject, row.pk, digest))
        hindrance = refusal.detail if refusal else ""
        if not hindrance and any(one.person_id == request.user.pk for one in approvals):
            hindrance = str(ONCE)
        return {
            **super().page(request, row),
            "seen": digest,
            "approvals": approvals,
            "hindrance": hindrance,
            "people_needed": people,
        }


def _investor(investment: Investment) -> tuple[str, list[tuple[str, str]]]:
    return _("Investor"), [(_("Name"), investment.investor.name), (_("E-mail"), investment.investor.email)]


def _proposed(row: StaffRefund | Correction) -> tuple[str, list[tuple[str, str]]]:
    return _("Proposed"), [(_("By"), row.proposed_by.name), (_("Rejected with"), row.answer or "–")]


# --- Large refunds and payouts --------------------------------------------------------------------------------------


class LargePaymentAdmin(ApprovedAdmin):
    """The page of a refund or payout: with a decision if it takes two people, otherwise a read-only one."""

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        return self.get_queryset(request).filter(people_needed__gt=0)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None or not row.people_needed:
            return ReadOnlyAdmin.change_view(self, request, object_id, form_url, extra_context)
        return super().change_view(request, object_id, form_url, extra_context)

    def page(self, request: HttpRequest, row: Refund | Payout) -> dict[str, Any]:
        investment = large_payments.investment_of(row)
        payment = investment.payment
        refusal = large_payments.decision_refusal(row, request.user)  # type: ignore[arg-type]
        return {
            **self.case(request, row, large_payments.digest_of_held(row), refusal),
            "amount": row.amount,
            "about": _("%(reference)s, %(title)s")
            % {
                "reference": investment.reference,
                "title": investment.campaign.title,
            },
            "evidence": [
                (_("Amount"), row.amount),
                (_("Goes to"), row.method if isinstance(row, Payout) else payment.key),
                (_("Captured"), Money(payment.captured_minor, row.currency)),
                (_("Refunded or on its way"), Money(payment.refunded_minor, row.currency)),
                (_("Disputed"), Money(payment.disputed_minor, row.currency)),
                (_("Investment"), investment.get_status_display()),
            ],
            "is_waiting": row.status == "pending" and row.is_held,
            "asides": [
                (_("Investor"), [(_("Name"), investment.investor.name), (_("E-mail"), investment.investor.email)])
            ],
            "history": events.timeline(investment),
        }

    def said(self, request: HttpRequest, row: Refund | Payout) -> str:
        if row.is_held:
            self.message_user(request, _("Approved. Somebody else has to approve it as well."))
        else:
            self.message_user(request, _("%(amount)s are sent.") % {"amount": row.amount})
        return ""


class LargeRefundAdmin(LargePaymentAdmin):
    subject = Approval.Subject.REFUND

    def rows(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().rows(request).select_related("payment__investment__campaign", "payment__investment__investor")

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        row.payment.investment.payment = row.payment
        return {**super().page(request, row), "may_reject": False}

    def approve(self, request: HttpRequest, row: Refund) -> str:
        seen = request.POST.get("seen", "")
        staff: Any = request.user
        return self.said(
            request, large_payments.approve_refund(staff=staff, refund_id=row.pk, seen=seen, now=clock.now())
        )

    def reject(self, request: HttpRequest, row: Refund) -> str:
        return _("A refund goes back to its owner; it can only wait.")


class LargePayoutAdmin(LargePaymentAdmin):
    subject = Approval.Subject.PAYOUT

    def rows(self, request: HttpRequest) -> QuerySet[Payout]:
        found = ("investment__campaign", "investment__investor", "investment__payment", "method")
        return super().rows(request).select_related(*found)

    def approve(self, request: HttpRequest, row: Payout) -> str:
        seen = request.POST.get("seen", "")
        staff: Any = request.user
        return self.said(
            request, large_payments.approve_payout(staff=staff, payout_id=row.pk, seen=seen, now=clock.now())
        )

    def reject(self, request: HttpRequest, row: Payout) -> str:
        staff: Any = request.user
        seen = request.POST.get("seen", "")
        large_payments.reject_payout(staff=staff, payout_id=row.pk, seen=seen, now=clock.now())
        self.message_user(request, _("%(amount)s are available to the investor again.") % {"amount": row.amount})
        return ""


# --- Proposals ------------------------------------------------------------------------------------------------------


class ProposalAdmin(ApprovedAdmin):
    """Rows that staff propose on a page of their own, reached from the page of what they are about."""

    proposal_form: type[forms.Form]

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_propose"
        return [
            path("propose/<uuid:key>", self.admin_site.admin_view(self.propose_view), name=name),
            *super().get_urls(),
        ]

    def propose_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        subject = self.subject_rows().filter(pk=key).first()
        if subject is None:
            raise Http404
        form = self.proposal_form(request.POST if request.method == "POST" else None)
        refused, status = "", 200
        if request.method == "POST":
            try:
                if form.is_valid():
                    made = self.propose(request, subject, form.cleaned_data)
                    app, name = self.opts.app_label, self.opts.model_name
                    return HttpResponseRedirect(reverse(f"admin:{app}_{name}_change", args=[made.pk]))
                refused, status = _("Correct what is marked below."), 400
            except Refusal as refusal:
                refused, status = refusal.detail, refusal.status
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
            "list_title": capfirst(str(self.opts.verbose_name_plural)),
            "form": form,
            "refused": refused,
            **self.proposal_page(subject),
        }
        return TemplateResponse(request, "admin/investments/propose.html", context, status=status)

    def subject_rows(self) -> QuerySet[Any]:
        """What can be proposed about."""
        raise NotImplementedError

    def propose(self, request: HttpRequest, subject: Any, data: dict[str, Any]) -> Model:
        """Call the service."""
        raise NotImplementedError

    def proposal_page(self, subject: Any) -> dict[str, Any]:
        """`title`, `about` and `evidence`."""
        raise NotImplementedError


class StaffRefundForm(forms.Form):
    amount = forms.CharField(label=gettext_lazy("Amount"), max_length=25)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=LONGEST_REASON, widget=forms.Textarea)


@admin.register(StaffRefund)
class StaffRefundAdmin(ProposalAdmin):
    right = APPROVE_REFUNDS
    subject = Approval.Subject.STAFF_REFUND
    list_display = ("created_at", "investment", "amount_text", "status_chip", "proposed_by")
    list_filter = ("status", "currency")
    search_fields = ("investment__reference", "investment__investor__email")
    search_help_text = gettext_lazy("Reference of the investment, or investor's e-mail address")
    list_select_related = ("investment", "proposed_by")
    proposal_form = StaffRefundForm

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount_text(self, proposal: StaffRefund) -> str:
        return str(proposal.amount)

    def rows(self, request: HttpRequest) -> QuerySet[StaffRefund]:
        found = ("investment__campaign__owner", "investment__investor", "investment__payment", "proposed_by")
        return self.get_queryset(request).select_related(*found)

    def subject_rows(self) -> QuerySet[Investment]:
        return Investment.objects.select_related("payment", "campaign", "investor")

    def proposal_page(self, investment: Investment) -> dict[str, Any]:
        payment: Payment = investment.payment
        payment.investment = investment
        available = Money(staff_refunds.refundable(payment), investment.currency)
        return {
            "title": _("Refund of %(reference)s") % {"reference": investment.reference},
            "about": _("%(name)s, %(title)s") % {"name": investment.investor.name, "title": investment.campaign.title},
            "evidence": [
                (_("Amount"), investment.amount),
                (_("Status"), investment.get_status_display()),
                (_("Can be refunded"), available),
            ],
        }

    def propose(self, request: HttpRequest, investment: Investment, data: dict[str, Any]) -> StaffRefund:
        staff: Any = request.user
        proposal = staff_refunds.propose_refund(
            staff=staff,
            investment_id=investment.pk,
            amount=parse_decimal(data["amount"]),
            reason=data["reason"],
            now=clock.now(),
        )
        self._say(request, proposal)
        return proposal

    def _say(self, request: HttpRequest, proposal: StaffRefund) -> None:
        done = proposal.status == StaffRefund.Status.APPROVED
        about = {"amount": proposal.amount}
        text = _("%(amount)s go back to the investor.") if done else _("%(amount)s wait for a second person.")
        self.message_user(request, text % about)

    def page(self, request: HttpRequest, proposal: StaffRefund) -> dict[str, Any]:
        investment = proposal.investment
        payment = investment.payment
        payment.investment = investment
        people = staff_refunds.people_needed(proposal.amount)
        refusal = staff_refunds.staff_refusal(payment, request.user)  # type: ignore[arg-type]
        return {
            **self.case(request, proposal, staff_refunds.digest_of_proposal(proposal, payment), refusal, people=people),
            "amount": proposal.amount,
            "about": _("%(reference)s, %(title)s")
            % {
                "reference": investment.reference,
                "title": investment.campaign.title,
            },
            "words": proposal.reason,
            "words_title": _("Why"),
            "evidence": [
                (_("Amount"), proposal.amount),
                (_("Captured"), Money(payment.captured_minor, proposal.currency)),
                (_("Refunded or on its way"), Money(payment.refunded_minor, proposal.currency)),
                (_("Disputed"), Money(payment.disputed_minor, proposal.currency)),
                (_("Investment"), investment.get_status_display()),
                (_("Campaign"), investment.campaign.get_status_display()),
            ],
            "is_waiting": proposal.status == StaffRefund.Status.PROPOSED,
            "asides": [
                _investor(investment),
                _proposed(proposal),
            ],
        }

    def approve(self, request: HttpRequest, proposal: StaffRefund) -> str:
        staff: Any = request.user
        seen = request.POST.get("seen", "")
        made = staff_refunds.approve_staff_refund(staff=staff, proposal_id=proposal.pk, seen=seen, now=clock.now())
        self._say(request, made)
        return ""

    def reject(self, request: HttpRequest, proposal: StaffRefund) -> str:
        answer, wrong = reason_in(request, most=LONGEST_REASON, missing=_("Write why it is rejected."))
        if wrong:
            return wrong
        staff: Any = request.user
        seen = request.POST.get("seen", "")
        staff_refunds.reject_staff_refund(
            staff=staff, proposal_id=proposal.pk, seen=seen, answer=answer, now=clock.now()
        )
        return ""


add_link(Investment, gettext_lazy("Propose a refund"), "admin:investments_staffrefund_propose", APPROVE_REFUNDS)


class CorrectionForm(forms.Form):
    lines = forms.CharField(
        label=gettext_lazy("Lines"),
        required=False,
        max_length=4000,
        widget=forms.Textarea,
        help_text=gettext_lazy("Empty: the reverse. Otherwise one a line: account, debit or credit, amount."),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=LONGEST_REASON, widget=forms.Textarea)

    def clean_lines(self) -> list[tuple[str, int]]:
        return [_line(text) for text in self.cleaned_data["lines"].splitlines() if text.strip()]


def _line(text: str) -> tuple[str, int]:
    """`escrow:… debit 10.00` as the account's code and its minor units, debit positive."""
    wrong = forms.ValidationError(_("Not account, debit or credit, amount: %(text)s") % {"text": text[:60]})
    parts = text.split()
    account = LedgerAccount.objects.filter(code=parts[0]).first() if len(parts) == 3 else None
    if account is None or parts[1] not in ("debit", "credit"):
        raise wrong
    try:
        minor = Money.of(parse_decimal(parts[2]), account.currency).minor
    except Refusal:
        raise wrong from None
    return account.code, minor if parts[1] == "debit" else -minor


@admin.register(Correction)
class CorrectionAdmin(ProposalAdmin):
    right = CORRECT_BOOKS
    subject = Approval.Subject.CORRECTION
    list_display = ("created_at", "original", "reason", "status_chip", "proposed_by", "decided_by")
    list_filter = ("status",)
    search_fields = ("original__key", "original__reference")
    search_help_text = gettext_lazy("Key or reference of the transaction")
    list_select_related = ("original", "proposed_by", "decided_by")
    proposal_form = CorrectionForm

    def rows(self, request: HttpRequest) -> QuerySet[Correction]:
        return self.get_queryset(request).select_related("original", "proposed_by", "decided_by")

    def subject_rows(self) -> QuerySet[Posting]:
        return Posting.objects.filter(phase=Posting.Phase.POSTED)

    def proposal_page(self, posting: Posting) -> dict[str, Any]:
        entries = posting.entries.select_related("account").order_by("account__code")
        return {
            "title": _("Correction of %(key)s") % {"key": posting.key},
            "about": posting.kind,
            "evidence": [(entry.account.code, _side(entry.amount, entry.currency)) for entry in entries],
        }

    def propose(self, request: HttpRequest, posting: Posting, data: dict[str, Any]) -> Correction:
        staff: Any = request.user
        made = corrections.propose_correction(
            staff=staff, posting_id=posting.pk, lines=data["lines"], reason=data["reason"], now=clock.now()
        )
        self.message_user(request, _("Proposed. Somebody else approves it."))
        return made

    def page(self, request: HttpRequest, correction: Correction) -> dict[str, Any]:
        lines = corrections.lines_of(correction)
        accounts = LedgerAccount.objects.in_bulk([code for code, _ in lines], field_name="code")
        refusal = corrections.decision_refusal(correction, request.user)  # type: ignore[arg-type]
        return {
            **self.case(request, correction, corrections.digest_of_correction(correction), refusal, people=1),
            "title": correction.original.key,
            "amount": correction.original.key,
            "about": _("the reverse of it") if not correction.lines else _("lines of its own"),
            "words": correction.reason,
            "words_title": _("Why"),
            "evidence": [(code, _side(minor, accounts[code].currency)) for code, minor in lines],
            "is_waiting": correction.status == Correction.Status.PROPOSED,
            "asides": [
                (
                    _("What the accounts have"),
                    [(code, accounts[code].available) for code, _minor in lines],
                ),
                (
                    _("Proposed"),
                    [(_("By"), correction.proposed_by.name), (_("Rejected with"), correction.answer or "–")],
                ),
            ],
        }

    def approve(self, request: HttpRequest, correction: Correction) -> str:
        staff: Any = request.user
        seen = request.POST.get("seen", "")
        corrections.approve_correction(staff=staff, correction_id=correction.pk, seen=seen, now=clock.now())
        self.message_user(request, _("The correction is booked."))
        return ""

    def reject(self, request: HttpRequest, correction: Correction) -> str:
        answer, wrong = reason_in(request, most=LONGEST_REASON, missing=_("Write why it is rejected."))
        if wrong:
            return wrong
        staff: Any = request.user
        seen = request.POST.get("seen", "")
        corrections.reject_correction(
            staff=staff, correction_id=correction.pk, seen=seen, answer=answer, now=clock.now()
        )
        return ""


def _side(minor: int, currency: str) -> str:
    """`debit 10.00 USD`; plain digits that line up."""
    amount = Money(abs(minor), currency)
    return f"{_('debit') if minor > 0 else _('credit')} {amount.text} {currency}"


add_link(Posting, gettext_lazy("Propose a correction"), "admin:investments_correction_propose", CORRECT_BOOKS)
