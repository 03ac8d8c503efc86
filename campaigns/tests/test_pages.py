"""The page of a campaign for people who are not signed in."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.pages import time_left
from campaigns.testing import make_campaign
from core import clock
from core.data.ids import uuid7
from core.testing import Api
from uploads.testing import picture
from vectragrow.tests.test_pages import Inline

HTML = {"Accept": "text/html"}


def text_of(page: Any) -> str:
    return unescape(page.content.decode())


def likeness(page: Any) -> Any:
    request_id = page["X-Request-ID"]
    headers = {name: value for name, value in page.headers.items() if name != "X-Request-ID"}
    return page.status_code, page.content.decode().replace(request_id, ""), headers


@pytest.mark.parametrize("status", ["draft", "in_review"])
def test_a_campaign_that_is_not_public_is_not_there(api: Api, founder: User, moderator: User, status: str) -> None:
    campaign = make_campaign(founder, status=status)
    for asker in (api, api.as_user(founder), api.as_user(moderator)):
        for path, unknown in (
            (f"/s/campaign/{campaign.pk}", f"/s/campaign/{uuid7()}"),
            (f"/s/campaign/{campaign.slug}", "/s/campaign/no-such-campaign"),
            (f"/s/campaign/{campaign.pk}/preview.png", f"/s/campaign/{uuid7()}/preview.png"),
        ):
            given = likeness(asker.get(path, **HTML))
            assert given[0] == 404 and given == likeness(api.get(unknown, **HTML))


def test_a_campaign_and_its_preview(api: Api, founder: User, settings: Settings) -> None:
    campaign = make_campaign(founder, title="A roof <for> all", summary="Two hundred panels.")
    Campaign.objects.filter(pk=campaign.pk).update(raised_minor=125_050, investor_count=7)
    page = api.get(f"/s/campaign/{campaign.pk}", **HTML)
    link = f"{settings.PUBLIC_URL}/s/campaign/{campaign.pk}"
    assert f'<link rel="canonical" href="{link}">' in text_of(page)
    for shown in ("$1,250.50", "raised of $1,000.00", "125.1 %", "29 days left", founder.name, "7</dd>"):
        assert shown in text_of(page)
    assert "<for>" not in page.content.decode() and not Inline(page.content.decode()).found
    assert '<meta property="og:title" content="A roof <for> all on VECTRAGrow">' in text_of(page)
    assert 'value="100.00"' in text_of(page), "the bar does not leave its frame"
    assert page["Cache-Control"] == "public, max-age=60" and "Cookie" not in page["Vary"] and not page.cookies
    [address] = re.findall('property="og:image" content="([^"]*)"', text_of(page))
    drawn = api.get(address.removeprefix(settings.PUBLIC_URL))
    assert Image.open(BytesIO(drawn.content)).size == (1200, 630)
    by_slug = api.get(f"/s/campaign/{campaign.slug}", **HTML)
    assert by_slug.content == page.content, "one canonical address"


def test_its_first_picture_is_the_preview(
    api: Api, founder: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    campaign = make_campaign(founder, media=[picture(), picture(seed=1)])
    with django_assert_num_queries(3):  # the campaign, its first picture, the picture's sizes
        page = text_of(api.get(f"/s/campaign/{campaign.pk}", **HTML))
    first = campaign.media.order_by("position").select_related("file")[0].file
    [address] = re.findall('property="og:image" content="([^"]*)"', page)
    assert first.storage_name in address and 'alt="Picture without a description"' in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "29 days left"),
        ({"ends_at": timedelta(hours=47, minutes=59)}, "47 hours left"),
        ({"ends_at": timedelta(hours=1, minutes=30)}, "1 hour left"),
        ({"ends_at": timedelta(minutes=59)}, "Less than an hour left"),
        ({"ends_at": timedelta(0)}, "Ended, being counted"),
        ({"max_minor": 100_000, "reserved_minor": 60_000, "offered_minor": 40_000}, "No places left"),
        ({"status": "funded", "outcome": "funded"}, "Funded"),
        ({"status": "settled", "outcome": "failed"}, "Not funded"),
        ({"status": "cancelled", "outcome": "cancelled"}, "Cancelled"),
    ],
)
def test_the_deadline_in_words(founder: User, change: dict[str, Any], said: str) -> None:
    campaign, now = make_campaign(founder), clock.now()
    for name, value in change.items():
        setattr(campaign, name, now + value if name == "ends_at" else value)
    assert time_left(campaign, now) == said


def test_one_that_begins_later_says_when(founder: User) -> None:
    now = clock.now()
    campaign = make_campaign(founder, starts_at=now + timedelta(days=3))
    assert time_left(campaign, now).startswith("Starts on ")
