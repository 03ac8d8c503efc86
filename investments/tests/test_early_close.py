"""A campaign that reached its goal ends earlier: with notice, with the right to withdraw, and only if it holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign, TermsVersion
from campaigns.services.follows import follow_campaign
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api, deliver_events, drain_outbox
from investments.models import Investment
from investments.testing import close_campaigns, invest, make_card
from investments.tests.conftest import books_agree, invest_url, refusal
from notifications.models import Notification

START = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
NOTICE_ENDS = datetime(2027, 3, 9, 0, 0, tzinfo=UTC)
"""Monday, five working days after Monday the 1st, midnight UTC."""


@pytest.fixture
def reached(api: Api, founder: User, backer: User, time_machine: TimeMachineFixture) -> Campaign:
    """Goal 1,000.00, which the backer has put in; ends on 15 April."""
    time_machine.move_to(START, tick=False)
    campaign = make_campaign(founder, ends_at=START + timedelta(days=45))
    invest(api, backer, campaign, "1000")
    return campaign


def ask(api: Api, owner: User, campaign: Campaign, ends_at: datetime) -> Any:
    return api.as_user(owner).post(f"/api/campaigns/{campaign.pk}/close-early", {"endsAt": ends_at.isoformat()})


def withdraw(api: Api, investment: Investment, amount: str) -> Any:
    body = {"amount": amount, "paymentMethodId": str(investment.method_id)}
    return api.as_user(investment.investor).post(f"/api/investments/{investment.pk}/withdraw", body)


def history(campaign: Campaign) -> list[tuple[int, str]]:
    return list(TermsVersion.objects.filter(campaign=campaign).order_by("version").values_list("version", "reason"))


def test_with_five_working_days_of_notice(
    api: Api, founder: User, backer: User, friend: User, stranger: User, reached: Campaign
) -> None:
    follow_campaign(person=friend, campaign_id=reached.pk, now=clock.now())
    too_soon = ask(api, founder, reached, NOTICE_ENDS - timedelta(seconds=1))
    assert refusal(too_soon) == (409, "early_close_too_soon")
    assert too_soon.json()["earliest"] == "2027-03-09T00:00:00Z"
    assert refusal(ask(api, founder, reached, reached.ends_at)) == (409, "early_close_not_earlier")
    assert refusal(ask(api, stranger, reached, NOTICE_ENDS)) == (403, "not_the_owner")
    answer = ask(api, founder, reached, NOTICE_ENDS)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["endsAt"], shown["termsVersion"]) == ("2027-03-09T00:00:00Z", 2)
    assert shown["firstEndsAt"] == "2027-04-15T15:00:00Z"
    assert refusal(ask(api, founder, reached, NOTICE_ENDS)) == (409, "early_close_under_way")
    (investment,) = api.as_user(backer).get("/api/investments").json()["items"]
    assert investment["cancellableUntil"] == "2027-03-07T00:00:00Z"
    assert history(reached) == [(1, "published"), (2, "early_close")]
    deliver_events()
    drain_outbox()
    told = Notification.objects.filter(kind="campaign_closes_early").values_list("user_id", flat=True)
    assert set(told) == {backer.pk, friend.pk}
    close_campaigns(now=NOTICE_ENDS)
    reached.refresh_from_db()
    assert (reached.status, reached.outcome) == ("settled", "funded")
    assert books_agree()


def test_not_before_the_goal_is_reached(api: Api, founder: User, backer: User, reached: Campaign) -> None:
    assert withdraw(api, Investment.objects.get(), "0.01").status_code == 200
    assert refusal(ask(api, founder, reached, NOTICE_ENDS)) == (409, "goal_not_reached")
    draft = make_campaign(founder, status="draft", ends_at=START + timedelta(days=45))
    assert refusal(ask(api, founder, draft, NOTICE_ENDS)) == (409, "campaign_not_live")
    european = make_campaign(
        founder, rules="eu_ecspr", currency="EUR", country="DE", ends_at=START + timedelta(days=45)
    )
    assert refusal(ask(api, founder, european, NOTICE_ENDS)) == (409, "early_close_not_provided")


@pytest.mark.parametrize("by", ["job", "investor"])
def test_it_goes_on_if_the_goal_is_missed_at_the_new_deadline(
    api: Api, founder: User, backer: User, friend: User, reached: Campaign, time_machine: TimeMachineFixture, by: str
) -> None:
    assert ask(api, founder, reached, NOTICE_ENDS).status_code == 200
    assert withdraw(api, Investment.objects.get(), "100").status_code == 200
    time_machine.move_to(NOTICE_ENDS, tick=False)
    if by == "job":
        close_campaigns(now=NOTICE_ENDS)
    else:
        invest(api, friend, reached, "100")
    shown = api.as_user(backer).get(f"/api/campaigns/{reached.pk}").json()
    assert (shown["status"], shown["endsAt"], shown["firstEndsAt"]) == ("live", "2027-04-15T15:00:00Z", None)
    assert history(reached) == [(1, "published"), (2, "early_close"), (3, "early_close_missed")]
    close_campaigns(now=reached.ends_at)
    reached.refresh_from_db()
    assert reached.outcome == ("failed" if by == "job" else "funded")
    deliver_events()
    drain_outbox()
    assert {backer.pk, founder.pk} <= set(
        Notification.objects.filter(kind="campaign_goes_on").values_list("user_id", flat=True)
    )
    assert books_agree()


def test_the_goal_that_holds_ends_it(
    api: Api, founder: User, friend: User, reached: Campaign, time_machine: TimeMachineFixture
) -> None:
    assert ask(api, founder, reached, NOTICE_ENDS).status_code == 200
    time_machine.move_to(NOTICE_ENDS, tick=False)
    body = {"amount": "10", "paymentMethodId": str(make_card(friend).pk)}
    assert refusal(api.as_user(friend).post(invest_url(reached), body)) == (409, "campaign_closed")


def test_the_table_keeps_the_versions(reached: Campaign) -> None:
    version = TermsVersion.objects.get(campaign=reached)
    with pytest.raises(IntegrityError), transaction.atomic():
        TermsVersion.objects.filter(pk=version.pk).update(words="other")
    with pytest.raises(IntegrityError, match="have no version"), transaction.atomic(), connection.cursor() as cursor:
        Campaign.objects.filter(pk=reached.pk).update(goal_minor=1, terms_version=2)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
