"""Investments, payments and provider events: admins may view them; only services change them."""

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from core import events
from core.admin import ReadOnlyAdmin, ReadOnlyRows, chip
from core.money import Money
from investments import (  # noqa: F401  (they register their pages)
    dispute_admin,
    distribution_admin,
    person_admin,
    risk_admin,
    settlement_admin,
)
from investments.models import (
    FeeLine,
    Investment,
    Payment,
    PaymentMethod,
    ProviderEvent,
    ProviderFee,
    Reconciliation,
    Refund,
    Status,
    Step,
)
from investments.permissions import READ
from investments.two_person_admin import LargeRefundAdmin
from ledger.admin import postings_of

TONES: dict[str, str] = {
    Status.PENDING: "info",
    Status.REQUIRES_ACTION: "info",
    Status.COMMITTED: "good",
    Status.INVESTED: "good",
    Status.FAILED: "bad",
    Status.REFUNDED: "warn",
    Status.CANCELLED: "warn",
    Payment.Status.CAPTURED: "good",
    ProviderEvent.Outcome.APPLIED: "good",
    ProviderEvent.Outcome.SET_ASIDE: "bad",
}


class PaymentInline(ReadOnlyRows):
    model = Payment
    fields = (
        *("provider", "provider_id", "key", "status", "fee", "captured", "refunded", "disputed"),
        *("failure_code", "expires_at"),
    )

    def fee(self, payment: Payment) -> str:
        return str(Money(payment.fee_minor, payment.investment.currency))

    def captured(self, payment: Payment) -> str:
        return str(Money(payment.captured_minor, payment.investment.currency))

    def refunded(self, payment: Payment) -> str:
        return str(Money(payment.refunded_minor, payment.investment.currency))

    def disputed(self, payment: Payment) -> str:
        return str(Money(payment.disputed_minor, payment.investment.currency))


@admin.register(Investment)
class InvestmentAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("reference", "investor", "campaign", "amount_text", "status_chip", "created_at")
    list_filter = ("status", "currency")
    fields = (
        *("reference", "investor", "campaign", "amount_text", "status_chip", "method"),
        *("fees", "created_at", "cancellable_until", "updated_at", "booked", "timeline"),
    )
    search_fields = ("reference", "investor__email", "campaign__title")
    search_help_text = _("Reference, investor's e-mail address or campaign")
    list_select_related = ("investor", "campaign")
    ordering = ("-created_at", "-id")
    inlines = (PaymentInline,)
    show_full_result_count = False

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, investment: Investment) -> str:
        return str(investment.amount)

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, investment: Investment) -> SafeString:
        return chip(investment.get_status_display(), TONES.get(investment.status, ""))

    @admin.display(description=_("fees"))
    def fees(self, investment: Investment) -> SafeString:
        """Each with what of it went back."""
        lines = FeeLine.objects.filter(payment__investment=investment).order_by("id")
        rows = ((line.fee, line.amount, gettext("back"), line.refunded) for line in lines)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} · {} · {} {}</li>", rows))

    @admin.display(description=_("in the books"))
    def booked(self, investment: Investment) -> SafeString:
        return postings_of(f"investment:{investment.pk}")

    @admin.display(description=_("timeline"))
    def timeline(self, investment: Investment) -> SafeString:
        rows = []
        for event in events.timeline(investment):
            facts = events.facts_of(event)
            moment = date_format(timezone.localtime(event.created_at), "DATETIME_FORMAT")
            rows.append((moment, Step(event.kind.partition(".")[2]).label, facts["amount"], facts.get("reason") or ""))
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} · {} {}</li>", rows))


@admin.register(Refund)
class RefundAdmin(LargeRefundAdmin):
    right = READ
    list_display = (
        "created_at",
        "payment",
        "amount_text",
        "fee_text",
        "reason",
        "status",
        "attempt",
        "failure_code",
        "retry_at",
    )
    list_filter = ("status", "reason")
    fields = (
        *("payment", "amount_text", "fee_text", "reason", "status", "attempt", "provider_id", "failure_code"),
        *("people_needed", "approved_at", "reservation", "created_at", "retry_at", "updated_at"),
    )
    search_fields = ("payment__investment__reference", "payment__key")
    search_help_text = _("Reference of the investment, or key of the payment")
    list_select_related = ("payment",)
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, refund: Refund) -> str:
        return str(refund.amount)

    @admin.display(description=_("fee"), ordering="fee_minor")
    def fee_text(self, refund: Refund) -> str:
        return str(refund.fee)


@admin.register(FeeLine)
class FeeLineAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("created_at", "fee", "kind", "campaign", "investment", "amount_text", "refunded_text")
    list_filter = ("kind", "currency", "fee")
    fields = (
        *("fee", "kind", "campaign", "investment", "payment"),
        *("amount_text", "refunded_text", "created_at"),
    )
    search_fields = ("payment__investment__reference", "campaign__title")
    search_help_text = _("Reference of the investment, or campaign")
    list_select_related = ("campaign", "payment__investment")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=_("investment"))
    def investment(self, line: FeeLine) -> str:
        """Empty for what an owner pays."""
        return line.payment.investment.reference if line.payment else ""

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, line: FeeLine) -> str:
        return str(line.amount)

    @admin.display(description=_("given back"), ordering="refunded_minor")
    def refunded_text(self, line: FeeLine) -> str:
        return str(line.refunded)


@admin.register(ProviderFee)
class ProviderFeeAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("taken_at", "provider", "line_id", "amount_text", "created_at")
    list_filter = ("provider", "currency")
    fields = ("provider", "line_id", "amount_text", "taken_at", "created_at")
    search_fields = ("line_id",)
    search_help_text = _("The provider's id of the line")
    ordering = ("-taken_at", "-id")
    show_full_result_count = False

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, fee: ProviderFee) -> str:
        return str(fee.amount)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("owner", "type", "brand", "last4", "provider", "is_default", "created_at", "removed_at")
    list_filter = ("type", "provider")
    search_fields = ("owner__email", "last4")
    search_help_text = _("Owner's e-mail address, or last four digits")
    list_select_related = ("owner",)
    exclude = ("token",)
    ordering = ("-created_at", "-id")
    show_full_result_count = False


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("created_at", "provider", "type", "key", "outcome_chip", "note")
    list_filter = ("outcome", "provider", "type")
    search_fields = ("event_id", "key")
    search_help_text = _("Id of the event, or key of the payment")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_chip(self, event: ProviderEvent) -> SafeString:
        return chip(event.get_outcome_display(), TONES.get(event.outcome, ""))


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("finished_at", "provider", "outcome_chip", "line_count", "since")
    list_filter = ("provider",)
    fields = ("provider", "since", "finished_at", "outcome_chip", "line_count", "table")
    ordering = ("-id",)
    show_full_result_count = False

    @admin.display(description=_("outcome"))
    def outcome_chip(self, one: Reconciliation) -> SafeString:
        if one.is_clean:
            return chip(gettext("Clean"), "good")
        return chip(
            ngettext("%(count)d finding", "%(count)d findings", one.finding_count) % {"count": one.finding_count}, "bad"
        )

    @admin.display(description=_("findings"))
    def table(self, one: Reconciliation) -> SafeString:
        """The first of them: what, about which payment or sum, what we have and what the provider has."""
        if one.is_clean:
            return SafeString("")
        names = ("check", "about", "reference", "ours", "theirs", "currency", "detail")
        rows = [tuple(finding.get(name, "") for name in names) for finding in one.findings]
        head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in names))
        body = format_html_join(
            "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
        )
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)
