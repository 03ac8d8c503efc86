"""/api/campaigns and /api/profile/campaigns: parse, one call, answer."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.permissions import EmailVerified, KYCVerified
from campaigns import errors, selectors
from campaigns.access import access_campaign
from campaigns.inputs import CampaignInput, CampaignQuery
from campaigns.models import Campaign
from campaigns.outputs import CampaignCard, CampaignOutput, CategoryCard
from campaigns.selectors import SORTS, campaign_card, campaign_page
from campaigns.services.closing import cancel_campaign
from campaigns.services.drafts import Draft, delete_campaign, draft_campaign, edit_campaign, keep_draft
from campaigns.services.review import submit_campaign
from core.api.errors import Stale, ZoneRequired
from core.api.etags import if_match
from core.api.idempotency import prepared
from core.api.openapi import Message, describe
from core.api.pages import MAX_LIMIT, paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse, parse_query
from core.api.views import ApiViewSet
from uploads.errors import BAD_FILE

BAD_TERMS = (
    errors.UnknownCategory,
    errors.CapBelowGoal,
    errors.MinimumAboveGoal,
    errors.EndsBeforeStart,
    errors.DeadlinePassed,
    ZoneRequired,
)


def _cards(campaigns: Any) -> list[dict[str, Any]]:
    return [campaign_card(campaign) for campaign in campaigns]


def _answer(campaign: Campaign, request: Request, status: int = 200) -> Response:
    page = campaign_page(campaign, request.user, timezone.now())
    return Response(page, status, headers={"ETag": campaign.etag})


class Campaigns(ApiViewSet):
    permission_classes = [SignedIn]
    gates = {
        "create": [KYCVerified],
        "submit": [KYCVerified],
        "edit": [EmailVerified],
        "remove": [EmailVerified],
        "cancel": [EmailVerified],
    }

    @describe("List campaigns", page_of=CampaignCard, parameters=[CampaignQuery])
    def list(self, request: Request) -> Response:
        filters = parse_query(CampaignQuery, request)
        campaigns = selectors.campaign_list(request.user, now=timezone.now(), **filters)
        return Response(paginate(request, campaigns, _cards, order=SORTS[filters.get("sort", "newest")]))

    def _draft(self, request: Request) -> Draft:
        return draft_campaign(owner=request.user, now=timezone.now(), **parse(CampaignInput, request))

    @describe(
        "Create a draft",
        request=CampaignInput,
        answer=CampaignOutput,
        status=201,
        etag=True,
        errors=[*BAD_TERMS, *BAD_FILE],
        multipart=True,
    )
    @prepared(_draft)
    def create(self, request: Request, prepared: Draft) -> Response:
        campaign = keep_draft(owner=request.user, draft=prepared, now=timezone.now())
        return _answer(campaign, request, 201)

    @describe("Read a campaign", answer=CampaignOutput, etag=True)
    def retrieve(self, request: Request, campaign_id: UUID) -> Response:
        return _answer(access_campaign(request.user, campaign_id), request)

    @describe(
        "Change a campaign",
        request=CampaignInput,
        answer=CampaignOutput,
        errors=[
            *BAD_TERMS,
            *BAD_FILE,
            errors.AmountsNeeded,
            errors.NotTheOwner,
            errors.TermsFrozen,
            errors.InReview,
            Stale,
        ],
        multipart=True,
        partial=True,
        etag=True,
        details="Any of the fields. `media`, when given, replaces the pictures. `If-Match` guards what others changed.",
    )
    def edit(self, request: Request, campaign_id: UUID) -> Response:
        campaign = edit_campaign(
            owner=request.user,
            campaign_id=campaign_id,
            expected=if_match(request),
            now=timezone.now(),
            **parse(CampaignInput, request, partial=True),
        )
        return _answer(campaign, request)

    @describe("Delete a draft", answer=Message, errors=[errors.NotTheOwner, errors.HasInvestments, errors.NotADraft])
    def remove(self, request: Request, campaign_id: UUID) -> Response:
        delete_campaign(owner=request.user, campaign_id=campaign_id, now=timezone.now())
        return Response({"message": _("Campaign deleted successfully")})

    @describe(
        "Submit a draft for review",
        answer=CampaignOutput,
        etag=True,
        errors=[errors.NotTheOwner, errors.NotADraft, errors.ReviewedDeadlinePassed],
    )
    def submit(self, request: Request, campaign_id: UUID) -> Response:
        return _answer(submit_campaign(owner=request.user, campaign_id=campaign_id, now=timezone.now()), request)

    @describe("Cancel a live campaign", answer=CampaignOutput, etag=True, errors=[errors.NotTheOwner, errors.NotLive])
    def cancel(self, request: Request, campaign_id: UUID) -> Response:
        return _answer(cancel_campaign(owner=request.user, campaign_id=campaign_id, now=timezone.now()), request)

    @describe("List categories", page_of=CategoryCard, default_limit=MAX_LIMIT)
    def categories(self, request: Request) -> Response:
        def cards(rows: Any) -> Any:
            return [{"id": row.pk, "slug": row.slug, "name": row.name} for row in rows]

        return Response(
            paginate(request, selectors.categories(), cards, order=("position", "id"), default_limit=MAX_LIMIT)
        )


class OwnCampaigns(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("List own campaigns", page_of=CampaignCard)
    def list(self, request: Request) -> Response:
        return Response(paginate(request, selectors.own_campaigns(request.user), _cards))
