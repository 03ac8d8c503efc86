from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyRows, anchor, moment_text, referent_of
from core.money import minor_text
from ledger.models import Entry, LedgerAccount, Posting, SealedDay
from ledger.permissions import READ
from ledger.selectors import posted_sum, statement

SHOWN = 20
"""Entries on the page of an account."""
_HEAD = (_("Booked"), _("Posting"), _("Phase"), _("Amount, as the account counts"))


def _amount(minor: int, currency: str) -> str:
    """A column of a table and not prose: plain digits that line up, and the code."""
    return f"{minor_text(minor, currency)} {currency}"


def postings_of(reference: str) -> SafeString:
    """A link to everything that is booked under a reference."""
    address = f"{reverse('admin:ledger_posting_changelist')}?{urlencode({'reference__exact': reference})}"
    return format_html('<a href="{}">{}</a>', address, _("Every posting about it"))


class EntryInline(ReadOnlyRows):
    model = Entry
    fields = ("account_link", "debit", "credit")
    ordering = ("account__code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).select_related("account")

    @admin.display(description=_("account"))
    def account_link(self, entry: Entry) -> SafeString:
        return anchor(entry.account.code, "admin:ledger_ledgeraccount_change", entry.account_id)

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
    fields = (
        *("code", "kind", "currency", "balance_text", "available_text", "coming_in", "going_out", "may_go_negative"),
        *("entry_sum", "newest"),
    )
    ordering = ("code",)
    show_full_result_count = False

    @admin.display(description=_("balance"), ordering="posted")
    def balance_text(self, account: LedgerAccount) -> str:
        return _amount(account.posted, account.currency)

    @admin.display(description=_("posted entries, added up"))
    def entry_sum(self, account: LedgerAccount) -> str:
        return _amount(posted_sum(account).minor, account.currency)

    @admin.display(description=_("newest entries"))
    def newest(self, account: LedgerAccount) -> SafeString:
        """Each with the posting that it belongs to; the rest behind a link."""
        rows = [
            (
                moment_text(entry.posting.created_at),
                anchor(entry.posting.key, "admin:ledger_posting_change", entry.posting_id),
                entry.posting.get_phase_display(),
                _amount(account.side * entry.amount, entry.currency),
            )
            for entry in statement(account)[:SHOWN]
        ]
        head = format_html_join("", '<th scope="col">{}</th>', ((text,) for text in _HEAD))
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        address = f"{reverse('admin:ledger_entry_changelist')}?account__id__exact={account.pk}"
        return format_html(
            '<div class="scrolls" tabindex="0" role="group" aria-label="{}"><table><thead><tr>{}</tr></thead>'
            '<tbody>{}</tbody></table></div><p><a href="{}">{}</a></p>',
            *(_("Newest entries"), head, body, address, _("Every entry of this account")),
        )

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
    fields = (
        *("key", "phase", "kind", "about", "description", "created_at", "effective_at", "entry_count"),
        *("resolves", "resolved_by", "reverses", "reversed_by"),
    )
    ordering = ("-id",)
    inlines = (EntryInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        return super().get_queryset(request).prefetch_related("entries")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Posting | None:
        """With what leads to the row that it is about, for this viewer."""
        posting: Posting | None = super().get_object(request, object_id, from_field)
        if posting is not None:
            posting.referent = referent_of(request, posting.reference)  # type: ignore[attr-defined]
        return posting

    @admin.display(description=_("reference"))
    def about(self, posting: Posting) -> SafeString:
        return posting.referent  # type: ignore[attr-defined, no-any-return]

    @admin.display(description=_("resolved by"))
    def resolved_by(self, posting: Posting) -> SafeString:
        return _link_to(Posting.objects.filter(resolves=posting).first())

    @admin.display(description=_("reversed by"))
    def reversed_by(self, posting: Posting) -> SafeString:
        return _link_to(Posting.objects.filter(reverses=posting).first())

    def amount(self, posting: Posting) -> str:
        """What moved: its debits, by currency."""
        moved: dict[str, int] = {}
        for entry in posting.entries.all():
            moved[entry.currency] = moved.get(entry.currency, 0) + max(entry.amount, 0)
        return ", ".join(_amount(minor, currency) for currency, minor in sorted(moved.items()))


def _link_to(posting: Posting | None) -> SafeString:
    return anchor(posting.key, "admin:ledger_posting_change", posting.pk) if posting else SafeString("–")


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
