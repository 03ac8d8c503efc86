"""New terms of a live campaign: staff approve, each investor confirms or gets the money back, once, by the clock."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import FIELD_CLASSES, Amendment, Campaign, TermsVersion
from campaigns.services.amendments import approve_amendment, reject_amendment
from campaigns.testing import make_campaign
from core import clock
from core.jobs import outbox
from core.jobs.runner import run
from core.testing import WAIT_LIMIT, Api, deliver_events, drain_outbox, run_until_quiet, together
from investments.jobs import REFUND_UNCONFIRMED
from investments.models import Investment, Payment, Reconfirmation, Refund, SandboxCharge
from investments.services import reconfirming
from investments.services.locks import Locked
from investments.services.reconfirming import Asked, asked
from investments.testing import StandIn, close_campaigns, invest, make_card
from investments.tests.conftest import books_agree, refusal
from notifications.models import Notification

START = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
UNTIL = datetime(2027, 3, 9, 0, 0, tzinfo=UTC)
"""Five working days after Monday the 1st have passed."""


@pytest.fixture
def amended(founder: User, time_machine: TimeMachineFixture) -> Campaign:
    """Goal 1,000.00, cap 1,200.00, at least 10.00 each, until 15 April. Nothing is amended yet."""
    time_machine.move_to(START, tick=False)
    return make_campaign(founder, max_amount="1200", min_investment="10", ends_at=START + timedelta(days=45))


def url(campaign: Campaign) -> str:
    return f"/api/campaigns/{campaign.pk}/amendments"


def propose(api: Api, campaign: Campaign, **changes: Any) -> Any:
    body = {"changes": changes, "reason": "The panels cost more."}
    return api.as_user(campaign.owner).post(url(campaign), body)


@pytest.fixture
def change(api: Api, amended: Campaign, moderator: User) -> Callable[..., Amendment]:
    """Proposes and approves."""

    def change(**changes: Any) -> Amendment:
        answer = propose(api, amended, **changes)
        assert answer.status_code == 201, answer.content
        return approve_amendment(moderator=moderator, amendment_id=answer.json()["id"], now=clock.now())

    return change


def answer(api: Api, investment: Investment, **body: Any) -> Any:
    return api.as_user(investment.investor).post(f"/api/investments/{investment.pk}/reconfirm", body)


def shown(api: Api, investment: Investment) -> Any:
    return api.as_user(investment.investor).get(f"/api/investments/{investment.pk}").json()["reconfirmation"]


def refund_unconfirmed() -> None:
    run_until_quiet(REFUND_UNCONFIRMED, now=clock.now())
    drain_outbox()


# --- Proposing and deciding -----------------------------------------------------------------------------------------


def test_every_field_of_a_campaign_has_a_class() -> None:
    assert {field.name for field in Campaign._meta.concrete_fields} == set(FIELD_CLASSES)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"goalAmount": "1200.01"}, 400, "cap_below_goal"),
        ({"minInvestment": "1000.01"}, 400, "minimum_above_goal"),
        ({"goalAmount": "500", "maxAmount": "699.99"}, 409, "cap_below_raised"),
        ({"endsAt": "2027-03-08T23:59:59Z"}, 409, "end_too_soon"),
        ({"endsAt": "2026-01-01T00:00:00Z"}, 409, "end_too_soon"),
        ({"goalAmount": "1000.00"}, 400, "nothing_changes"),
        ({}, 400, "nothing_changes"),
        ({"goalAmount": "1e3"}, 400, "invalid_amount"),
        ({"goalAmount": "10.001"}, 400, "invalid_amount"),
        ({"currency": "EUR"}, 400, "field_is_fixed"),
        ({"rules": "none"}, 400, "field_is_fixed"),
        ({"startsAt": "2027-05-01T00:00:00Z"}, 400, "field_is_fixed"),
        ({"title": "Another"}, 400, "field_is_minor"),
        ({"raisedMinor": 1}, 400, "unknown_field"),
        ({"nonsense": 1}, 400, "unknown_field"),
    ],
)
def test_what_cannot_be_proposed(
    api: Api, backer: User, amended: Campaign, changes: Any, status: int, code: str
) -> None:
    invest(api, backer, amended, "700")
    refused = propose(api, amended, **changes)
    problem = refused.json()
    assert (refused.status_code, problem.get("errors", [problem])[0]["code"]) == (status, code), problem
    assert not Amendment.objects.exists()


def test_who_proposes_and_who_decides(
    api: Api, founder: User, backer: User, moderator: User, amended: Campaign
) -> None:
    body = {"changes": {"goalAmount": "900"}, "reason": "Cheaper panels."}
    assert refusal(api.as_user(backer).post(url(amended), body)) == (403, "not_the_owner")
    first = propose(api, amended, goalAmount="900")
    assert first.json()["changes"] == [{"field": "goalAmount", "before": "1000.00", "after": "900.00"}]
    assert refusal(propose(api, amended, goalAmount="800")) == (409, "amendment_under_review")
    assert api.as_user(backer).get(url(amended)).json()["items"] == []
    reject_amendment(moderator=moderator, amendment_id=first.json()["id"], reason="Say why.", now=clock.now())
    (listed,) = api.as_user(founder).get(url(amended)).json()["items"]
    assert (listed["status"], listed["reviewNote"]) == ("rejected", "Say why.")
    amended.refresh_from_db()
    assert (amended.goal_minor, amended.terms_version) == (1000_00, 1)
    deliver_events()
    assert Notification.objects.filter(user_id=founder.pk, kind="amendment_rejected").count() == 1
    second = propose(api, amended, goalAmount="900").json()
    close_campaigns(now=amended.ends_at)
    assert Amendment.objects.get(pk=second["id"]).status == "lapsed"
    assert refusal(propose(api, amended, goalAmount="900")) == (409, "campaign_not_live")


def test_a_raised_cap_is_offered_to_those_who_wait(
    api: Api, backer: User, friend: User, amended: Campaign, change: Callable[..., Amendment]
) -> None:
    invest(api, friend, amended, "1200")
    body = {"amount": "100", "paymentMethodId": str(make_card(backer).pk)}
    assert api.as_user(backer).post(f"/api/campaigns/{amended.pk}/waitlist", body).status_code == 201
    change(maxAmount="1250")
    offered = api.as_user(backer).get(f"/api/campaigns/{amended.pk}/waitlist").json()
    assert (offered["status"], offered["offeredAmount"]) == ("offered", "50.00")
    assert books_agree()


# --- Confirming -----------------------------------------------------------------------------------------------------


def test_confirming_declining_and_silence(
    api: Api,
    founder: User,
    backer: User,
    friend: User,
    stranger: User,
    amended: Campaign,
    change: Callable[..., Amendment],
    time_machine: TimeMachineFixture,
) -> None:
    confirms, declines, is_silent = (
        invest(api, who, amended, amount) for who, amount in ((backer, "500"), (friend, "300"), (stranger, "200"))
    )
    assert refusal(answer(api, confirms)) == (409, "nothing_to_reconfirm")
    change(endsAt="2027-05-01T00:00:00Z", expectedReturnPercent=5)
    asks = shown(api, confirms)
    assert asks == {
        "state": "open",
        "until": "2027-03-09T00:00:00Z",
        "termsVersion": 2,
        "changes": [
            {"field": "endsAt", "before": "2027-04-15T15:00:00Z", "after": "2027-05-01T00:00:00Z"},
            {"field": "expectedReturnPercent", "before": None, "after": "5"},
        ],
    }
    deliver_events()
    drain_outbox()
    told = Notification.objects.filter(kind="terms_amended").values_list("user_id", flat=True)
    assert set(told) == {backer.pk, friend.pk, stranger.pk}
    assert refusal(answer(api, confirms, termsVersion=1)) == (409, "terms_changed")
    for _ in range(2):
        confirmed = answer(api, confirms, termsVersion=2).json()
        assert (confirmed["termsVersion"], confirmed["reconfirmation"]["state"]) == (2, "confirmed")
    assert answer(api, declines, decision="decline").json()["reconfirmation"]["state"] == "declined"
    assert refusal(answer(api, declines)) == (409, "nothing_to_reconfirm")
    time_machine.move_to(UNTIL - timedelta(seconds=1), tick=False)
    assert run(REFUND_UNCONFIRMED, now=clock.now()).due == 0
    time_machine.move_to(UNTIL, tick=False)
    assert shown(api, is_silent)["state"] == "lapsed"
    assert refusal(answer(api, is_silent)) == (409, "reconfirmation_over")
    for _ in range(2):
        refund_unconfirmed()
    reasons = Refund.objects.order_by("amount_minor").values_list("payment__investment_id", "reason", "status")
    assert list(reasons) == [
        (is_silent.pk, "not_reconfirmed", "refunded"),
        (declines.pk, "not_reconfirmed", "refunded"),
    ]
    amended.refresh_from_db()
    assert (amended.raised_minor, amended.investor_count) == (500_00, 1)
    assert Investment.objects.get(pk=is_silent.pk).status == "refunded"
    assert books_agree()


def test_closing_waits_for_the_answers(
    api: Api,
    backer: User,
    friend: User,
    amended: Campaign,
    change: Callable[..., Amendment],
    time_machine: TimeMachineFixture,
) -> None:
    first, second = invest(api, backer, amended, "700"), invest(api, friend, amended, "300")
    time_machine.move_to(amended.ends_at - timedelta(hours=1), tick=False)
    until = change(expectedReturnPercent="1.50").reconfirm_until
    assert until
    answer(api, first)
    time_machine.move_to(amended.ends_at, tick=False)
    close_campaigns(now=amended.ends_at)
    amended.refresh_from_db()
    assert amended.status == "live"
    assert answer(api, second).status_code == 200, "after the deadline too"
    close_campaigns(now=amended.ends_at)
    amended.refresh_from_db()
    assert (amended.status, amended.outcome) == ("settled", "funded")
    assert books_agree()


def test_a_second_amendment_begins_anew_and_shows_what_changed_since_one_s_own(
    api: Api,
    backer: User,
    friend: User,
    amended: Campaign,
    change: Callable[..., Amendment],
    time_machine: TimeMachineFixture,
) -> None:
    first, second = invest(api, backer, amended, "100"), invest(api, friend, amended, "100")
    change(goalAmount="900")
    answer(api, first)
    time_machine.move_to(START + timedelta(days=3), tick=False)
    change(maxAmount="2000")
    assert [one["field"] for one in shown(api, first)["changes"]] == ["maxAmount"]
    assert [one["field"] for one in shown(api, second)["changes"]] == ["goalAmount", "maxAmount"]
    assert shown(api, second)["until"] == "2027-03-12T00:00:00Z"
    time_machine.move_to(UNTIL, tick=False)
    assert answer(api, second).status_code == 200
    assert shown(api, first)["state"] == "open"


def test_whose_time_had_ended_is_not_saved_by_the_next_amendment() -> None:
    def version(number: int, at: int, until: int) -> TermsVersion:
        day = timedelta(days=1)
        return TermsVersion(version=number, created_at=START + at * day, reconfirm_until=START + until * day)

    def state(own: int, day: float) -> Asked | None:
        return asked([version(2, 0, 5), version(4, 6, 11)], own, START + timedelta(days=day))

    assert state(4, 20) is None
    assert state(1, 6.5) == Asked(START + timedelta(days=5), 2, is_over=True)
    assert state(2, 10.9) == Asked(START + timedelta(days=11), 4, is_over=False)
    assert state(3, 11) == Asked(START + timedelta(days=11), 4, is_over=True)


@pytest.mark.parametrize("mishap", ["died", "lost before", "lost after"])
def test_dying_between_the_commits_refunds_once(
    api: Api,
    backer: User,
    amended: Campaign,
    change: Callable[..., Amendment],
    provider: StandIn,
    time_machine: TimeMachineFixture,
    mishap: str,
) -> None:
    invest(api, backer, amended, "100")
    change(goalAmount="900")
    time_machine.move_to(UNTIL, tick=False)
    provider.plan("refund", mishap)
    with suppress(KeyboardInterrupt):
        run_until_quiet(REFUND_UNCONFIRMED, now=clock.now())
    time_machine.shift(outbox.LEASE)
    refund_unconfirmed()
    assert SandboxCharge.objects.get().refunded_minor == 100_00
    assert Refund.objects.get().status == "refunded"
    assert Reconfirmation.objects.get().answer == "lapsed"
    assert books_agree()


def test_the_tables_keep_what_was_said(api: Api, backer: User, amended: Campaign, change: Callable[..., Any]) -> None:
    investment = invest(api, backer, amended, "100")
    change(goalAmount="900")
    answer(api, investment)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reconfirmation.objects.update(answer="declined")
    with pytest.raises(IntegrityError, match="decided once"), transaction.atomic():
        Amendment.objects.update(words="other")


@pytest.mark.django_db(transaction=True)
def test_five_answers_and_the_job_at_once(
    api: Api,
    backer: User,
    amended: Campaign,
    change: Callable[..., Amendment],
) -> None:
    investment = invest(api, backer, amended, "100")
    change(goalAmount="900")
    client = api.as_user(backer)
    decline = partial(client.post, f"/api/investments/{investment.pk}/reconfirm", {"decision": "decline"})
    answers = together(*[decline] * 5)
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]
    drain_outbox()
    assert SandboxCharge.objects.get().refunded_minor == 100_00
    assert books_agree()


@pytest.mark.django_db(transaction=True)
def test_answers_at_once_twin(
    api: Api,
    backer: User,
    amended: Campaign,
    change: Callable[..., Amendment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the payment's lock two find the question open; only the tables keep the second refund out."""
    investment = invest(api, backer, amended, "100")
    change(goalAmount="900")
    barrier = Barrier(2)

    def read(payment_id: Any) -> Locked:
        payment = Payment.objects.select_related("investment__campaign", "reservation").get(pk=payment_id)
        barrier.wait(timeout=WAIT_LIMIT)
        return Locked(payment.investment.campaign, payment.investment, payment)

    monkeypatch.setattr("core.data.locks.is_guarded", False)
    monkeypatch.setattr(reconfirming, "lock_payment", read)
    client = api.as_user(backer)
    decline = partial(client.post, f"/api/investments/{investment.pk}/reconfirm", {"decision": "decline"})
    assert sorted(one.status_code for one in together(*[decline] * 2)) == [200, 500]
