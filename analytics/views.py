"""/api/analytics: parse, one call, answer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics import errors
from analytics.engagement import engagement
from analytics.funnels import MAX_DAYS, funnel_figures
from analytics.inputs import (
    BatchInput,
    EventInput,
    ExportQuery,
    FunnelQuery,
    InteractionInput,
    PageViewInput,
    PeriodQuery,
    PublicEventInput,
    RetentionQuery,
)
from analytics.outputs import (
    BatchResult,
    CampaignFigures,
    Engagement,
    EventResult,
    FunnelFigures,
    PageLinkOutput,
    Retention,
    Tracked,
    UserFigures,
)
from analytics.page_links import make_page_link
from analytics.permissions import READ_FIGURES
from analytics.retention import retention
from analytics.selectors import Days, campaign_figures, user_figures
from analytics.services.intake import Result, Status, take_event, take_events
from analytics.services.visitors import sender_of
from analytics.stores import Order
from analytics.tables import TABLES
from analytics.units import Unit
from campaigns.access import access_campaign
from campaigns.errors import NotTheOwner
from core import clock, context
from core.api import limits
from core.api.errors import NotFound
from core.api.operations import operation
from core.api.parsing import EachStringParser
from core.api.permissions import HasRight, Open, SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from core.csv_files import csv_response

PER_PERSON = limits.Limit("analytics:person", 12_000, timedelta(minutes=1))
FUNNELS = limits.Limit("analytics:funnels", 300, timedelta(hours=1))
PER_ADDRESS = limits.Limit("analytics:address", 600, timedelta(minutes=1))
BAD_EVENT = (
    errors.MalformedEvent,
    errors.MalformedEventName,
    errors.TooManyProperties,
    errors.PropertiesTooLarge,
    errors.PropertyTypeDiffers,
    errors.PersonalData,
)


class Tracking(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"public": [Open]}

    def get_parsers(self) -> list[Any]:
        return [EachStringParser()] if self.action == "batch" else super().get_parsers()

    @operation(
        "trackPageView",
        PageViewInput,
        returns=Tracked,
        errors=[errors.MalformedEvent, errors.PersonalData, limits.RateLimited],
    )
    def page_view(self, request: Request, data: dict[str, Any]) -> Tracked:
        """Track a page view"""
        return _tracked(request, {"eventType": "page_view", **_camel(data)}, _("Page view tracked successfully"))

    @operation(
        "trackEvent", EventInput, returns=Tracked, errors=[*BAD_EVENT, errors.CampaignNeeded, limits.RateLimited]
    )
    def event(self, request: Request, data: dict[str, Any]) -> Tracked:
        """
        Track an event

        Names that nobody has registered are kept aside and counted in no figure until an operator registers them.
        """
        return _tracked(request, _camel(data), _("Event tracked successfully"))

    @operation(
        "trackCampaignInteraction",
        InteractionInput,
        returns=Tracked,
        errors=[*BAD_EVENT, limits.RateLimited],
    )
    def campaign(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> Tracked:
        """Track an interaction with a campaign"""
        event = {
            "eventType": f"campaign_{data['interaction_type']}",
            "eventData": data.get("interaction_data"),
            "campaignId": str(campaign_id),
        }
        try:
            return _tracked(request, event, _("Campaign interaction tracked successfully"))
        except errors.NoSuchCampaign:
            raise NotFound() from None
        except errors.EventRefused as refusal:
            refusal.field = (refusal.field or "").replace("eventData", "interactionData")
            raise

    @operation("trackBatch", BatchInput, returns=BatchResult, errors=[limits.RateLimited])
    def batch(self, request: Request, data: dict[str, Any]) -> BatchResult:
        """
        Track many events

        Each is taken or refused by itself, with the reason. A batch that is sent again changes nothing for the events
        that have an `eventId`.
        """
        given, now = data["events"], clock.now()
        limits.hit(PER_PERSON, request.user.pk, cost=len(given))
        results = take_events(
            given, sender=sender_of(request, now), person=request.user, now=now, sent_at=data.get("sent_at")
        )
        count = [result.status for result in results].count
        return BatchResult(
            stored=count(Status.STORED),
            duplicates=count(Status.DUPLICATE),
            ignored=count(Status.IGNORED),
            refused=count(Status.REFUSED),
            items=[_item(index, result) for index, result in enumerate(results)],
        )

    @operation(
        "trackPublic",
        PublicEventInput,
        returns=Tracked,
        errors=[
            errors.MalformedEvent,
            errors.PersonalData,
            errors.NoSuchCampaign,
            errors.CampaignNeeded,
            limits.RateLimited,
        ],
    )
    def public(self, request: Request, data: dict[str, Any]) -> Tracked:
        """
        Track a visitor of a public page

        For pages that are open to everybody. Nothing is stored in the browser, and no address is kept: visits of one
        day are joined by a key that is deleted when the day is over. `DNT` and `Sec-GPC` are obeyed.
        """
        limits.hit(PER_ADDRESS, context.client_address.get())
        return _taken(request, _camel(data), _("Event tracked successfully"))


PERIOD = (errors.PeriodReversed, errors.PeriodTooLong)


class Figures(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"funnel": [HasRight(READ_FIGURES)]}

    @operation("getUserAnalytics", query=PeriodQuery, returns=UserFigures, errors=PERIOD)
    def user(self, request: Request, query: dict[str, Any]) -> UserFigures:
        """Read own figures"""
        return user_figures(request.user, Days.of(now=clock.now(), **query))

    @operation("getCampaignAnalytics", query=PeriodQuery, returns=CampaignFigures, errors=[*PERIOD, NotTheOwner])
    def campaign(self, request: Request, campaign_id: UUID, query: dict[str, Any]) -> CampaignFigures:
        """
        Read the figures of a campaign

        For its owner and staff. Counts lag a few minutes behind; money is read from the books.
        """
        return _figures_of(request, campaign_id, query)

    @operation(
        "exportCampaignAnalytics",
        query=ExportQuery,
        files=["text/csv"],
        errors=[*PERIOD, NotTheOwner],
    )
    def export(self, request: Request, campaign_id: UUID, query: dict[str, Any]) -> HttpResponse:
        """
        Download the figures of a campaign by day or by source

        CSV (RFC 4180) in UTF-8, with the members of `series` or `sources` of the same figures as columns. A number that
        is hidden is empty. A text that a spreadsheet would run as a formula begins with an apostrophe.
        """
        table = TABLES[query.pop("table")](_figures_of(request, campaign_id, query))
        return csv_response(f"{table.name}-{campaign_id}", table.header, table.records)

    @operation("createCampaignPageLink", returns=PageLinkOutput, errors=[NotTheOwner])
    def page_link(self, request: Request, campaign_id: UUID) -> PageLinkOutput:
        """
        Make a link to a page with the figures of an own campaign

        The page opens in a browser without signing in, for whoever has the link, and shows what its owner sees. The
        link works for 24 hours, and no longer than the campaign is the owner's and their account is active.
        """
        campaign = access_campaign(request.user, campaign_id)
        if campaign.owner_id != request.user.pk:
            raise NotTheOwner()
        link = make_page_link(campaign, now=clock.now())
        return PageLinkOutput(url=link.url, expires_at=link.expires_at)

    @operation("getEngagement", query=PeriodQuery, returns=Engagement, errors=PERIOD)
    def engagement(self, request: Request, query: dict[str, Any]) -> Engagement:
        """Read who is active and who comes back"""
        now = clock.now()
        return engagement(request.user, Days.of(now=now, **query), now=now)

    @operation("getRetention", query=RetentionQuery, returns=Retention, errors=PERIOD)
    def retention(self, request: Request, query: dict[str, Any]) -> Retention:
        """
        Read who comes back by day, week or month

        Of the platform for staff, for others of the people who follow them.
        """
        now, unit = clock.now(), Unit(query.pop("by"))
        return retention(request.user, Days.of(now=now, **query), unit, now=now)

    @operation(
        "getFunnel",
        query=FunnelQuery,
        returns=FunnelFigures,
        errors=[*PERIOD, errors.StepsInvalid, errors.EventNameUnknown, errors.EventsUnavailable, limits.RateLimited],
    )
    def funnel(self, request: Request, query: dict[str, Any]) -> FunnelFigures:
        """
        Read how many people take some steps one after the other

        For staff. Counts people and visitors, at most 92 days of events. The last step has to follow the first within
        `windowSeconds`.
        """
        limits.hit(FUNNELS, request.user.pk)
        period = {name: query.pop(name) for name in ("since", "until") if name in query}
        days = Days.of(now=clock.now(), most=MAX_DAYS, **period)
        return funnel_figures(days, **{**query, "order": Order(query["order"])})


def _figures_of(request: Request, campaign_id: UUID, query: dict[str, Any]) -> CampaignFigures:
    """:raises NotFound: :raises NotTheOwner: somebody else's, and they may not see figures of every campaign"""
    campaign = access_campaign(request.user, campaign_id)
    if campaign.owner_id != request.user.pk and not READ_FIGURES.held_by(request.user):
        raise NotTheOwner()
    return campaign_figures(request.user, campaign, Days.of(now=clock.now(), **query))


def _tracked(request: Request, event: dict[str, Any], message: str) -> Tracked:
    limits.hit(PER_PERSON, request.user.pk)
    return _taken(request, event, message)


def _taken(request: Request, event: dict[str, Any], message: str) -> Tracked:
    now = clock.now()
    result = take_event(event, sender=sender_of(request, now), person=request.user, now=now)
    return Tracked(message=message, status=result.status.value)  # type: ignore[arg-type]  # a refused one was raised


_NAMES = {"event_type": "eventType", "event_data": "eventData", "campaign_id": "campaignId"}


def _camel(data: dict[str, Any]) -> dict[str, Any]:
    """Checked input in the form that events of a batch have."""
    return {_NAMES.get(name, name): str(value) if isinstance(value, UUID) else value for name, value in data.items()}


def _item(index: int, result: Result) -> EventResult:
    refusal = result.refusal
    return EventResult(
        index=index,
        status=result.status.value,
        code=refusal.code if refusal else None,
        detail=refusal.detail if refusal else None,
        field=refusal.field if refusal else None,
    )
