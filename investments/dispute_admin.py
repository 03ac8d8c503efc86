"""Disputes in the admin: read-only, each with what the provider told, what was recorded and what was booked."""

from datetime import datetime

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from core import events
from core.admin import ReadOnlyAdmin, chip
from core.money import Money
from investments.models import Dispute, Distribution, Investment, ProviderEvent
from investments.permissions import READ
from ledger.models import Posting

TONES: dict[str, str] = {Dispute.Status.OPEN: "warn", Dispute.Status.WON: "good", Dispute.Status.LOST: "bad"}
MOST_TOLD = 50
"""Provider events of one dispute that its page shows."""


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    right = READ
    list_display = ("opened_at", "about", "amount_text", "status_chip", "reason", "provider", "closed_at")
    list_filter = ("status", "provider", "reason", "currency")
    fields = (
        *("about", "amount_text", "status_chip", "reason", "provider", "provider_id", "opened_at", "closed_at"),
        *("held", "from_owner", "from_refunds", "loss", "restored", "timeline"),
    )
    search_fields = (
        *("provider_id", "payment__investment__reference", "payment__investment__investor__email"),
        "distribution_charge__distribution__campaign__title",
    )
    search_help_text = _("Provider's id, reference of the investment, investor's e-mail address, or campaign")
    list_select_related = (*("payment__investment__campaign", "distribution_charge__distribution__campaign"),)
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description=_("about"))
    def about(self, dispute: Dispute) -> str:
        if dispute.payment is not None:
            investment = dispute.payment.investment
            return f"{investment.reference} · {investment.campaign.title}"
        assert dispute.distribution_charge is not None
        distribution = dispute.distribution_charge.distribution
        return gettext("Distribution of %(amount)s · %(campaign)s") % {
            "amount": distribution.amount,
            "campaign": distribution.campaign.title,
        }

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, dispute: Dispute) -> str:
        return str(dispute.amount)

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, dispute: Dispute) -> SafeString:
        return chip(dispute.get_status_display(), TONES.get(dispute.status, ""))

    @admin.display(description=_("of what was held"))
    def held(self, dispute: Dispute) -> str:
        return str(Money(dispute.held_minor, dispute.currency))

    @admin.display(description=_("of what the owner is owed"))
    def from_owner(self, dispute: Dispute) -> str:
        return str(Money(dispute.payable_minor, dispute.currency))

    @admin.display(description=_("covered by refunds under way"))
    def from_refunds(self, dispute: Dispute) -> str:
        return str(Money(dispute.refund_minor, dispute.currency))

    @admin.display(description=_("the platform's loss, if it is lost"))
    def loss(self, dispute: Dispute) -> str:
        return str(Money(dispute.loss_minor, dispute.currency))

    @admin.display(description=_("back in the campaign"))
    def restored(self, dispute: Dispute) -> str:
        return str(Money(dispute.restored_minor, dispute.currency))

    @admin.display(description=_("timeline"))
    def timeline(self, dispute: Dispute) -> SafeString:
        """What the provider told, what was recorded and what was booked, in order."""
        lines = sorted([*_told(dispute), *_recorded(dispute), *_booked(dispute)])
        rows = ((date_format(timezone.localtime(at), "DATETIME_FORMAT"), what, detail) for at, what, detail in lines)
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} · {}</li>", rows))


Line = tuple[datetime, str, str]


def _told(dispute: Dispute) -> list[Line]:
    told = ProviderEvent.objects.filter(provider=dispute.provider, dispute_id=dispute.provider_id).order_by("pk")
    return [
        (one.created_at, f"{one.type} ({one.get_outcome_display()})", one.note or one.event_id)
        for one in told[:MOST_TOLD]
    ]


def _recorded(dispute: Dispute) -> list[Line]:
    subject: Investment | Distribution
    if dispute.payment is not None:
        subject = dispute.payment.investment
    else:
        assert dispute.distribution_charge is not None
        subject = dispute.distribution_charge.distribution
    steps = [(event, events.facts_of(event)) for event in events.timeline(subject)]
    own = [(event, facts) for event, facts in steps if facts.get("dispute_id") == dispute.pk]
    owner = "investment" if isinstance(subject, Investment) else "distribution"
    return [(event.created_at, event.kind.removeprefix(f"{owner}."), str(facts["amount"])) for event, facts in own]


def _booked(dispute: Dispute) -> list[Line]:
    keys = [f"{name}:{dispute.pk}" for name in ("dispute", "dispute-freeze", "dispute-won", "dispute-lost")]
    postings = Posting.objects.filter(key__in=[*keys, *(f"{key}/resolved" for key in keys)]).order_by("pk")
    return [(one.created_at, f"{one.kind} ({one.get_phase_display()})", one.key) for one in postings]
