"""/api/profile/ads and /api/social/ads: parse, one call, answer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from rest_framework.response import Response

from accounts.permissions import EmailVerified, MayPublish
from core import clock
from core.api import limits
from core.api.errors import ZoneRequired
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from social import errors
from social.inputs.ads import AdInput, ClickInput
from social.outputs.ads import AdOutput, AdPageOutput, AdTarget
from social.selectors.ads import ad_page, own_ads
from social.services.ads import (
    AdDraft,
    access_own_ad,
    count_click,
    draft_ad,
    edit_ad,
    pause_ad,
    resume_ad,
    submit_ad,
)
from uploads.errors import BAD_FILE

SUBMITTING = limits.Limit("ads:person", 20, timedelta(days=1))
CLICKING = limits.Limit("ad-clicks:person", 300, timedelta(hours=1))
BAD_TIMES = (errors.AdEndsBeforeStart, errors.AdIsOver, ZoneRequired)


class OwnAds(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {
        "create": [MayPublish],
        "edit": [MayPublish],
        "pause": [EmailVerified],
        "resume": [MayPublish],
    }

    @operation("listMyAds", returns=Page[AdOutput])
    def list(self, request: Request) -> Page[AdOutput]:
        """My ads, newest first"""
        now = clock.now()
        return paginate(request, own_ads(request.user), lambda ad: AdOutput.of(ad, now))

    def draft(self, request: Request) -> AdDraft:
        limits.hit(SUBMITTING, request.user.pk)
        return draft_ad(advertiser=request.user, now=clock.now(), **parse(AdInput, request))

    @operation(
        "createAd",
        AdInput,
        returns=AdOutput,
        status=201,
        multipart=True,
        errors=[*BAD_TIMES, *BAD_FILE, limits.RateLimited],
    )
    @prepared(draft)
    def create(self, request: Request, prepared: AdDraft) -> Response:
        """
        Hand in an ad

        A moderator reviews it before anybody sees it.
        """
        now = clock.now()
        ad = submit_ad(prepared, now=now)
        return Response(AdOutput.of(own_ads(request.user).get(pk=ad.pk), now), 201)

    @operation("getAd", returns=AdPageOutput)
    def show(self, request: Request, ad_id: UUID) -> AdPageOutput:
        """An ad of mine with its figures"""
        return ad_page(request.user, ad_id, clock.now())

    @operation(
        "editAd",
        AdInput,
        returns=AdOutput,
        multipart=True,
        partial=True,
        errors=[*BAD_TIMES, *BAD_FILE, limits.RateLimited],
    )
    def edit(self, request: Request, ad_id: UUID, data: dict[str, Any]) -> AdOutput:
        """
        Edit an ad of mine

        Other words, another picture or target are reviewed anew, and the ad is not shown until then.
        """
        access_own_ad(request.user, ad_id)
        limits.hit(SUBMITTING, request.user.pk)
        edit_ad(advertiser=request.user, ad_id=ad_id, now=clock.now(), **data)
        return self._answer(request, ad_id)

    @operation("pauseAd", returns=AdOutput, errors=[errors.AdNotRunning])
    def pause(self, request: Request, ad_id: UUID) -> AdOutput:
        """Stop showing an ad of mine"""
        pause_ad(advertiser=request.user, ad_id=ad_id, now=clock.now())
        return self._answer(request, ad_id)

    @operation("resumeAd", returns=AdOutput, errors=[errors.AdNotRunning])
    def resume(self, request: Request, ad_id: UUID) -> AdOutput:
        """Show an ad of mine again"""
        resume_ad(advertiser=request.user, ad_id=ad_id, now=clock.now())
        return self._answer(request, ad_id)

    def _answer(self, request: Request, ad_id: UUID) -> AdOutput:
        return AdOutput.of(own_ads(request.user).get(pk=ad_id), clock.now())


class AdClicks(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("followAd", ClickInput, returns=AdTarget, errors=[errors.InvalidClickToken, limits.RateLimited])
    def click(self, request: Request, ad_id: UUID, data: dict[str, Any]) -> AdTarget:
        """
        Follow an ad

        Counts once for each time the ad was shown, without a trace of who it was.
        """
        limits.hit(CLICKING, request.user.pk)
        return AdTarget(target_url=count_click(ad_id=ad_id, now=clock.now(), **data).target_url)
