"""Ads as their advertisers see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from core.api.errors import NotFound
from social.models import Ad
from social.outputs.ads import AdDayOutput, AdPageOutput
from uploads.models import StoredFile

DAYS_SHOWN = 90


def own_ads(person: Any) -> QuerySet[Ad]:
    """With what `AdOutput.of` shows, in three queries for any number of them."""
    return with_pictures(Ad.objects.filter(advertiser=person.pk))


def with_pictures(ads: QuerySet[Ad]) -> QuerySet[Ad]:
    return ads.prefetch_related(Prefetch("file", StoredFile.objects.with_renditions()))


def ad_page(person: Any, ad_id: UUID, now: datetime) -> AdPageOutput:
    """:raises NotFound: missing, or somebody else's"""
    ad = own_ads(person).filter(pk=ad_id).first()
    if ad is None:
        raise NotFound()
    days = ad.days.order_by("-day")[:DAYS_SHOWN]
    return AdPageOutput.of(ad, now, days=[AdDayOutput.of(day) for day in days])
