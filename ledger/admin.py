from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyRows
from core.money import minor_text
from ledger.models import Entry, LedgerAccount, Posting, SealedDay
from ledger.permissions import READ


def _amount(minor: int, currency: str) -> str:
    """A column of a table and not prose: plain digits that line up, and the code."""
    return f"{minor_text(minor, currency)} {currency}"


class EntryInline(ReadOnlyRows):
    model = Entry
    fields = ("account", "debit", "credit")
    ordering = ("account__code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).select_related("account")

    def debit(self, entry: Entry) -> str:
        return _amount(entry.amount, entry.currency) if entry.amount > 0 else ""

    def credit(self, entry: Entry) -> str:
        return _amount(-entry.amount, entry.currency) if entry.amount < 0 else ""


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("code", "kind", "balance_text", "available_text", "coming_in", "going_out", "may_go_negative")
    list_filter = ("kind", "currency", "may_go_negative")
    search_fields = ("code",)
    search_help_text = _("Code")
    fields = ("code", "kind", "currency", "balance_text", "available_text", "coming_in", "going_out", "may_go_negative")
    ordering = ("code",)
    show_full_result_count = False

    @admin.display(description=_("balance"), ordering="posted")
    def balance_text(self, account: LedgerAccount) -> str:
        return _amount(account.posted, account.currency)

    @admin.display(description=_("available"))
    def available_text(self, account: LedgerAccount) -> str:
        return _amount(account.available.minor, account.currency)

    @admin.display(description=_("reserved in"), ordering="pending_in")
    def coming_in(self, account: LedgerAccount) -> str:
        return _amount(account.pending_in, account.currency) if account.pending_in else ""

    @admin.display(description=_("reserved out"), ordering="pending_out")
    def going_out(self, account: LedgerAccount) -> str:
        return _amount(account.pending_out, account.currency) if account.pending_out else ""


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("created_at", "kind", "phase", "amount", "reference", "key")
    list_filter = ("phase", "kind")
    search_fields = ("key", "reference")
    search_help_text = _("Key or reference")
    ordering = ("-id",)
    inlines = (EntryInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        return super().get_queryset(request).prefetch_related("entries")

    def amount(self, posting: Posting) -> str:
        """What moved: its debits, by currency."""
        moved: dict[str, int] = {}
        for entry in posting.entries.all():
            moved[entry.currency] = moved.get(entry.currency, 0) + max(entry.amount, 0)
        return ", ".join(_amount(minor, currency) for currency, minor in sorted(moved.items()))


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("created_at", "account", "amount_text", "phase", "posting")
    list_filter = ("posting__phase", "currency")
    list_select_related = ("account", "posting")
    search_fields = ("account__code", "posting__key", "posting__reference")
    search_help_text = _("Account, key or reference")
    fields = ("posting", "account", "amount_text")
    ordering = ("-id",)
    show_full_result_count = False

    @admin.display(description=_("booked"))
    def created_at(self, entry: Entry) -> Any:
        return entry.posting.created_at

    @admin.display(description=_("amount (debit +, credit -)"), ordering="amount")
    def amount_text(self, entry: Entry) -> str:
        return _amount(entry.amount, entry.currency)

    def phase(self, entry: Entry) -> str:
        return entry.posting.get_phase_display()


@admin.register(SealedDay)
class SealedDayAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("day", "posting_count", "digest_text", "sealed_at")
    fields = ("day", "posting_count", "digest_text", "previous_text", "sealed_at")
    ordering = ("-day",)
    date_hierarchy = "day"
    show_full_result_count = False

    @admin.display(description=_("digest"))
    def digest_text(self, sealed: SealedDay) -> str:
        return bytes(sealed.digest).hex()

    @admin.display(description=_("digest of the day before"))
    def previous_text(self, sealed: SealedDay) -> str:
        return bytes(sealed.previous).hex()
