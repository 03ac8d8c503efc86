"""Reads shaped for one screen each. Sums are made by the primary database."""

from collections import defaultdict
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from accounts.cards import user_card
from campaigns.selectors import campaign_card
from core.money import minor_text
from investments.access import investments_of
from investments.models import HOLDING, UNDER_WAY, Investment, PaymentMethod
from investments.services.withdrawals import Withdrawal
from ledger.selectors import totals


def method_card(method: PaymentMethod) -> dict[str, Any]:
    return {
        "id": method.pk,
        "type": method.type,
        "brand": method.brand,
        "last4": method.last4,
        "expiryMonth": method.expiry_month,
        "expiryYear": method.expiry_year,
        "isDefault": method.is_default,
        "createdAt": method.created_at,
    }


def payment_methods(person: Any) -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.of(person)


def investment_card(investment: Investment) -> dict[str, Any]:
    """One's own investment; from a row of `for_output()`. Does not query."""
    payment = investment.payment
    return {
        "id": investment.pk,
        "campaign": campaign_card(investment.campaign),
        "amount": investment.text(investment.amount_minor),
        "refundedAmount": investment.text(payment.refunded_minor),
        "currency": investment.currency,
        "status": investment.status,
        "reference": investment.reference,
        "paymentMethod": {
            "id": investment.method.pk,
            "type": investment.method.type,
            "brand": investment.method.brand,
            "last4": investment.method.last4,
        },
        "nextAction": {"type": "redirect", "url": payment.action_url} if payment.action_url else None,
        "failureCode": payment.failure_code or None,
        "cancellableUntil": investment.cancellable_until,
        "createdAt": investment.created_at,
    }


def investment_page(investment: Investment) -> dict[str, Any]:
    events = investment.events.order_by("id")
    return {
        **investment_card(investment),
        "events": [
            {
                "id": event.pk,
                "kind": event.kind,
                "amount": investment.text(event.amount_minor),
                "currency": investment.currency,
                "note": event.note or None,
                "at": event.created_at,
            }
            for event in events
        ],
        "returns": [],
    }


def backer_card(investment: Investment) -> dict[str, Any]:
    """Somebody's investment as the campaign's owner sees it."""
    return {
        "id": investment.pk,
        "investor": user_card(investment.investor),
        "amount": investment.text(investment.amount_minor),
        "refundedAmount": investment.text(investment.payment.refunded_minor),
        "currency": investment.currency,
        "status": investment.status,
        "createdAt": investment.created_at,
    }


def portfolio_card(investment: Investment) -> dict[str, Any]:
    card = campaign_card(investment.campaign)
    return {
        "id": investment.pk,
        "campaign": card,
        "amount": investment.text(investment.amount_minor),
        "refundedAmount": investment.text(investment.payment.refunded_minor),
        "currency": investment.currency,
        "status": investment.status,
        "progressPercent": card["progressPercent"],
        "campaignStatus": card["status"],
        "createdAt": investment.created_at,
    }


def portfolio_totals(person: Any) -> list[dict[str, str]]:
    """
    Per currency: what is in campaigns, what is on its way in, what came back as returns, what was refunded.

    Returns are read from the books (`returns:user:<id>:<currency>`), where paying one out puts them.
    """
    held = F("payment__captured_minor") - F("payment__refunded_minor")
    rows = (
        investments_of(person)
        .values("currency")
        .order_by("currency")
        .annotate(
            invested=Sum(held, filter=Q(status__in=HOLDING), default=0),
            pending=Sum("amount_minor", filter=Q(status__in=UNDER_WAY), default=0),
            refunded=Sum("payment__refunded_minor", default=0),
        )
    )
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_PORTFOLIO, 0))
    for row in rows:
        sums[row["currency"]].update({name: int(row[name]) for name in ("invested", "pending", "refunded")})
    for currency, balance in totals(f"returns:user:{person.pk}:").items():
        sums[currency]["returned"] = balance.posted.minor
    return [
        {"currency": currency, **{name: minor_text(minor, currency) for name, minor in amounts.items()}}
        for currency, amounts in sorted(sums.items())
    ]


_PORTFOLIO = ("invested", "pending", "returned", "refunded")


def withdrawal_card(withdrawal: Withdrawal) -> dict[str, Any]:
    return {
        "id": withdrawal.id,
        "investmentId": withdrawal.investment_id,
        "amount": withdrawal.amount.text,
        "currency": withdrawal.amount.currency,
        "status": withdrawal.status,
        "createdAt": withdrawal.created_at,
    }
