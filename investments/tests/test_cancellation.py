"""Until when a commitment can be taken back, and that a campaign is decided on what is left after that."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign, TermsReason
from campaigns.services.terms import change_terms
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api
from investments.models import Investment
from investments.services.closing import campaigns_to_close
from investments.testing import close_campaigns, declare_profile, invest
from investments.tests.conftest import books_agree, refusal

MONDAY = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
REFLECTION_END = datetime(2027, 3, 5, 23, 0, tzinfo=UTC)
"""Friday, midnight in Berlin."""


@pytest.fixture
def european(founder: User, backer: User, friend: User, time_machine: TimeMachineFixture) -> Campaign:
    """Goal 100.00 EUR, ends on Tuesday: before the reflection period of whoever invests on Monday."""
    time_machine.move_to(MONDAY, tick=False)
    for investor in (backer, friend):
        declare_profile(investor, currency="EUR")
    return make_campaign(
        founder,
        rules="eu_ecspr",
        country="DE",
        time_zone="Europe/Berlin",
        currency="EUR",
        goal_amount="100",
        ends_at=MONDAY + timedelta(days=1),
    )


def taken_back(api: Api, investment: Investment, amount: str) -> Any:
    body = {"amount": amount, "paymentMethodId": str(investment.method_id)}
    return api.as_user(investment.investor).post(f"/api/investments/{investment.pk}/withdraw", body)


def shown_to(api: Api, investor: User) -> set[str]:
    """What list, page and portfolio say."""
    client = api.as_user(investor)
    (listed,) = client.get("/api/investments").json()["items"]
    return {listed["cancellableUntil"], client.get(f"/api/investments/{listed['id']}").json()["cancellableUntil"]}


def test_hours_before_the_deadline_follow_the_deadline(
    api: Api, founder: User, backer: User, campaign: Campaign
) -> None:
    investment = invest(api, backer, campaign, "100")
    assert investment.cancellable_until == campaign.ends_at - timedelta(hours=48)
    sooner = clock.now().replace(microsecond=0) + timedelta(hours=47)
    change_terms(campaign, {"ends_at": sooner}, reason=TermsReason.EARLY_CLOSE, actor=founder, now=clock.now())
    assert shown_to(api, backer) == {f"{sooner - timedelta(hours=48):%Y-%m-%dT%H:%M:%SZ}"}
    assert refusal(taken_back(api, investment, "10")) == (409, "cancel_window_closed")


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 409)])
def test_a_reflection_period_runs_on_after_the_deadline(
    api: Api,
    backer: User,
    friend: User,
    european: Campaign,
    time_machine: TimeMachineFixture,
    seconds: int,
    status: int,
) -> None:
    investment = invest(api, backer, european, "100")
    invest(api, friend, european, "1")
    assert shown_to(api, backer) == {"2027-03-05T23:00:00Z"}
    time_machine.move_to(REFLECTION_END + timedelta(seconds=seconds), tick=False)
    assert taken_back(api, investment, "100").status_code == status
    close_campaigns(now=REFLECTION_END)
    european.refresh_from_db()
    assert european.outcome == ("failed" if status == 200 else "funded")
    assert books_agree()


def test_a_campaign_is_decided_after_the_last_reflection_period(api: Api, backer: User, european: Campaign) -> None:
    invest(api, backer, european, "100")
    for moment in (european.ends_at, REFLECTION_END - timedelta(seconds=1)):
        assert european.pk not in campaigns_to_close(moment)
        close_campaigns(now=moment)
        european.refresh_from_db()
        assert european.status == "live"
    close_campaigns(now=REFLECTION_END)
    european.refresh_from_db()
    assert (european.status, european.settled_minor) == ("settled", 100_00)


def test_sophisticated_investors_have_no_reflection_period(api: Api, backer: User, european: Campaign) -> None:
    backer.badges = ["accredited_investor"]
    backer.save(update_fields=["badges"])
    investment = invest(api, backer, european, "100")
    assert refusal(taken_back(api, investment, "10")) == (409, "cancel_window_closed")
    close_campaigns(now=european.ends_at)
    european.refresh_from_db()
    assert european.status == "settled"
