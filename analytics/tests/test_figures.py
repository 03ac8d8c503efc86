"""What creators, people and staff read: numbers that agree with the books and show nobody by themselves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from analytics.jobs import ATTRIBUTE, COPY_EVENTS, ROLL_UP
from analytics.models import Audience, DayCount
from analytics.stores import Incoming, store
from analytics.testing.stores import ship
from campaigns.models import Campaign
from campaigns.services.closing import cancel_campaign
from campaigns.testing import make_campaign
from core.data.ids import uuid7
from core.jobs.runner import run
from core.testing import Api, drain_outbox
from investments.testing import finish_refunds, invest
from ledger.models import Entry
from social.services.follows import follow
from social.testing import make_comment, make_post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store")]
TRACK = "/api/analytics/track"


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


@pytest.fixture
def campaign(founder: User) -> Campaign:
    return make_campaign(founder, goal_amount="10000", max_amount="50000", min_investment=None)


def visit(api: Api, who: User, campaign: Campaign, source: str = "") -> None:
    page = f"/c/{campaign.slug}?utm_source={source}&utm_medium=mail" if source else f"/c/{campaign.slug}"
    events = [
        {"eventType": "page_view", "page": page},
        {"eventType": "campaign_view", "campaignId": str(campaign.pk)},
    ]
    answer = api.as_user(who).post(f"{TRACK}/batch", {"events": events}).json()
    assert answer["stored"] == 2, answer


def count() -> None:
    """What the jobs do every few minutes."""
    now = timezone.now() + timedelta(seconds=1)
    assert run(COPY_EVENTS, now=now).failed == 0
    assert ship(now - timedelta(milliseconds=1)).failed == 0
    for job in (ROLL_UP, ATTRIBUTE):
        assert run(job, now=now).failed == 0


def figures(api: Api, who: User, campaign: Campaign, **query: str) -> Any:
    return api.as_user(who).get(f"/api/analytics/campaign/{campaign.pk}", query).json()


def booked(campaign: Campaign) -> int:
    """What the books hold for a campaign, from every posting of an investment, in minor units."""
    entries = Entry.objects.filter(
        account__code=f"escrow:campaign:{campaign.pk}",
        posting__phase="posted",
        posting__reference__startswith="investment:",
    )
    return -sum(entry.amount for entry in entries)


def test_the_funnel_of_a_campaign_by_source_adds_up_to_the_books(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    backers = [person(f"backer{number}", identity=True) for number in range(8)]
    for number, backer in enumerate(backers):
        visit(api, backer, campaign, "newsletter" if number < 6 else "")
    visit(api, person("reader"), campaign, "newsletter")
    visit(api, founder, campaign)
    count()
    for number, backer in enumerate(backers[:7]):
        invest(api, backer, campaign, f"{100 + number}.50")
    count()
    shown = figures(api, person("staff", role="moderator"), campaign)
    assert (shown["views"], shown["uniqueVisitors"]) == (9, 9)
    assert shown["conversion"] == {"views": 9, "started": 7, "committed": 7, "invested": 0}
    by_source = {row["source"]: row for row in shown["sources"]}
    assert (by_source["newsletter"]["started"], by_source["newsletter"]["amount"]) == (6, "618.00")
    assert (by_source["direct"]["started"], by_source["direct"]["amount"]) == (1, "106.50")
    in_all = sum(round(float(row["amount"]) * 100) for row in shown["sources"])
    assert in_all == booked(campaign) == 72_450
    assert (shown["raisedAmount"], shown["currency"], shown["investorCount"]) == ("724.50", campaign.currency, 7)
    today = shown["series"][-1]
    assert (today["views"], today["started"]) == (9, 7)

    seen = figures(api, founder, campaign)
    newsletter, other = seen["sources"]
    assert newsletter == by_source["newsletter"]
    nobody = dict.fromkeys(("visits", "people", "started", "committed", "amount"))
    assert other == {"source": "other", "medium": "", **nobody, "invested": 0, "investedAmount": "0.00"}
    assert seen["conversion"] == shown["conversion"]


def test_a_single_investor_is_not_seen_by_the_creator_behind_a_source_of_many_readers(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    for number in range(6):
        visit(api, person(f"reader{number}"), campaign, "blog")
    for number, source in enumerate(["blog", *["newsletter"] * 4]):
        backer = person(f"backer{number}", identity=True)
        visit(api, backer, campaign, source)
        count()
        invest(api, backer, campaign, "100")
    count()
    seen = {row["source"]: row for row in figures(api, founder, campaign)["sources"]}
    assert (seen["blog"]["people"], seen["blog"]["started"], seen["blog"]["amount"]) == (7, None, None)
    assert (seen["other"]["people"], seen["other"]["started"], seen["other"]["amount"]) == (None, 5, "500.00")
    assert seen.keys() == {"blog", "other"}


def test_what_was_refunded_is_gone_from_every_source(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    backer = person("backer", identity=True)
    visit(api, backer, campaign, "newsletter")
    count()
    invest(api, backer, campaign, "100")
    cancel_campaign(owner=founder, campaign_id=campaign.pk, now=timezone.now())
    drain_outbox()
    finish_refunds(now=timezone.now())
    count()
    shown = figures(api, person("staff", role="moderator"), campaign)
    assert booked(campaign) == 0
    assert (shown["raisedAmount"], shown["conversion"]["started"], shown["conversion"]["committed"]) == ("0.00", 1, 0)


def test_sources_and_days_of_few_people_are_hidden_from_creators_and_shown_to_staff(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    for number in range(4):
        visit(api, person(f"reader{number}"), campaign, f"blog{number % 2}")
    count()
    shown = figures(api, founder, campaign)
    assert [(row["source"], row["people"], row["visits"]) for row in shown["sources"]] == [("other", None, None)]
    assert (shown["views"], shown["uniqueVisitors"], shown["interactions"]) == (None, None, {"view": None})
    assert (shown["series"][-1]["views"], shown["series"][-2]["views"]) == (None, 0)
    everything = figures(api, person("staff", role="moderator"), campaign)
    assert {row["source"]: row["people"] for row in everything["sources"]} == {"blog0": 2, "blog1": 2}
    assert everything["series"][-1]["views"] == 4


def test_figures_of_a_campaign_are_for_its_owner_and_staff(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    draft = make_campaign(founder, status="draft", title="Another one")
    stranger = api.as_user(person("stranger"))
    refused = stranger.get(f"/api/analytics/campaign/{campaign.pk}")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_the_owner")
    for unseen in (draft.pk, uuid4()):
        assert stranger.get(f"/api/analytics/campaign/{unseen}").status_code == 404
    assert api.as_user(founder).get(f"/api/analytics/campaign/{draft.pk}").status_code == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "2026-02-02", "to": "2026-02-01"}, "period_reversed"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "period_too_long"),
        ({"from": "2026-02-30"}, "invalid_input"),
    ],
)
def test_periods(api: Api, founder: User, query: dict[str, str], code: str) -> None:
    for path in ("user", "engagement"):
        refused = api.as_user(founder).get(f"/api/analytics/{path}", query)
        assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_a_period_has_both_its_days(api: Api, founder: User) -> None:
    answer = api.as_user(founder).get("/api/analytics/user", {"from": "2026-01-30", "to": "2026-02-01"}).json()
    assert answer["period"] == {"from": "2026-01-30", "to": "2026-02-01"}
    assert [day["date"] for day in answer["series"]] == ["2026-01-30", "2026-01-31", "2026-02-01"]


def test_what_came_to_a_person(api: Api, person: Callable[..., User], founder: User, campaign: Campaign) -> None:
    fan, author = person("fan", identity=True), person("author")
    post = make_post(author)
    make_comment(fan, post)
    make_comment(author, post)
    for reader in (fan, author):
        api.as_user(reader).post(f"/api/social/posts/{post.pk}/like")
    follow(person=fan, other_id=author.pk, now=timezone.now())
    view = {"eventType": "profile_view", "subjectId": str(author.pk), "page": "/people/author"}
    assert api.as_user(fan).post(f"{TRACK}/batch", {"events": [view]}).json()["stored"] == 1
    invest(api, fan, campaign, "250.25")
    count()
    shown = api.as_user(author).get("/api/analytics/user").json()
    for name in ("profileViews", "postsCount", "likesReceived", "commentsReceived", "followersGained"):
        assert shown[name] == 1, name
    today = shown["series"][-1]
    assert (today["profileViews"], today["likesReceived"]) == (1, 1)
    invested = api.as_user(fan).get("/api/analytics/user").json()["invested"]
    assert invested == [{"currency": campaign.currency, "amount": "250.25"}]


def seen(who: User, days_ago: int) -> Incoming:
    at = timezone.now() - timedelta(days=days_ago)
    return Incoming(
        id=uuid7(),
        name="page_view",
        occurred_at=at,
        received_at=timezone.now(),
        audience=Audience.PERSON,
        user_id=who.pk,
    )


def test_engagement_of_the_platform_and_of_an_audience(api: Api, person: Callable[..., User]) -> None:
    author, staff = person("author"), person("staff", role="admin")
    followers = [person(f"follower{number}") for number in range(6)]
    for follower in followers:
        follow(person=follower, other_id=author.pk, now=timezone.now())
    make_post(author)
    store().append([seen(who, 0) for who in followers[:5]] + [seen(followers[5], 3), seen(person("other"), 0)])
    count()
    mine = api.as_user(author).get("/api/analytics/engagement").json()
    assert (mine["scope"], mine["dailyActive"], mine["weeklyActive"], mine["postsPerDay"]) == ("audience", 6, 6, 0.03)
    all_of_it = api.as_user(staff).get("/api/analytics/engagement").json()
    assert all_of_it["scope"] == "platform" and all_of_it["dailyActive"] >= 7
    assert all_of_it["series"][-1]["posts"] == 1
    assert all_of_it["retention"][-1]["people"] == User.objects.count()
    assert all_of_it["retention"][-1]["active"][-1] >= 7


def test_few_followers_are_not_counted_out_loud(api: Api, person: Callable[..., User]) -> None:
    author = person("author")
    fan = person("fan")
    follow(person=fan, other_id=author.pk, now=timezone.now())
    store().append([seen(fan, 0)])
    count()
    shown = api.as_user(author).get("/api/analytics/engagement").json()
    assert (shown["dailyActive"], shown["weeklyActive"], shown["retention"]) == (None, None, [])


def test_reading_figures_costs_the_same_for_one_source_and_for_ten(
    api: Api, founder: User, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    day = timezone.now().date()
    for number in range(10):
        DayCount.objects.create(
            day=day, name="visit", about_id=campaign.pk, source=f"s{number}", medium="", events=9, people=9
        )
    client = api.as_user(founder)
    with django_assert_max_num_queries(9):
        assert len(client.get(f"/api/analytics/campaign/{campaign.pk}").json()["sources"]) == 10
