"""How much a person may invest under Regulation Crowdfunding: computed, shown, and kept to by rivals."""

from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.access import person_read
from accounts.models import User
from campaigns.models import Campaign
from campaigns.rules import Rules, rule_set
from campaigns.testing import make_campaign
from core import clock
from core.testing import WAIT_LIMIT, Api, together
from investments import facts
from investments.eligibility import investor_limit
from investments.models import Figures, Investment
from investments.services import investing
from investments.testing import close_campaigns, declare_profile, invest, make_card
from investments.tests.conftest import invest_url, refusal

US = rule_set(Rules.US_REG_CF, "2022-09-20")


@pytest.mark.parametrize(
    ("income", "net_worth", "limit", "rule"),
    [
        (0, 0, 2_500_00, "floor"),
        (49_999_99, 0, 2_500_00, "floor"),
        (50_000_00, 0, 2_500_00, "small_share"),
        (50_000_20, 0, 2_500_01, "small_share"),
        (0, 123_999_99, 6_199_99, "small_share"),
        (123_999_99, 500_000_00, 25_000_00, "small_share"),
        (500_000_00, 123_999_99, 25_000_00, "small_share"),
        (124_000_00, 124_000_00, 12_400_00, "large_share"),
        (124_000_00, 500_000_09, 50_000_00, "large_share"),
        (124_000_00, 1_240_000_00, 124_000_00, "large_share"),
        (124_000_00, 1_240_000_10, 124_000_00, "most"),
        (0, 2_480_000_20, 124_000_00, "most"),
        (10**15, 10**15, 124_000_00, "most"),
    ],
)
def test_both_branches_at_their_edges(income: int, net_worth: int, limit: int, rule: str) -> None:
    found = investor_limit(Figures(income, net_worth, 0, "USD"), US)
    assert found == (limit, f"investor_limit_{rule}")


@pytest.fixture
def american(founder: User) -> Campaign:
    return make_campaign(founder, rules="us_reg_cf", goal_amount="10000", max_amount="20000")


@pytest.fixture
def other_american(founder: User) -> Campaign:
    return make_campaign(founder, rules="us_reg_cf", goal_amount="10000", max_amount="20000")


def limit_of(api: Api, who: User) -> Any:
    items = api.as_user(who).get("/api/investments/limits").json()["items"]
    (item,) = (one for one in items if one["rules"] == "us_reg_cf")
    return item


def ask(api: Api, who: User, campaign: Campaign, amount: str) -> Any:
    body = {"amount": amount, "paymentMethodId": str(make_card(who).pk)}
    return api.as_user(who).post(invest_url(campaign), body)


def test_the_limit_counts_all_campaigns_of_twelve_months(
    api: Api, backer: User, campaign: Campaign, american: Campaign, other_american: Campaign
) -> None:
    before = limit_of(api, backer)
    assert (before["limit"], before["remaining"], before["currency"]) == ("0.00", "0.00", "USD")
    assert "Declare" in before["because"]
    declare_profile(backer, invested_elsewhere="100")
    invest(api, backer, campaign, "500")  # under no law: does not count
    invest(api, backer, american, "1400.00")
    shown = limit_of(api, backer)
    assert (shown["limit"], shown["used"], shown["remaining"]) == ("2500.00", "1500.00", "1000.00")
    refused = ask(api, backer, other_american, "1000.01")
    assert refusal(refused) == (409, "investor_limit_exceeded")
    members = {name: refused.json()[name] for name in ("limit", "used", "remaining", "currency")}
    assert members == {"limit": "2500.00", "used": "1500.00", "remaining": "1000.00", "currency": "USD"}
    assert refused.json()["windowStartsAt"] >= shown["windowStartsAt"]
    assert ask(api, backer, other_american, "1000").status_code == 200
    assert refusal(ask(api, backer, american, "0.01")) == (409, "investor_limit_exceeded")
    assert Investment.objects.filter(campaign__rules="us_reg_cf").count() == 2


