"""Reading campaigns without a token, where the operator allows it."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns import callers
from campaigns.models import Backing, Campaign, Update
from campaigns.testing import make_campaign
from core import clock
from core.api.limits import Limit
from core.testing import Api


def paths(campaign: Campaign) -> list[str]:
    return [
        "/api/campaigns",
        f"/api/campaigns/{campaign.pk}",
        f"/api/campaigns/{campaign.pk}/updates",
        "/api/campaigns/categories",
    ]


@pytest.fixture
def told(campaign: Campaign) -> None:
    """A public update, one for investors and a scheduled one."""
    now = clock.now()
    for audience, publish_at in [("public", now), ("investors", now), ("public", now + timedelta(days=1))]:
        Update.objects.create(
            campaign=campaign, audience=audience, author_role="founder", content=audience, publish_at=publish_at
        )


def test_it_takes_a_token_unless_the_operator_says_otherwise(api: Api, campaign: Campaign, settings: Settings) -> None:
    assert [api.get(path).status_code for path in paths(campaign)] == [401] * 4
    settings.PUBLIC_CAMPAIGNS = True
    assert [api.get(path).status_code for path in paths(campaign)] == [200] * 4


@pytest.mark.usefixtures("told")
def test_anybody_reads_what_is_public_and_nothing_of_a_person(
    api: Api, campaign: Campaign, founder: User, settings: Settings
) -> None:
    settings.PUBLIC_CAMPAIGNS = True
    hidden = [make_campaign(founder, status=status) for status in ("draft", "in_review")]
    assert [item["id"] for item in api.get("/api/campaigns").json()["items"]] == [str(campaign.pk)]
    assert [item["id"] for item in api.get("/api/campaigns", {"q": "solar"}).json()["items"]] == [str(campaign.pk)]
    for one in hidden:
        assert [api.get(path).status_code for path in paths(one)[1:3]] == [404, 404]
    page = api.get(f"/api/campaigns/{campaign.pk}").json()
    personal: dict[str, Any] = {
        name: page[name] for name in ("myInvestment", "authorRole", "missing", "history", "reviewNote")
    }
    assert personal == dict.fromkeys(personal)
    assert (page["allowedActions"], page["followedByMe"]) == ([], False)
    assert [item["content"] for item in api.get(paths(campaign)[2]).json()["items"]] == ["public"]
    assert api.get(paths(campaign)[2], {"withTotal": "true"}).json()["total"] == 1
    assert api.post(f"/api/campaigns/{campaign.pk}/follow").status_code == 401


def test_it_is_limited_by_address(
    api: Api, campaign: Campaign, stranger: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_CAMPAIGNS = True
    monkeypatch.setattr(callers, "PER_ADDRESS", Limit("public_campaigns:test", 2, timedelta(hours=1)))
    answers = [api.get(path).status_code for path in paths(campaign)[:3]]
    assert answers == [200, 200, 429]
    assert api.as_user(stranger).get(paths(campaign)[0]).status_code == 200, "people have limits of their own"


def test_the_page_says_how_one_would_be_labelled(
    api: Api, campaign: Campaign, founder: User, backer: User, moderator: User, stranger: User
) -> None:
    Backing.objects.create(campaign=campaign, backer=backer, committed_minor=100, since=clock.now())
    roles = [
        api.as_user(who).get(f"/api/campaigns/{campaign.pk}").json()["authorRole"]
        for who in (founder, moderator, backer, stranger)
    ]
    assert roles == ["founder", "staff", "investor", None]
