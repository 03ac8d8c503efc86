"""What a draft lacks before it can be submitted, and what a campaign in review lacks before it can be published."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from campaigns.errors import CampaignIncomplete
from campaigns.services.completeness import missing_items
from campaigns.services.review import publish_campaign, submit_campaign
from campaigns.services.transitions import Check, before_deadline, complete, deadline_reached, still_open
from campaigns.testing import allowed, make_campaign
from core import clock
from core.testing import Api

US = {"rules": "us_reg_cf", "country": "US"}


def fields_of(items: Any) -> list[str]:
    return [item["field"] for item in items]


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        ({}, []),
        (US, []),
        ({"rules": "us_reg_cf", "country": ""}, ["country"]),
        ({**US, "country": "FR"}, ["country"]),
        ({**US, "currency": "EUR"}, ["currency"]),
        ({"rules": "eu_ecspr", "country": ""}, ["country", "currency", "keyInformation"]),
        ({"rules": "eu_ecspr", "country": "FR", "currency": "EUR"}, ["keyInformation"]),
    ],
)
def test_a_draft_says_what_is_missing(api: Api, founder: User, draft: dict[str, Any], fields: list[str]) -> None:
    client, campaign = api.as_user(founder), make_campaign(founder, status="draft", **draft)
    page = client.get(f"/api/campaigns/{campaign.pk}").json()
    assert fields_of(page["missing"]) == fields
    assert ("submit" in allowed(page)) == (not fields)
    submitted = client.post(f"/api/campaigns/{campaign.pk}/submit")
    if fields:
        assert (submitted.status_code, submitted.json()["code"]) == (409, "campaign_incomplete")
        assert submitted.json()["missing"] == page["missing"]
        assert page["missing"][0]["because"] in submitted.json()["detail"]
    else:
        assert submitted.json()["status"] == "in_review"


def test_others_are_not_told_what_is_missing(api: Api, founder: User, moderator: User, stranger: User) -> None:
    waiting, live = make_campaign(founder, status="in_review"), make_campaign(founder)
    assert api.as_user(founder).get(f"/api/campaigns/{waiting.pk}").json()["missing"] == []
    assert api.as_user(moderator).get(f"/api/campaigns/{waiting.pk}").json()["missing"] is None
    assert api.as_user(founder).get(f"/api/campaigns/{live.pk}").json()["missing"] is None


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("starts_in", [None, timedelta(days=2)])
def test_it_is_open_for_21_days_to_the_second(founder: User, zone: str, starts_in: timedelta | None) -> None:
    """Across the end of summer time: a day on the wall has 25 hours then."""
    opens = datetime(2026, 10, 25, 12, tzinfo=UTC)
    wall = opens.astimezone(ZoneInfo(zone))
    ends_at = (wall.replace(tzinfo=None) + timedelta(days=21)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    campaign = make_campaign(founder, status="draft", ends_at=clock.now() + timedelta(days=90), time_zone=zone, **US)
    campaign.ends_at, campaign.starts_at = ends_at, opens if starts_in else None
    now = opens - starts_in if starts_in else opens
    assert missing_items(campaign, now) == []
    assert [item.field for item in missing_items(campaign, opens + timedelta(seconds=1))] == ["endsAt"]
    campaign.ends_at -= timedelta(seconds=1)
    assert [item.field for item in missing_items(campaign, now)] == ["endsAt"]


@pytest.mark.parametrize("starts_in", [None, timedelta(days=2), timedelta(days=10)])
@pytest.mark.parametrize("check", [before_deadline, complete, still_open, deadline_reached])
def test_a_check_says_when_its_answer_changes(founder: User, check: Check, starts_in: timedelta | None) -> None:
    now = clock.now()
    starts_at = now + starts_in if starts_in else None
    campaign = make_campaign(founder, status="draft", starts_at=starts_at, ends_at=now + timedelta(days=40), **US)
    before = check(campaign, now)
    assert before.changes_at is not None
    last, first = check(campaign, before.changes_at - timedelta.resolution), check(campaign, before.changes_at)
    assert type(last.refusal) is type(before.refusal)
    assert type(first.refusal) is not type(before.refusal)


def test_a_review_that_took_too_long_is_noticed_when_it_is_published(founder: User, moderator: User) -> None:
    now = clock.now()
    draft = make_campaign(founder, status="draft", ends_at=now + timedelta(days=22), **US)
    seen = submit_campaign(owner=founder, campaign_id=draft.pk, now=now).version
    with pytest.raises(CampaignIncomplete):
        publish_campaign(moderator=moderator, campaign_id=draft.pk, now=now + timedelta(days=1, seconds=1), seen=seen)
    live = publish_campaign(moderator=moderator, campaign_id=draft.pk, now=now + timedelta(days=1), seen=seen)
    assert live.status == "live"
