"""Lists: filters, orders, pages that stay put, and a constant number of queries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.funding import confirm_funding, lock_campaign, reserve_funding
from campaigns.testing import make_campaign
from core.data.transactions import atomic
from core.money import Money
from core.testing import Api


def titles(response: Any) -> list[Any]:
    assert response.status_code == 200, response.json()
    return [item["title"] for item in response.json()["items"]]


def fund(campaign: Campaign, backer: User, amount: Any, now: datetime) -> None:
    money = Money.of(amount, campaign.currency)
    with atomic():
        reserve_funding(campaign=lock_campaign(campaign.pk), backer=backer, amount=money, now=now)
    with atomic():
        confirm_funding(campaign=campaign, backer_id=backer.pk, amount=money, now=now)


@pytest.fixture
def three(founder: User) -> list[Any]:
    now = timezone.now()
    return [
        make_campaign(founder, title="Bakery", category="food", ends_at=now + timedelta(days=9)),
        make_campaign(founder, title="Harbour", category="travel", ends_at=now + timedelta(days=3)),
        make_campaign(founder, title="Windmill", category="energy", ends_at=now + timedelta(days=6)),
    ]


def test_filters(api: Api, founder: User, stranger: User, three: list[Any]) -> None:
    make_campaign(founder, title="Secret", status="draft")
    client = api.as_user(stranger)
    assert titles(client.get("/api/campaigns")) == ["Windmill", "Harbour", "Bakery"]
    assert titles(client.get("/api/campaigns", {"category": "food"})) == ["Bakery"]
    assert titles(client.get("/api/campaigns", {"status": "draft"})) == []
    assert titles(api.as_user(founder).get("/api/campaigns", {"status": "draft"})) == ["Secret"]
    assert titles(client.get("/api/campaigns", {"q": "windmills"})) == ["Windmill"]
    assert titles(client.get("/api/campaigns", {"q": "roof south"})) == ["Windmill", "Harbour", "Bakery"]
    assert titles(client.get("/api/campaigns", {"q": "\"' & | ! : *"})) == []
    for wrong in ({"sort": "owner__email"}, {"status": "secret"}, {"limit": 101}, {"cursor": "x.y"}):
        assert client.get("/api/campaigns", wrong).status_code == 400


def test_orders(api: Api, stranger: User, backer: User, person: Callable[..., User], three: list[Any]) -> None:
    bakery, harbour, _ = three
    now = timezone.now()
    fund(bakery, backer, "500", now - timedelta(days=0))
    for number in range(3):
        fund(harbour, person(f"b{number}"), "10", now)
    client = api.as_user(stranger)
    assert titles(client.get("/api/campaigns", {"sort": "ending"})) == ["Harbour", "Windmill", "Bakery"]
    assert titles(client.get("/api/campaigns", {"sort": "most_funded"})) == ["Bakery", "Harbour", "Windmill"]
    assert titles(client.get("/api/campaigns", {"sort": "trending"})) == ["Harbour", "Bakery", "Windmill"]


def test_ending_leaves_out_what_has_ended(api: Api, founder: User, stranger: User, three: list[Any]) -> None:
    ended = make_campaign(founder, title="Ended", starts_at=timezone.now() - timedelta(days=2))
    Campaign.objects.filter(pk=ended.pk).update(status="failed")
    client = api.as_user(stranger)
    assert "Ended" not in titles(client.get("/api/campaigns", {"sort": "ending"}))
    assert titles(client.get("/api/campaigns", {"sort": "ending", "status": "failed"})) == ["Ended"]


@pytest.mark.parametrize("sort", ["newest", "ending", "most_funded", "trending"])
def test_a_cursor_neither_skips_nor_repeats_while_rows_come_and_go(
    api: Api, founder: User, stranger: User, three: list[Any], sort: str
) -> None:
    client = api.as_user(stranger)
    whole = titles(client.get("/api/campaigns", {"sort": sort}))
    first = client.get("/api/campaigns", {"sort": sort, "limit": 1})
    make_campaign(founder, title="Newcomer", ends_at=timezone.now() + timedelta(days=1))
    rest = client.get("/api/campaigns", {"sort": sort, "limit": 2, "cursor": first.json()["nextCursor"]})
    assert [title for title in titles(first) + titles(rest) if title != "Newcomer"][:3] == whole


def test_own_campaigns(api: Api, founder: User, stranger: User, three: list[Any]) -> None:
    make_campaign(founder, title="Secret", status="draft")
    assert titles(api.as_user(founder).get("/api/profile/campaigns")) == ["Secret", "Windmill", "Harbour", "Bakery"]
    assert titles(api.as_user(stranger).get("/api/profile/campaigns")) == []


def test_categories(api: Api, stranger: User) -> None:
    answer = api.as_user(stranger).get("/api/campaigns/categories").json()
    assert answer["items"][0].keys() == {"id", "slug", "name"}
    assert {"technology", "energy", "real-estate"} <= {item["slug"] for item in answer["items"]}
    assert answer["hasMore"] is False


def test_one_row_costs_as_many_queries_as_ten(
    api: Api, founder: User, stranger: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = api.as_user(stranger)
    make_campaign(founder)

    def count() -> int:
        with django_assert_max_num_queries(50) as queries:
            client.get("/api/campaigns", {"limit": 50})
        return len(queries)

    one = count()
    for _ in range(9):
        make_campaign(founder)
    assert count() == one
