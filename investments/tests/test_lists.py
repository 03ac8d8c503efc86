"""Lists, totals, who sees whose money, and a constant number of queries."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import Api
from investments.models import PaymentMethod
from investments.testing import close_campaigns, invest, make_card
from investments.tests.conftest import invest_url, refusal


def test_own_investments_by_status(
    api: Api, backer: User, friend: User, campaign: Campaign, card: PaymentMethod
) -> None:
    invest(api, backer, campaign, "100", card)
    api.as_user(backer).post(
        invest_url(campaign), {"amount": "10", "paymentMethodId": str(make_card(backer, "tok_declined").pk)}
    )
    client = api.as_user(backer)
    assert [item["status"] for item in client.get("/api/investments").json()["items"]] == ["failed", "committed"]
    only = client.get("/api/investments", {"status": "committed"}).json()["items"]
    assert [item["amount"] for item in only] == ["100.00"]
    assert client.get("/api/investments", {"status": "everything"}).status_code == 400
    assert api.as_user(friend).get("/api/investments").json()["items"] == []


def test_who_sees_a_campaigns_investments(
    api: Api, founder: User, backer: User, friend: User, stranger: User, moderator: User, campaign: Campaign
) -> None:
    invest(api, backer, campaign, "100")
    invest(api, friend, campaign, "200")
    path = f"/api/campaigns/{campaign.pk}/investments"

    def amounts(person: User) -> list[Any]:
        return [item["amount"] for item in api.as_user(person).get(path).json()["items"]]

    assert amounts(founder) == amounts(moderator) == ["200.00", "100.00"]
    assert (amounts(backer), amounts(friend)) == (["100.00"], ["200.00"])
    assert refusal(api.as_user(stranger).get(path)) == (403, "investors_only")
    draft = make_campaign(founder, status="draft")
    assert api.as_user(stranger).get(f"/api/campaigns/{draft.pk}/investments").status_code == 404


def test_others_investments_do_not_exist(
    api: Api, backer: User, friend: User, founder: User, campaign: Campaign
) -> None:
    investment = invest(api, backer, campaign, "100")
    for person in (friend, founder):
        assert api.as_user(person).get(f"/api/investments/{investment.pk}").status_code == 404
    assert api.as_user(backer).get(f"/api/investments/{investment.pk}").status_code == 200


def test_the_portfolio_adds_up_per_currency(api: Api, founder: User, backer: User, campaign: Campaign) -> None:
    yen = make_campaign(founder, currency="JPY", goal_amount="5000")
    invest(api, backer, campaign, "100.50")
    invest(api, backer, yen, "3000")
    api.as_user(backer).post(
        invest_url(campaign), {"amount": "20", "paymentMethodId": str(make_card(backer, "tok_3ds").pk)}
    )
    answer = api.as_user(backer).get("/api/profile/investments").json()
    assert answer["totals"] == [
        {"currency": "JPY", "invested": "3000", "pending": "0", "returned": "0", "refunded": "0"},
        {"currency": "USD", "invested": "100.50", "pending": "20.00", "returned": "0.00", "refunded": "0.00"},
    ]
    assert answer["items"][0]["campaignStatus"] == "live"


def test_refunds_show_in_the_portfolio(api: Api, backer: User, campaign: Campaign) -> None:
    invest(api, backer, campaign, "70")
    close_campaigns(now=campaign.ends_at)
    (total,) = api.as_user(backer).get("/api/profile/investments").json()["totals"]
    assert (total["invested"], total["refunded"]) == ("0.00", "70.00")


@pytest.mark.parametrize("path", ["/api/investments", "/api/profile/investments", "on the campaign"])
def test_one_row_costs_as_many_queries_as_ten(
    api: Api, founder: User, backer: User, django_assert_max_num_queries: DjangoAssertNumQueries, path: str
) -> None:
    campaign = make_campaign(founder)
    card = make_card(backer)
    who, url = (founder, f"/api/campaigns/{campaign.pk}/investments") if path.startswith("on") else (backer, path)
    client = api.as_user(who)

    def count() -> int:
        with django_assert_max_num_queries(50) as queries:
            assert client.get(url, {"limit": 50}).status_code == 200
        return len(queries)

    invest(api, backer, campaign, "10", card)
    one = count()
    for _ in range(9):
        invest(api, backer, campaign, "10", card)
    assert count() == one
