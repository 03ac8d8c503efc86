"""What the admin's pages of a person and of a campaign show of money, and what references of the books lead to."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import User
from campaigns.models import Campaign
from campaigns.permissions import MODERATE
from core.admin import (
    SECTION_ROWS,
    Section,
    add_link,
    add_referent,
    add_section,
    anchor,
    chip,
    holds,
    moment_text,
)
from core.api.methods import only
from investments.access import investments_of
from investments.books import escrow_account
from investments.models import PaymentMethod, RiskCase
from investments.permissions import READ, REVIEW_DISTRIBUTIONS, REVIEW_RISK
from investments.risk_admin import TONES as RISK_TONES
from investments.selectors import portfolio_totals
from investments.suspensions import suspended_cards
from ledger.models import LedgerAccount
from ledger.permissions import READ as READ_LEDGER

add_referent("investment", "admin:investments_investment_change", READ)
add_referent("distribution", "admin:investments_distribution_change", REVIEW_DISTRIBUTIONS)
add_referent("campaign", "admin:campaigns_campaign_change", MODERATE)
add_link(Campaign, gettext_lazy("Escrow in the books"), "campaign-books", READ_LEDGER)


@only("GET")
def campaign_books(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """To the account of a campaign's money, if there is one."""
    if not holds(request, READ_LEDGER):
        raise PermissionDenied
    code = escrow_account(campaign_id, "").code
    account = LedgerAccount.objects.filter(code=code).first()
    if account is None:
        return HttpResponseRedirect(f"{reverse('admin:ledger_ledgeraccount_changelist')}?q={code}")
    return HttpResponseRedirect(reverse("admin:ledger_ledgeraccount_change", args=[account.pk]))


def _money(request: HttpRequest, person: User) -> Section:
    """What is in campaigns and came back, by currency, what the books owe them, and the newest investments."""
    facts: list[tuple[Any, Any]] = [
        (
            _("In campaigns, %(currency)s") % {"currency": total.currency},
            _("%(invested)s; under way %(pending)s; returned %(returned)s; refunded %(refunded)s")
            % {
                "invested": total.invested,
                "pending": total.pending,
                "returned": total.returned,
                "refunded": total.refunded,
            },
        )
        for total in portfolio_totals(person)
    ]
    if holds(request, READ_LEDGER):
        for kind, label in _OWED.items():
            accounts = LedgerAccount.objects.filter(code__startswith=f"{kind}:user:{person.pk}:")
            for account in accounts.order_by("code")[:SECTION_ROWS]:
                facts.append((label, anchor(account.balance, _ACCOUNT, account.pk)))
    own = investments_of(person)
    return Section(
        title=_("Money"),
        facts=facts,
        head=(_("Reference"), _("Campaign"), _("Amount"), _("State"), _("Placed")),
        rows=[
            (
                anchor(one.reference, "admin:investments_investment_change", one.pk),
                one.campaign.title,
                str(one.amount),
                one.get_status_display(),
                moment_text(one.created_at),
            )
            for one in own.select_related("campaign").order_by("-created_at", "-id")[:SECTION_ROWS]
        ],
        address=f"{reverse('admin:investments_investment_changelist')}?investor__id__exact={person.pk}",
        count=own.count(),
    )


_ACCOUNT = "admin:ledger_ledgeraccount_change"
_OWED = {
    "payable": gettext_lazy("Owed as an owner, by the books"),
    "returns": gettext_lazy("Returned and not paid out, by the books"),
}
"""Kinds of accounts that belong to a person."""


def _methods(request: HttpRequest, person: User) -> Section:
    methods = PaymentMethod.objects.filter(owner=person)
    newest = list(methods.order_by("-created_at", "-id")[:SECTION_ROWS])
    suspended = suspended_cards(person.pk, [method.card for method in newest])

    def state(method: PaymentMethod) -> object:
        if method.removed_at:
            return chip(_("removed"))
        return chip(_("suspended"), "bad") if method.card in suspended else chip(_("in use"), "good")

    return Section(
        title=_("Payment methods"),
        head=(_("Method"), _("Provider"), _("State"), _("Added")),
        rows=[
            (
                anchor(method, "admin:investments_paymentmethod_change", method.pk),
                method.provider,
                state(method),
                moment_text(method.created_at),
            )
            for method in newest
        ],
        address=f"{reverse('admin:investments_paymentmethod_changelist')}?owner__id__exact={person.pk}",
        count=methods.count(),
    )


def _risk(request: HttpRequest, person: User) -> Section:
    cases = RiskCase.objects.filter(person=person)
    return Section(
        title=_("Declined payments"),
        head=(_("Opened"), _("Rule"), _("Declines"), _("State")),
        rows=[
            (
                anchor(moment_text(case.created_at), "admin:investments_riskcase_change", case.pk),
                case.rule,
                case.failures,
                chip(case.get_status_display(), RISK_TONES.get(case.status, "")),
            )
            for case in cases.order_by("-created_at", "-id")[:SECTION_ROWS]
        ],
        address=f"{reverse('admin:investments_riskcase_changelist')}?person__id__exact={person.pk}",
        count=cases.count(),
    )


add_section(User, READ, _money, place=10)
add_section(User, READ, _methods, place=20)
add_section(User, REVIEW_RISK, _risk, place=30)
