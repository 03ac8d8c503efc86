"""Investments, payments and what providers said: looked at by admins, changed only by their flows."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.admin import ReadOnlyAdmin, chip
from core.money import Money
from investments.models import Investment, InvestmentEvent, Payment, PaymentMethod, ProviderEvent, Refund, Status

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


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ("provider", "provider_id", "key", "status", "captured", "refunded", "failure_code", "expires_at")
    readonly_fields = fields

    def captured(self, payment: Payment) -> str:
        return str(Money(payment.captured_minor, payment.investment.currency))

    def refunded(self, payment: Payment) -> str:
        return str(Money(payment.refunded_minor, payment.investment.currency))


class EventInline(ReadOnlyInline):
    model = InvestmentEvent
    fields = ("created_at", "kind", "amount", "note")
    readonly_fields = fields
    ordering = ("id",)

    def amount(self, event: InvestmentEvent) -> str:
        return str(Money(event.amount_minor, event.investment.currency))


@admin.register(Investment)
class InvestmentAdmin(ReadOnlyAdmin):
    list_display = ("reference", "investor", "campaign", "amount_text", "status_chip", "created_at")
    list_filter = ("status", "currency")
    search_fields = ("reference", "investor__email", "campaign__title")
    list_select_related = ("investor", "campaign")
    ordering = ("-created_at", "-id")
    inlines = (PaymentInline, EventInline)
    show_full_result_count = False

    @admin.display(description="amount", ordering="amount_minor")
    def amount_text(self, investment: Investment) -> str:
        return str(investment.amount)

    @admin.display(description="status", ordering="status")
    def status_chip(self, investment: Investment) -> SafeString:
        return chip(investment.get_status_display(), TONES.get(investment.status, ""))


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "payment", "amount_text", "reason", "status", "attempt", "failure_code", "retry_at")
    list_filter = ("status", "reason")
    search_fields = ("payment__investment__reference", "payment__key")
    list_select_related = ("payment",)
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description="amount", ordering="amount_minor")
    def amount_text(self, refund: Refund) -> str:
        return str(Money(refund.amount_minor, refund.currency))


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    list_display = ("owner", "type", "brand", "last4", "provider", "is_default", "created_at", "removed_at")
    list_filter = ("type", "provider")
    search_fields = ("owner__email", "last4")
    list_select_related = ("owner",)
    exclude = ("token",)
    ordering = ("-created_at", "-id")
    show_full_result_count = False


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "provider", "type", "key", "outcome_chip", "note")
    list_filter = ("outcome", "provider", "type")
    search_fields = ("event_id", "key")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description="outcome", ordering="outcome")
    def outcome_chip(self, event: ProviderEvent) -> SafeString:
        return chip(event.get_outcome_display(), TONES.get(event.outcome, ""))
