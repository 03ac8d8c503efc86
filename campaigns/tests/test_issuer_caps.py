"""What one owner may raise in twelve months, over all campaigns under one rule set."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from accounts.models import User
from campaigns.errors import IssuerCapExceeded
from campaigns.models import Campaign
from campaigns.services import issuer_caps, review
from campaigns.services.review import publish_campaign, submit_campaign
from campaigns.testing import make_campaign, write_sheet
from core import clock
from core.testing import WAIT_LIMIT, Api, together


def draft(founder: User, most: str | None, **terms: Any) -> Campaign:
    fields = {
        "rules": "us_reg_cf",
        "goal_amount": "1000",
        "max_amount": most,
        "status": "draft",
        "country": "US",
        **terms,
    }
    campaign = make_campaign(founder, **fields)
    if campaign.rules == "eu_ecspr":
        write_sheet(campaign)
    return campaign


def submit(api: Api, founder: User, campaign: Campaign) -> Any:
    return api.as_user(founder).post(f"/api/campaigns/{campaign.pk}/submit")


def code(answer: Any) -> Any:
    return answer.json()["code"] if answer.status_code != 200 else 200


@pytest.mark.parametrize(("rules", "currency"), [("us_reg_cf", "USD"), ("eu_ecspr", "EUR")])
def test_the_cap_to_the_cent(api: Api, founder: User, rules: str, currency: str) -> None:
    terms = {"rules": rules, "currency": currency}
    assert code(submit(api, founder, draft(founder, "5000000.01", **terms))) == "issuer_cap_exceeded"
    assert submit(api, founder, draft(founder, "3000000", **terms)).status_code == 200
    second = draft(founder, "2000000.01", **terms)
    refused = submit(api, founder, second)
    assert code(refused) == "issuer_cap_exceeded"
    assert (refused.json()["available"], refused.json()["limit"]) == ("2000000.00", "5000000.00")
    second.refresh_from_db()
    assert second.status == "draft"
    assert submit(api, founder, draft(founder, "2000000", **terms)).status_code == 200


def test_what_counts(api: Api, founder: User, person: Callable[..., User]) -> None:
    """Other owners and other rule sets do not; what failed does not; what was raised does, for twelve months."""
    now = clock.now()
    other = person("other", identity=True)
    submit_campaign(owner=other, campaign_id=draft(other, "5000000").pk, now=now)
    submit_campaign(owner=founder, campaign_id=draft(founder, "9000000", rules="none").pk, now=now)
    failed = make_campaign(founder, rules="us_reg_cf", country="US", max_amount="1000000")
    Campaign.objects.filter(pk=failed.pk).update(status="failed", closed_at=now)
    ended = make_campaign(founder, rules="us_reg_cf", country="US", max_amount="1000000")
    Campaign.objects.filter(pk=ended.pk).update(
        status="funded", closed_at=now - timedelta(days=364), raised_minor=1_000_000_00
    )
    assert code(submit(api, founder, draft(founder, "4000000.01"))) == "issuer_cap_exceeded"
    Campaign.objects.filter(pk=ended.pk).update(closed_at=now - timedelta(days=367))
    assert submit(api, founder, draft(founder, "5000000")).status_code == 200


def test_without_a_cap_of_its_own_a_campaign_takes_what_the_law_leaves(api: Api, founder: User) -> None:
    assert code(submit(api, founder, draft(founder, None, goal_amount="5000000.01"))) == "issuer_cap_exceeded"
    submit(api, founder, draft(founder, "2000000"))
    second = submit(api, founder, draft(founder, None))
    assert second.json()["maxAmount"] == "3000000.00"
    assert code(submit(api, founder, draft(founder, "1000"))) == "issuer_cap_exceeded"
    free = submit(api, founder, draft(founder, None, rules="none"))
    assert free.json()["maxAmount"] is None


def test_a_cap_that_grew_in_review_is_counted_again(api: Api, founder: User) -> None:
    first = draft(founder, "2000000")
    assert submit(api, founder, first).status_code == 200
    assert submit(api, founder, draft(founder, "3000000")).status_code == 200
    Campaign.objects.filter(pk=first.pk).update(max_minor=2_000_000_01)
    with pytest.raises(IssuerCapExceeded):
        publish_campaign(moderator=None, campaign_id=first.pk, now=clock.now())
    Campaign.objects.filter(pk=first.pk).update(max_minor=2_000_000_00)
    assert publish_campaign(moderator=None, campaign_id=first.pk, now=clock.now()).status == "live"


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_a_campaign_is_in_the_currency_of_its_rules(api: Api, founder: User, currency: str) -> None:
    terms = {"currency": currency, "goal_amount": "1000", "max_amount": None}
    refused = submit(api, founder, draft(founder, None, **terms))
    assert (code(refused), refused.json()["missing"][0]["field"]) == ("campaign_incomplete", "currency")
    assert submit(api, founder, draft(founder, None, **{**terms, "rules": "none"})).status_code == 200


@pytest.fixture
def rivals(founder: User) -> list[Any]:
    drafts = [draft(founder, "3000000") for _ in range(2)]
    return [partial(submit_campaign, owner=founder, campaign_id=one.pk, now=clock.now()) for one in drafts]


@pytest.mark.django_db(transaction=True)
def test_two_submitted_at_once_stay_within_the_cap(rivals: list[Any]) -> None:
    outcomes = together(*rivals)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Campaign", "IssuerCapExceeded"]


@pytest.mark.django_db(transaction=True)
def test_two_submitted_at_once_twin(rivals: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the owner's lock neither sees the other, and the owner may raise six millions."""
    barrier = Barrier(2)
    count = issuer_caps._taken

    def count_together(*args: Any) -> int:
        found = count(*args)
        barrier.wait(timeout=WAIT_LIMIT)
        return found

    monkeypatch.setattr(issuer_caps, "_taken", count_together)
    monkeypatch.setattr(review, "lock_person", lambda user_id: None)
    assert {type(outcome) for outcome in together(*rivals)} == {Campaign}