def test_what_comes_back_is_free_again(api: Api, backer: User, american: Campaign, other_american: Campaign) -> None:
    declare_profile(backer)
    invest(api, backer, american, "2500")
    assert limit_of(api, backer)["remaining"] == "0.00"
    close_campaigns(now=american.ends_at)
    assert Investment.objects.get().status == "refunded"
    assert limit_of(api, backer)["used"] == "0.00"
    declined = {"amount": "2500", "paymentMethodId": str(make_card(backer, "tok_declined").pk)}
    assert api.as_user(backer).post(invest_url(other_american), declined).status_code == 409
    assert limit_of(api, backer)["used"] == "0.00"
    waiting = {"amount": "2500", "paymentMethodId": str(make_card(backer, "tok_3ds").pk)}
    assert api.as_user(backer).post(invest_url(other_american), waiting).json()["status"] == "requires_action"
    assert limit_of(api, backer)["remaining"] == "0.00"


def test_accredited_investors_have_no_limit_and_read_all_the_same(api: Api, backer: User, american: Campaign) -> None:
    User.objects.filter(pk=backer.pk).update(badges=["accredited_investor"])
    assert refusal(ask(api, backer, american, "9000")) == (403, "acknowledgement_required")
    declare_profile(backer)
    shown = limit_of(api, backer)
    assert (shown["limit"], shown["remaining"]) == (None, None)
    invest(api, backer, american, "9000")


def test_figures_in_another_currency_do_not_count(api: Api, backer: User, american: Campaign) -> None:
    declare_profile(backer, currency="EUR")
    assert refusal(ask(api, backer, american, "10")) == (409, "profile_currency_mismatch")
    declare_profile(backer, currency="USD")
    declare_profile(backer, currency="EUR")
    invest(api, backer, american, "10")


def test_without_figures(api: Api, backer: User, american: Campaign) -> None:
    assert refusal(ask(api, backer, american, "10")) == (403, "acknowledgement_required")
    declare_profile(backer, currency="EUR")
    assert not Investment.objects.exists()


@pytest.fixture
def rivals(api: Api, backer: User, american: Campaign, other_american: Campaign) -> list[Any]:
    declare_profile(backer)
    return [partial(ask, api, backer, campaign, "2000") for campaign in (american, other_american)]


@pytest.mark.django_db(transaction=True)
def test_two_campaigns_at_once_stay_within_the_limit(backer: User, rivals: list[Any]) -> None:
    answers = together(*rivals)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = (answer for answer in answers if answer.status_code == 409)
    assert (refused.json()["code"], refused.json()["remaining"]) == ("investor_limit_exceeded", "500.00")


@pytest.mark.django_db(transaction=True)
def test_two_campaigns_at_once_twin(backer: User, rivals: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the person's lock both read that nothing is used, and the limit is passed."""
    barrier = Barrier(2)
    read_facts = facts.investor_facts

    def read_together(*args: Any, **options: Any) -> Any:
        found = read_facts(*args, **options)
        barrier.wait(timeout=WAIT_LIMIT)
        return found

    def unlocked(user_id: Any) -> Any:
        read = person_read(user_id)
        return read._replace(statement=read.statement.replace("FOR NO KEY UPDATE OF u", ""))

    monkeypatch.setattr(investing, "investor_facts", read_together)
    monkeypatch.setattr(investing, "person_read", unlocked)
    monkeypatch.setattr("core.data.locks.is_guarded", False)
    assert [answer.status_code for answer in together(*rivals)] == [200, 200]
    assert sum(Investment.objects.values_list("amount_minor", flat=True)) == 4_000_00


def test_the_window_moves_on(api: Api, backer: User, american: Campaign, time_machine: TimeMachineFixture) -> None:
    declare_profile(backer)
    invested = invest(api, backer, american, "2500")
    Investment.objects.filter(pk=invested.pk).update(created_at=clock.now() - timedelta(days=300))
    assert limit_of(api, backer)["remaining"] == "0.00"
    time_machine.move_to(timezone.now() + timedelta(days=70))
    assert limit_of(api, backer)["remaining"] == "2500.00"
