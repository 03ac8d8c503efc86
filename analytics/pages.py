"""Pages with figures: the dashboard, a campaign's page in the admin, and its owner's page, opened by a signed link."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache

from analytics.dashboard import dashboard
from analytics.errors import PageLinkNotValid, PeriodReversed, PeriodTooLong
from analytics.inputs import PeriodQuery
from analytics.outputs import CampaignFigures
from analytics.page_links import campaign_of_page_link
from analytics.permissions import READ_FIGURES
from analytics.selectors import Days, campaign_figures
from analytics.tables import TABLES, Table, days_table, number_in_words, sources_table
from campaigns.access import access_campaign
from campaigns.models import Campaign
from core import clock, context
from core.api import limits, problems
from core.api.errors import NotFound
from core.api.methods import only
from core.api.principals import Anonymous
from core.csv_files import csv_response
from core.currencies import amount_in_words

OPENING = limits.Limit("analytics:page", 120, timedelta(minutes=1))
"""Per network address."""
_INTERACTIONS = {
    "click": gettext_lazy("Clicks"),
    "share": gettext_lazy("Shared"),
    "follow": gettext_lazy("Followed"),
    "save": gettext_lazy("Saved for later"),
    "play": gettext_lazy("Video played"),
    "download": gettext_lazy("Documents opened"),
    "start": gettext_lazy("Began to invest"),
}
"""What people did beside looking, as in `analytics.event_types`."""
LENGTHS = (7, 30, 90, 365)
"""Days of the periods that a page offers."""


@only("GET")
def dashboard_tiles(request: HttpRequest) -> HttpResponse:
    """The dashboard alone, for the script that renews it."""
    return render(request, "admin/analytics/_dashboard.html", {"dashboard": dashboard(request.user, now=clock.now())})


# --- In the admin -----------------------------------------------------------------------------------------------------


@only("GET")
def campaign(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    found = _campaign_for_staff(request, campaign_id)
    page = _page(request, found, request.user, {})
    page |= {**admin.site.each_context(request), "title": _("Figures of %(title)s") % {"title": found.title}}
    return render(request, "admin/analytics/campaign.html", page, status=400 if page["refused"] else 200)


@only("GET")
def campaign_csv(request: HttpRequest, campaign_id: UUID, table: str) -> HttpResponse:
    return _csv(request, _campaign_for_staff(request, campaign_id), request.user, table)


def _campaign_for_staff(request: HttpRequest, campaign_id: UUID) -> Campaign:
    """:raises PermissionDenied: :raises Http404:"""
    person: Any = request.user
    if not READ_FIGURES.held_by(person):
        raise PermissionDenied
    try:
        return access_campaign(person, campaign_id)
    except NotFound:
        raise Http404 from None


# --- From a signed link -----------------------------------------------------------------------------------------------


def _from_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """
    A page of the campaign that the `token` of its address opens. The token is the proof, so the answer is kept by no
    cache, found by no search engine, and its address told to no other site.
    """

    @only("GET")
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            limits.hit(OPENING, context.client_address.get())
            found = campaign_of_page_link(request.GET.get("token", ""), now=clock.now())
        except PageLinkNotValid as refusal:
            response = render(request, "analytics/owner.html", {"campaign": None}, status=refusal.status)
        except limits.RateLimited as refusal:
            response = problems.answer(refusal)
        else:
            response = view(request, found, **arguments)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return answer


@_from_link
def owner_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """What the owner sees: like everybody who is not staff, no number of few people, even if the owner is staff."""
    page = _page(request, campaign, Anonymous(), {"token": request.GET["token"]})
    return render(request, "analytics/owner.html", page, status=400 if page["refused"] else 200)


@_from_link
def owner_csv(request: HttpRequest, campaign: Campaign, table: str) -> HttpResponse:
    return _csv(request, campaign, Anonymous(), table)


# --- Both -------------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, campaign: Campaign, person: Any, proof: dict[str, str]) -> dict[str, Any]:
    """
    :param person: whose view of the figures it is
    :param proof: what the addresses of the page have besides the period
    """
    now = clock.now()
    days, refused = _period(request, now)
    figures = campaign_figures(person, campaign, days)
    sources = sources_table(figures)
    period = {"from": days.since.isoformat(), "to": days.until.isoformat()}
    return {
        "campaign": campaign,
        "headline": _headline(figures),
        "steps": _steps(figures),
        "days": days_table(figures),
        "sources": sources,
        "source_rows": _source_rows(sources),
        "period": period,
        "periods": [_offered(length, now, period, proof) for length in LENGTHS],
        "proof": proof,
        "query": urlencode({**proof, **period}),
        "refused": refused,
        "read_at": now,
    }


def _csv(request: HttpRequest, campaign: Campaign, person: Any, name: str) -> HttpResponse:
    """:raises Http404: no such table, or no period"""
    days, refused = _period(request, clock.now())
    if refused or name not in TABLES:
        raise Http404
    table = TABLES[name](campaign_figures(person, campaign, days))
    return csv_response(f"{table.name}-{campaign.pk}", table.header, table.records)


def _period(request: HttpRequest, now: datetime) -> tuple[Days, str]:
    """The period that the address asks for, or the last 30 days and what is wrong with it."""
    asked = {name: request.GET[name] for name in ("from", "to") if request.GET.get(name)}
    given = PeriodQuery(data=asked)
    if not given.is_valid():
        return Days.of(now=now), _("Write both days as in 2026-11-26.")
    try:
        return Days.of(now=now, **given.validated_data), ""
    except (PeriodReversed, PeriodTooLong) as refusal:
        return Days.of(now=now), refusal.detail


def _offered(length: int, now: datetime, shown: dict[str, str], proof: dict[str, str]) -> dict[str, Any]:
    """A link to the last days."""
    today = now.date()
    period = {"from": (today - timedelta(days=length - 1)).isoformat(), "to": today.isoformat()}
    return {"days": length, "query": urlencode({**proof, **period}), "is_shown": period == shown}


def _headline(figures: CampaignFigures) -> list[dict[str, Any]]:
    """The first numbers of the page: `label` and `number`."""
    numbers = {
        _("Raised in all"): amount_in_words(figures.raised_amount, figures.currency),
        _("Investors in all"): f"{figures.investor_count:,}",
        _("Views"): number_in_words(figures.views),
        _("Visitors"): number_in_words(figures.unique_visitors),
    }
    others = {
        _INTERACTIONS[kind]: number_in_words(number)
        for kind, number in figures.interactions.items()
        if kind in _INTERACTIONS
    }
    return [{"label": label, "number": number} for label, number in (numbers | others).items()]


def _steps(figures: CampaignFigures) -> list[dict[str, Any]]:
    """The way from seeing to settling, each step with its share of the widest one."""
    steps = figures.conversion
    numbers = {
        _("People who saw it"): steps.views,
        _("Investments started"): steps.started,
        _("Committed"): steps.committed,
        _("Settled"): steps.invested,
    }
    widest = max(1, *(number or 0 for number in numbers.values()))
    return [
        {"label": label, "number": number_in_words(number), "value": number or 0, "of": widest}
        for label, number in numbers.items()
    ]


def _source_rows(table: Table) -> list[dict[str, Any]]:
    """The rows of the sources for people, each with its share of the money."""
    amount = table.fields.index("amount")
    amounts = [None if row[amount] is None else float(row[amount]) for row in table.rows]  # for the length of a bar
    whole = sum(each or 0 for each in amounts) or 1
    return [
        {"cells": cells, "percent": None if part is None else round(100 * part / whole)}
        for cells, part in zip(table.cells, amounts, strict=True)
    ]
