"""The statement of `investments/sql` beside a plain queryset, on random investments."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api
from core.testing.pages import as_json, by_cursor, by_number
from investments.access import investments_of
from investments.models import Investment, Status
from investments.outputs import InvestmentCard
from investments.testing import invest, make_card

LIST = "/api/investments"


@pytest.fixture(params=range(2))
def investments(request: pytest.FixtureRequest, api: Api, founder: User, backer: User, friend: User) -> None:
    """A dozen of two people, then moved to random moments and states as no service would."""
    chance = random.Random(request.param)
    campaigns = [make_campaign(founder) for _ in range(3)]
    cards = {person: make_card(person) for person in (backer, friend)}
    for _ in range(12):
        person = chance.choice([backer, backer, friend])
        invest(api, person, chance.choice(campaigns), "10.00", cards[person])
    moment = datetime.now(UTC).replace(microsecond=0)
    for investment in Investment.objects.all():
        Investment.objects.filter(pk=investment.pk).update(
            created_at=moment - timedelta(minutes=chance.randrange(3)),
            status=chance.choice([Status.COMMITTED, Status.INVESTED]),
        )


def test_the_list_holds_what_the_queryset_holds(
    api: Api, investments: None, backer: User, friend: User, founder: User
) -> None:
    for person in (backer, friend, founder):
        me = api.as_user(person)
        for query in ({}, {"status": "committed"}, {"status": "failed"}):
            rows = investments_of(person, **query).for_output().order_by("-created_at", "-id")
            expected = as_json([InvestmentCard.of(investment, clock.now()) for investment in rows])
            assert by_cursor(me, LIST, query, 2) == expected
            assert by_number(me, LIST, query, 3) == expected
            assert me.get(LIST, {**query, "withTotal": "true"}).json()["total"] == len(expected)


def test_it_costs_the_same_for_one_and_for_ten(
    api: Api, founder: User, backer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me, card = api.as_user(backer), make_card(backer)
    for count in (1, 10):
        while investments_of(backer).count() < count:
            invest(api, backer, make_campaign(founder), "10.00", card)
        with django_assert_num_queries(3):  # the session, the investments, their campaigns
            assert len(me.get(LIST).json()["items"]) == count


def test_a_page_costs_two_queries(
    api: Api, founder: User, backer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Beside the session's: the investment, and its history."""
    campaign, card = make_campaign(founder), make_card(backer)
    made = invest(api, backer, campaign, "10.00", card)
    me = api.as_user(backer)
    with django_assert_num_queries(3):
        assert me.get(f"{LIST}/{made.pk}").status_code == 200
