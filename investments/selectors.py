"""Reads shaped for one screen each. Sums are made by the primary database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from msgspec.structs import asdict

from campaigns.selectors import campaign_cards
from core import events
from core.data.statements import load
from core.money import minor_text
from investments.access import investments_of
from investments.models import HOLDING, UNDER_WAY, Investment, PaymentMethod, Reconciliation
from investments.outputs import InvestmentCard, InvestmentEventCard, InvestmentOutput, PortfolioTotal
from investments.providers import PROVIDERS
from ledger.selectors import totals

_LIST = load("investments/sql/investment_list.sql")


def investment_rows(person: Any, *, status: str = "", **part: Any) -> list[Any]:
    """
    A person's own investments, newest first, for `investment_cards`.

    :param part: `core.api.pages.Part.parameters`
    """
    return _LIST.rows(viewer=person.pk, status=status or None, **part)


def investment_cards(rows: Sequence[Any], now: datetime) -> list[InvestmentCard]:
    """The cards of a page of `investment_rows`, with those of their campaigns in one more query."""
    campaigns = campaign_cards({row.campaign_id for row in rows}, now)
    return [InvestmentCard.of_row(row, campaigns[row.campaign_id]) for row in rows]


def payment_methods(person: Any) -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.of(person)


def latest_reconciliations() -> list[Reconciliation]:
    """The newest comparison with each provider."""
    newest = Reconciliation.objects.filter(provider=OuterRef("provider")).order_by("-id").values("pk")[:1]
    providers = Reconciliation.objects.filter(provider__in=PROVIDERS)
    return list(providers.filter(pk=Subquery(newest)).order_by("provider"))


def investment_page(investment: Investment, now: datetime) -> InvestmentOutput:
    return InvestmentOutput(
        **asdict(InvestmentCard.of(investment, now)),
        events=[InvestmentEventCard.of(event, investment) for event in events.timeline(investment)],
        returns=[],
    )


def portfolio_totals(person: Any) -> list[PortfolioTotal]:
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
        PortfolioTotal(currency=currency, **{name: minor_text(minor, currency) for name, minor in amounts.items()})
        for currency, amounts in sorted(sums.items())
    ]


_PORTFOLIO = ("invested", "pending", "returned", "refunded")
