"""The deadline passes: funded campaigns settle, missed and cancelled ones refund everyone to the cent, once."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign, StatusChange
from campaigns.testing import make_campaign
from core.jobs import outbox
from core.jobs.runner import run
from core.models import OutboxEvent
from core.testing import Api, deliver_events, drain_outbox, eventually
from investments import providers
from investments.jobs import CLOSE_CAMPAIGNS
from investments.models import Investment, Refund, SandboxCharge, SandboxRefund
from investments.services import charging, closing, refunds
from investments.testing import StandIn, close_campaigns, finish_payments, finish_refunds, invest, make_card
from investments.tests.conftest import books_agree, invest_url, minor
from notifications.models import Notification


def statuses() -> list[Any]:
    return sorted(Investment.objects.values_list("status", flat=True))


def notified_of(person: User) -> list[Any]:
    deliver_events()
    return list(Notification.objects.filter(user_id=person.pk).order_by("id").values_list("kind", flat=True))


def state(campaign: Campaign) -> Any:
    campaign.refresh_from_db()
    return campaign.status, campaign.raised_minor, campaign.reserved_minor


def test_a_funded_campaign_pays_its_owner(
    api: Api, founder: User, backer: User, friend: User, campaign: Campaign
) -> None:
    invest(api, backer, campaign, "700")
    invest(api, friend, campaign, "300.50")
    out = StringIO()
    call_command("close_campaigns", "--at", campaign.ends_at.isoformat(), stdout=out)
    assert out.getvalue() == "investments.close_campaigns: 1 done, 0 left for the next time, 0 failed\n"
    assert state(campaign) == ("settled", 1000_50, 0)
    assert statuses() == ["invested", "invested"]
    assert minor(f"payable:user:{founder.pk}:USD") == minor("provider:sandbox:USD") == 1000_50
    assert minor(f"escrow:campaign:{campaign.pk}") == 0
    assert notified_of(backer) == ["investment_committed", "investment_settled"]
    assert "campaign_funded" in notified_of(founder)
    steps = StatusChange.objects.filter(campaign=campaign).order_by("id").values_list("to_status", flat=True)
    assert list(steps)[-2:] == ["funded", "settled"]
    assert books_agree()


def test_a_missed_campaign_refunds_everyone_to_the_cent(
    api: Api, founder: User, backer: User, friend: User, campaign: Campaign
) -> None:
    first = invest(api, backer, campaign, "333.33")
    invest(api, backer, campaign, "10.01")
    invest(api, friend, campaign, "656.65")
    close_campaigns(now=campaign.ends_at)
    assert state(campaign) == ("settled", 0, 0)
    assert statuses() == ["refunded"] * 3
    assert minor("provider:sandbox:USD") == minor(f"escrow:campaign:{campaign.pk}") == 0
    assert sorted(SandboxCharge.objects.values_list("amount_minor", "refunded_minor")) == [
        (10_01, 10_01),
        (333_33, 333_33),
        (656_65, 656_65),
    ]
    assert notified_of(friend) == ["investment_committed", "investment_refunded"]
    assert "campaign_failed" in notified_of(founder)
    read = api.as_user(backer).get(f"/api/investments/{first.pk}").json()
    assert [event["kind"] for event in read["events"]] == ["placed", "committed", "refund_requested", "refunded"]
    assert read["refundedAmount"] == "333.33"
    assert api.as_user(backer).get(f"/api/campaigns/{campaign.pk}").json()["myInvestment"] is None
    assert books_agree()


def test_nothing_happens_before_the_deadline_and_nothing_twice_after_it(
    api: Api, backer: User, campaign: Campaign
) -> None:
    invest(api, backer, campaign, "100")
    assert close_campaigns(now=campaign.ends_at - timedelta(seconds=1)).due == 0
    assert state(campaign) == ("live", 100_00, 0)
    for _ in range(5):
        close_campaigns(now=campaign.ends_at)
    assert SandboxRefund.objects.count() == Refund.objects.count() == 1
    assert notified_of(backer).count("investment_refunded") == 1
    assert books_agree()


def test_a_campaign_without_backers_settles_at_once(campaign: Campaign) -> None:
    assert run(CLOSE_CAMPAIGNS, now=campaign.ends_at).done == 1
    assert state(campaign) == ("settled", 0, 0)


def test_cancelling_refunds_everyone(api: Api, founder: User, backer: User, campaign: Campaign) -> None:
    invest(api, backer, campaign, "1000")
    answer = api.as_user(founder).post(f"/api/campaigns/{campaign.pk}/cancel")
    assert answer.json()["status"] == "cancelled"
    drain_outbox()
    assert state(campaign) == ("settled", 0, 0)
    assert statuses() == ["refunded"]
    assert Refund.objects.get().reason == "campaign_cancelled"
    assert books_agree()


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "reset"])
def test_a_refund_without_an_answer_is_sent_again(
    api: Api, backer: User, campaign: Campaign, provider: StandIn, mishap: str
) -> None:
    invest(api, backer, campaign, "100")
    provider.plan("refund", mishap)
    assert close_campaigns(now=campaign.ends_at).left == 1
    assert state(campaign) == ("failed", 0, 0)
    assert statuses() == ["committed"]
    assert books_agree()
    close_campaigns(now=campaign.ends_at + refunds.ASK_AGAIN)
    assert state(campaign) == ("settled", 0, 0)
    assert statuses() == ["refunded"]
    assert len(set(provider.asked("refund"))) == 1
    assert SandboxCharge.objects.get().refunded_minor == 100_00
    assert books_agree()


def test_a_refused_refund_is_asked_again_under_a_new_key(
    api: Api, backer: User, campaign: Campaign, provider: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    invest(api, backer, campaign, "100")
    provider.plan("refund", "refused")
    assert close_campaigns(now=campaign.ends_at).left == 1
    assert "refused a refund" in caplog.text
    close_campaigns(now=campaign.ends_at + timedelta(minutes=59))
    assert len(provider.asked("refund")) == 1
    close_campaigns(now=campaign.ends_at + timedelta(minutes=61))
    assert state(campaign) == ("settled", 0, 0)
    assert len(set(provider.asked("refund"))) == 2
    assert SandboxCharge.objects.get().refunded_minor == 100_00
    assert books_agree()


def test_what_was_taken_by_the_deadline_counts_and_the_rest_is_given_up(
    api: Api, founder: User, backer: User, friend: User, provider: StandIn
) -> None:
    campaign = make_campaign(founder)
    invest(api, backer, campaign, "600")
    provider.plan("charge", "lost after", "lost before")
    for person, amount in ((backer, "400"), (friend, "70")):
        lost = {"amount": amount, "paymentMethodId": str(make_card(person).pk)}
        assert api.as_user(person).post(invest_url(campaign), lost).json()["status"] == "pending"
    asked = {"amount": "50", "paymentMethodId": str(make_card(friend, "tok_3ds").pk)}
    assert api.as_user(friend).post(invest_url(campaign), asked).json()["status"] == "requires_action"
    assert state(campaign) == ("live", 600_00, 520_00)
    close_campaigns(now=campaign.ends_at)
    assert state(campaign) == ("settled", 1000_00, 0)
    assert statuses() == ["failed", "failed", "invested", "invested"]
    assert books_agree()


def test_a_silent_provider_holds_up_the_decision_and_nothing_else(
    api: Api, founder: User, backer: User, campaign: Campaign, provider: StandIn
) -> None:
    other = make_campaign(founder, ends_at=campaign.ends_at)
    invest(api, backer, other, "100")
    provider.plan("charge", "lost after")
    body = {"amount": "1000", "paymentMethodId": str(make_card(backer).pk)}
    api.as_user(backer).post(invest_url(campaign), body)
    provider.plan("cancel", "lost before")
    assert close_campaigns(now=campaign.ends_at + timedelta(seconds=1)).left == 1
    assert state(campaign)[0] == "live"
    assert state(other)[0] == "settled"
    close_campaigns(now=campaign.ends_at + timedelta(seconds=1) + charging.ASK_AGAIN)
    assert state(campaign) == ("settled", 1000_00, 0)
    assert books_agree()


@pytest.mark.parametrize("funded", [True, False])
@pytest.mark.parametrize("step", range(1, 9))
def test_dying_anywhere_loses_nothing_and_repeats_nothing(
    api: Api,
    backer: User,
    friend: User,
    campaign: Campaign,
    provider: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    funded: bool,
    step: int,
) -> None:
    """The job is killed after its n-th commit or provider call; what was done stays, a rerun does the rest."""
    monkeypatch.setattr(closing, "BATCH", 1)
    for person, amount in ((backer, "500"), (friend, "500" if funded else "499")):
        invest(api, person, campaign, amount)
    left = iter(range(step))

    def mortal(function: Any) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            answer = function(*args, **kwargs)
            if next(left, None) is None:
                raise KeyboardInterrupt
            return answer

        return run

    with monkeypatch.context() as killing:
        for name in ("decide_campaign", "_release_some", "_request_some_refunds", "ask_for_sending", "_settle_if_done"):
            killing.setattr(closing, name, mortal(getattr(closing, name)))
        killing.setattr(refunds, "_send", mortal(refunds._send))
        try:
            close_campaigns(now=campaign.ends_at)
        except KeyboardInterrupt:
            pass
    assert Campaign.objects.get(pk=campaign.pk).raised_minor in (0, 499_00, 500_00, 999_00, 1000_00)
    close_campaigns(now=campaign.ends_at + outbox.LEASE)
    assert state(campaign) == ("settled", 1000_00 if funded else 0, 0)
    assert statuses() == (["invested"] * 2 if funded else ["refunded"] * 2)
    final = "investment_settled" if funded else "investment_refunded"
    assert [notified_of(person).count(final) for person in (backer, friend)] == [1, 1]
    assert sum(SandboxCharge.objects.values_list("refunded_minor", flat=True)) == (0 if funded else 999_00)
    assert books_agree()


def test_the_command_wants_a_whole_instant() -> None:
    for text in ("yesterday", "2026-12-31T23:59:59", "2026-13-01T00:00:00Z"):
        with pytest.raises(CommandError, match="instant"):
            call_command("close_campaigns", "--at", text)


def test_refunds_go_on_after_a_worker_died_with_them(
    api: Api, backer: User, campaign: Campaign, provider: StandIn
) -> None:
    invest(api, backer, campaign, "100")
    provider.plan("refund", "died")
    with pytest.raises(KeyboardInterrupt):
        close_campaigns(now=campaign.ends_at)
    assert close_campaigns(now=campaign.ends_at + timedelta(minutes=1)).left == 1, "still leased"
    close_campaigns(now=campaign.ends_at + outbox.LEASE)
    assert statuses() == ["refunded"]
    assert books_agree()


def test_a_refund_that_the_outbox_lost_is_put_back_by_the_finisher(
    api: Api, backer: User, campaign: Campaign, provider: StandIn
) -> None:
    invest(api, backer, campaign, "100")
    provider.plan("refund", "lost before")
    close_campaigns(now=campaign.ends_at)
    OutboxEvent.objects.all().delete()
    finish_refunds(now=campaign.ends_at + timedelta(minutes=4))
    assert statuses() == ["committed"]
    finish_refunds(now=campaign.ends_at + timedelta(minutes=5))
    assert statuses() == ["refunded"]
    assert books_agree()


# --- One bad item, and a clock that ran ahead -----------------------------------------------------------------------


def test_an_accident_in_one_campaign_does_not_stop_the_next(
    api: Api, founder: User, backer: User, campaign: Campaign, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_campaign(founder, ends_at=campaign.ends_at + timedelta(seconds=1))
    invest(api, backer, campaign, "100")
    invest(api, backer, other, "1000")
    real = provider.refund

    def explode(**question: Any) -> None:
        raise RuntimeError("an answer nobody thought of")

    monkeypatch.setattr(provider, "refund", explode)
    later = other.ends_at + timedelta(seconds=1)
    assert close_campaigns(now=later).left == 1
    assert state(other)[0] == "settled"
    assert state(campaign)[0] == "failed"
    monkeypatch.setattr(provider, "refund", real)
    close_campaigns(now=later + timedelta(minutes=5))
    assert state(campaign)[0] == "settled"
    assert books_agree()


def test_one_refund_that_fails_does_not_hold_up_its_neighbours(
    api: Api, backer: User, friend: User, campaign: Campaign, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    invest(api, backer, campaign, "100")
    invest(api, friend, campaign, "200")
    real = provider.refund
    failed: list[str] = []

    def explode_once(**question: Any) -> Any:
        if not failed:
            failed.append(question["key"])
            raise ValueError("unmapped")
        return real(**question)

    monkeypatch.setattr(provider, "refund", explode_once)
    close_campaigns(now=campaign.ends_at)
    assert sorted(Refund.objects.values_list("status", flat=True)) == ["pending", "refunded"]
    close_campaigns(now=campaign.ends_at + timedelta(minutes=2))
    assert Campaign.objects.get(pk=campaign.pk).status == "settled"
    assert books_agree()


def test_one_payment_that_fails_does_not_hold_up_the_others(
    api: Api, founder: User, backer: User, campaign: Campaign, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from investments.models import Payment

    other = make_campaign(founder)
    provider.plan("charge", "lost before", "lost before")
    for each in (campaign, other):
        body = {"amount": "100", "paymentMethodId": str(make_card(backer).pk)}
        assert api.as_user(backer).post(invest_url(each), body).json()["status"] == "pending"
    real, bad = provider.charge, Payment.objects.order_by("id").first().key

    def explode(**question: Any) -> Any:
        if question["key"] == bad:
            raise KeyError("amount")
        return real(**question)

    monkeypatch.setattr(provider, "charge", explode)
    finish_payments(now=timezone.now() + timedelta(minutes=2))
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["captured", "pending"]
    assert books_agree()


def test_refunds_of_a_later_clock_go_out_now(api: Api, backer: User, campaign: Campaign, provider: StandIn) -> None:
    """After `close_campaigns --at` in the future there is only the present clock."""
    invest(api, backer, campaign, "100")
    provider.plan("refund", "lost before")
    run(CLOSE_CAMPAIGNS, now=campaign.ends_at + timedelta(days=1))
    drain_outbox()
    assert Refund.objects.get().status == "pending"
    drain_outbox(now=timezone.now() + refunds.ASK_AGAIN)
    assert Refund.objects.get().status == "refunded"
    run(CLOSE_CAMPAIGNS, now=timezone.now())
    assert Campaign.objects.get(pk=campaign.pk).status == "settled"
    assert books_agree()


def test_payments_that_a_later_clock_ends_are_cancelled_now(
    api: Api, backer: User, campaign: Campaign, provider: StandIn
) -> None:
    provider.plan("charge", "lost before")
    body = {"amount": "100", "paymentMethodId": str(make_card(backer).pk)}
    assert api.as_user(backer).post(invest_url(campaign), body).json()["status"] == "pending"
    later = campaign.ends_at + timedelta(days=1)
    assert run(CLOSE_CAMPAIGNS, now=later).left == 1
    drain_outbox(now=timezone.now() + timedelta(minutes=1))
    assert statuses() == ["failed"]
    assert run(CLOSE_CAMPAIGNS, now=later).done == 1
    assert state(campaign) == ("settled", 0, 0)


@pytest.mark.parametrize(("amount", "outcome"), [("100", "failed"), ("1000", "funded")])
def test_how_it_ended_stays_when_it_is_settled(
    api: Api, backer: User, campaign: Campaign, amount: str, outcome: str
) -> None:
    page = f"/api/campaigns/{campaign.pk}"
    invest(api, backer, campaign, amount)
    seen = api.as_user(backer).get(page).json()
    assert (seen["outcome"], seen["settledAt"]) == (None, None)
    close_campaigns(now=campaign.ends_at)
    seen = api.as_user(backer).get(page).json()
    assert (seen["status"], seen["outcome"]) == ("settled", outcome)
    assert seen["settledAt"] is not None
    (card,) = api.as_user(backer).get("/api/campaigns").json()["items"]
    assert card["outcome"] == outcome


# --- A provider that is slow or silent ------------------------------------------------------------------------------


def test_a_silent_provider_is_left_alone_and_asked_again(
    api: Api, founder: User, backer: User, provider: StandIn
) -> None:
    campaign = make_campaign(founder, min_investment="10")
    for _ in range(8):
        invest(api, backer, campaign, "10")
    provider.plan("refund", *["lost after"] * 5)
    assert close_campaigns(now=campaign.ends_at).left == 1
    assert len(provider.asked("refund")) == 5, "the others were not asked while it is silent"
    providers.breakers["sandbox"].reset()  # half a minute of a clock that tests do not move
    close_campaigns(now=campaign.ends_at + timedelta(minutes=1))
    assert state(campaign) == ("settled", 0, 0)
    assert len(set(provider.asked("refund"))) == SandboxRefund.objects.count() == 8
    assert books_agree()


def test_a_silent_provider_is_asked_for_longer_than_ten_times(
    api: Api, backer: User, campaign: Campaign, provider: StandIn
) -> None:
    invest(api, backer, campaign, "100")
    provider.plan("refund", *["lost before"] * 20)
    for minute in range(20):
        close_campaigns(now=campaign.ends_at + timedelta(minutes=minute))
        providers.breakers["sandbox"].reset()
    assert not OutboxEvent.objects.filter(parked_at__isnull=False).exists()
    close_campaigns(now=campaign.ends_at + timedelta(minutes=20))
    assert statuses() == ["refunded"]
    assert len(set(provider.asked("refund"))) == 1
    assert books_agree()


@pytest.mark.django_db(transaction=True)
def test_a_slow_refund_holds_up_no_other(
    api: Api, founder: User, backer: User, provider: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROVIDER_CALLS_AT_ONCE = 4
    campaign = make_campaign(founder, min_investment="10")
    for _ in range(10):
        invest(api, backer, campaign, "10")
    run(CLOSE_CAMPAIGNS, now=campaign.ends_at)
    real, slow = provider.refund, Refund.objects.order_by("id")[0].key

    def others_are_back() -> bool:
        return Refund.objects.filter(status="refunded").count() == 9

    def refund(**question: Any) -> Any:
        if question["key"] == slow:
            eventually(others_are_back)
        return real(**question)

    monkeypatch.setattr(provider, "refund", refund)
    drain_outbox()
    assert statuses() == ["refunded"] * 10
    assert state(campaign) == ("settled", 0, 0)
    assert books_agree()
