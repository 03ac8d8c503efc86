"""The statements of `campaigns/sql` beside plain querysets, on random campaigns and for everybody who may ask."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from campaigns.access import visible_to
from campaigns.models import CLOSED, PUBLIC, Backing, Campaign, CampaignMedia, Category, Status, TermsReason
from campaigns.outputs import CampaignCard
from campaigns.rules import version_on
from campaigns.selectors import SORTS, campaign_list
from campaigns.services.terms import write_version
from campaigns.testing import make_campaign
from core.testing import Api
from core.testing.pages import as_json, by_cursor, by_number
from uploads.models import StoredFile

LIST = "/api/campaigns"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def people(founder: User, backer: User, stranger: User, moderator: User) -> list[Any]:
    return [founder, backer, stranger, moderator]


@pytest.fixture(params=range(3))
def campaigns(request: pytest.FixtureRequest, people: list[Any]) -> list[Campaign]:
    """Forty of every state, many of them made at the same moment and with the same money."""
    chance = random.Random(request.param)
    categories = list(Category.objects.all()[:3])
    made = [_campaign(chance, n, chance.choice(people[:2]), chance.choice(categories)) for n in range(40)]
    Campaign.objects.bulk_create(made)
    for campaign in made:
        if campaign.status in PUBLIC:
            write_version(campaign, reason=TermsReason.PUBLISHED, actor=None, now=NOW)
    for campaign in made:
        for position in range(chance.choice([0, 0, 1, 3])):
            stored = StoredFile.objects.create(
                owner_id=campaign.owner_id,
                purpose="campaign_media",
                visibility="public",
                content_type="image/jpeg",
                size=1,
                width=chance.choice([None, 800]),
                height=chance.choice([None, 600]),
                fingerprint=b"f" * 32,
                storage_name=f"{campaign.pk}-{position}.jpg",
            )
            CampaignMedia.objects.create(campaign=campaign, file=stored, position=position)
        if chance.random() < 0.5:
            Backing.objects.create(
                campaign=campaign, backer=people[1], committed_minor=chance.choice([0, 2500]), since=NOW
            )
    return made


def _campaign(chance: random.Random, n: int, owner: Any, category: Any) -> Campaign:
    status = chance.choice(Status.values)
    is_public = status in PUBLIC
    rules = chance.choice(["none", "us_reg_cf"])
    starts_at = NOW - timedelta(days=chance.choice([-1, 3, 2])) if is_public else None
    return Campaign(
        owner=owner,
        category=category,
        title=f"Campaign {n}",
        slug=f"campaign-{n}",
        summary="What it is about.",
        description="More of it.",
        currency=chance.choice(["USD", "JPY", "KWD"]),
        goal_minor=100_000,
        max_minor=chance.choice([None, 10**12]),
        min_investment_minor=chance.choice([None, 500]),
        starts_at=starts_at,
        ends_at=NOW + timedelta(days=chance.choice([-1, 4, 5] if starts_at and starts_at < NOW else [4, 5])),
        expected_return_percent=chance.choice([None, "7.25"]),
        status=status,
        rules=rules,
        rules_version=version_on(rules, NOW.date()),
        outcome=status if status in CLOSED else "funded" if status == Status.SETTLED else "",
        review_note="Not yet." if status == Status.REJECTED else "",
        published_at=starts_at,
        raised_minor=chance.choice([0, 33_333]) if is_public else 0,
        reserved_minor=chance.choice([0, 700]) if status == Status.LIVE else 0,
        investor_count=chance.choice([0, 2]) if is_public else 0,
        trend=chance.choice([0.0, 1.5]),
        created_at=NOW - timedelta(minutes=chance.randrange(6)),
        updated_at=NOW,
    )


QUERIES = [
    {},
    {"status": "live"},
    {"status": "draft"},
    {"status": "in_review"},
    {"category": "energy"},
    {"category": "no-such"},
    *({"sort": sort} for sort in SORTS),
    {"sort": "ending", "status": "funded"},
    {"sort": "ending", "status": "live"},
    {"phase": "open"},
    {"phase": "upcoming"},
    {"phase": "ended", "sort": "ending"},
    {"rules": "us_reg_cf", "sort": "most_funded"},
    {"sort": "trending", "category": "technology", "status": "live"},
]


def test_the_list_holds_what_the_queryset_holds(api: Api, campaigns: list[Campaign], people: list[Any]) -> None:
    for person in people:
        me = api.as_user(person)
        for query in QUERIES:
            expected = campaign_list(person, now=datetime.now(UTC), **query).order_by(
                *SORTS[query.get("sort", "newest")]
            )
            cards = as_json([CampaignCard.of(campaign, NOW) for campaign in expected])
            assert by_cursor(me, LIST, query, 7) == cards, (person.first_name, query)
            assert by_number(me, LIST, query, 20) == cards, (person.first_name, query)
            assert me.get(LIST, {**query, "withTotal": "true"}).json()["total"] == len(cards)


def test_one_s_own_are_all_there(api: Api, campaigns: list[Campaign], people: list[Any]) -> None:
    for person in people:
        own = Campaign.objects.filter(owner=person).for_cards().order_by("-created_at", "-id")
        cards = as_json([CampaignCard.of(campaign, NOW) for campaign in own])
        assert by_cursor(api.as_user(person), "/api/profile/campaigns", {}, 6) == cards


def test_a_page_is_there_for_whom_the_queryset_shows_it(api: Api, campaigns: list[Campaign], people: list[Any]) -> None:
    for person in people:
        seen = {campaign.pk: campaign for campaign in visible_to(person).for_cards()}
        me = api.as_user(person)
        for campaign in campaigns:
            answer = me.get(f"{LIST}/{campaign.pk}")
            assert answer.status_code == (200 if campaign.pk in seen else 404)
            if campaign.pk in seen:
                page = answer.json()
                card = as_json(CampaignCard.of(seen[campaign.pk], NOW))
                assert {name: page[name] for name in card} == card
                files = [media.file for media in campaign.media.select_related("file").order_by("position")]
                assert [(m["id"], m["width"], m["height"]) for m in page["media"]] == [
                    (str(file.pk), file.width, file.height) for file in files
                ]
                backing = Backing.objects.filter(campaign=campaign, backer=person, committed_minor__gt=0).first()
                assert (page["myInvestment"] is not None) == (backing is not None)
                assert (page["reviewNote"] is not None) == (
                    campaign.owner_id == person.pk and bool(campaign.review_note)
                )
                assert answer["ETag"] == campaign.etag


def test_the_list_costs_the_same_for_one_and_for_ten(
    api: Api, founder: User, backer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_campaign(founder)
    me = api.as_user(backer)
    with django_assert_num_queries(2):  # the session, the list
        assert len(me.get(LIST).json()["items"]) == 1
    for _ in range(9):
        make_campaign(founder)
    with django_assert_num_queries(2):
        assert len(me.get(LIST).json()["items"]) == 10


def test_a_page_costs_one_query(
    api: Api, campaign: Campaign, backer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Beside the session's: the campaign, with what the person has under way, by which allowed actions are told."""
    me = api.as_user(backer)
    with django_assert_num_queries(2):
        assert me.get(f"{LIST}/{campaign.pk}").status_code == 200
