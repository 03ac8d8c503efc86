"""Taking a commitment back while its campaign is live."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import Api
from investments.models import Investment, PaymentMethod, Refund
from investments.testing import StandIn, close_campaigns, finish_payments, invest, make_card
from investments.tests.conftest import books_agree, minor, refusal


def url(investment: Investment) -> str:
    return f"/api/investments/{investment.pk}/withdraw"


@pytest.fixture
def investment(api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> Investment:
    return invest(api, backer, campaign, "100", card)


def ask(api: Api, who: User, investment: Investment, amount: Any, method: PaymentMethod, **headers: Any) -> Any:
    body = {"amount": amount, "paymentMethodId": str(method.pk)}
    return api.as_user(who).post(url(investment), body, **headers)


def test_a_part_and_then_the_rest(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, investment: Investment
) -> None:
    assert refusal(ask(api, backer, investment, "100.01", card)) == (409, "withdrawal_too_large")
    part = ask(api, backer, investment, "40", card)
    assert (part.status_code, part.json()["status"], part.json()["amount"]) == (200, "refunded", "40.00")
    campaign.refresh_from_db()
    assert (campaign.raised_minor, campaign.investor_count) == (60_00, 1)
    assert minor("provider:sandbox:USD") == 60_00
    too_much = ask(api, backer, investment, "60.01", card)
    assert (refusal(too_much), too_much.json()["available"]) == ((409, "withdrawal_too_large"), "60.00")
    assert ask(api, backer, investment, "60", card).status_code == 200
    campaign.refresh_from_db()
    assert (campaign.raised_minor, campaign.investor_count) == (0, 0)
    read = api.as_user(backer).get(f"/api/investments/{investment.pk}").json()
    assert (read["status"], read["refundedAmount"]) == ("cancelled", "100.00")
    assert refusal(ask(api, backer, investment, "1", card)) == (409, "withdrawal_too_large")
    assert books_agree()


def test_only_to_the_method_that_paid(
    api: Api, backer: User, friend: User, card: PaymentMethod, investment: Investment
) -> None:
    other, foreign = make_card(backer), make_card(friend)
    assert refusal(ask(api, backer, investment, "10", other)) == (409, "refund_to_original_only")
    assert refusal(ask(api, backer, investment, "10", foreign)) == (404, "payment_method_not_found")
    assert refusal(ask(api, friend, investment, "10", foreign)) == (404, "not_found")
    assert ask(api, backer, investment, "10", card).status_code == 200


@pytest.mark.parametrize(("offset", "code"), [(-1, 200), (0, 409), (1, 409)])
def test_the_window_to_the_second(
    api: Api, founder: User, backer: User, card: PaymentMethod, time_machine: TimeMachineFixture, offset: int, code: int
) -> None:
    campaign = make_campaign(founder, ends_at=timezone.now() + timedelta(hours=48, minutes=10))
    investment = invest(api, backer, campaign, "100", card)
    time_machine.move_to(investment.cancellable_until + timedelta(seconds=offset), tick=False)
    answer = ask(api, backer, investment, "10", card)
    assert answer.status_code == code, answer.json()
    if code == 409:
        assert answer.json()["code"] == "cancel_window_closed"


def test_it_needs_a_recent_proof_of_identity(
    api: Api, backer: User, card: PaymentMethod, investment: Investment, time_machine: TimeMachineFixture
) -> None:
    client = api.as_user(backer)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    body = {"amount": "10", "paymentMethodId": str(card.pk)}
    assert refusal(client.post(url(investment), body)) == (403, "step_up_required")


def test_one_key_one_withdrawal(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, investment: Investment, provider: StandIn
) -> None:
    provider.plan("refund", "lost after")
    first = ask(api, backer, investment, "10", card, idempotency_key="w1")
    assert first.json()["status"] == "pending"
    again = ask(api, backer, investment, "10", card, idempotency_key="w1")
    assert again.json() == {**first.json(), "status": "refunded"}
    third = ask(api, backer, investment, "10", card, idempotency_key="w1")
    assert (third.content, third["Idempotent-Replayed"]) == (again.content, "true")
    assert Refund.objects.count() == 1
    assert books_agree()


def test_withdrawing_never_asks_for_an_identity(
    api: Api, backer: User, card: PaymentMethod, investment: Investment
) -> None:
    """Money goes back to its owner in any case (API.md)."""
    from accounts.models import User

    User.objects.filter(pk=backer.pk).update(identity_verified_at=None)
    backer.refresh_from_db()
    answer = ask(api, backer, investment, "40", card)
    assert (answer.status_code, answer.json()["status"]) == (200, "refunded")
    assert books_agree()


@pytest.mark.parametrize(("amount", "status"), [("90.01", 409), ("99.99", 409), ("90.00", 200), ("100", 200)])
def test_no_remainder_below_the_smallest_investment(
    api: Api, backer: User, card: PaymentMethod, investment: Investment, amount: str, status: int
) -> None:
    answer = ask(api, backer, investment, amount, card)
    assert answer.status_code == status, answer.json()
    if status == 409:
        body = answer.json()
        assert body["code"] == "remainder_below_minimum"
        assert (body["largestPart"], body["whole"], body["minimum"], body["currency"]) == (
            "90.00",
            "100.00",
            "10.00",
            "USD",
        )
        assert "90.00" in body["detail"] and "100.00" in body["detail"]
    assert books_agree()


def test_a_last_piece_below_the_minimum_leaves_as_a_whole(
    api: Api, backer: User, friend: User, campaign: Campaign, card: PaymentMethod
) -> None:
    invest(api, friend, campaign, "1195")
    last = invest(api, backer, campaign, "5", card)
    refused = ask(api, backer, last, "1", card)
    assert (refusal(refused), refused.json()["largestPart"]) == ((409, "remainder_below_minimum"), "0.00")
    assert ask(api, backer, last, "5", card).status_code == 200


# --- A payment that waits for 3-D Secure ----------------------------------------------------------------------------


@pytest.fixture
def strict_card(backer: User) -> PaymentMethod:
    return make_card(backer, "tok_3ds")


@pytest.fixture
def waiting(api: Api, backer: User, campaign: Campaign, strict_card: PaymentMethod) -> Investment:
    body = {"amount": "100", "paymentMethodId": str(strict_card.pk)}
    answer = api.as_user(backer).post(f"/api/campaigns/{campaign.pk}/invest", body)
    assert answer.json()["status"] == "requires_action"
    return Investment.objects.get(pk=answer.json()["id"])


def test_a_waiting_payment_is_given_up(
    api: Api, backer: User, campaign: Campaign, strict_card: PaymentMethod, waiting: Investment, provider: StandIn
) -> None:
    other = make_card(backer)
    assert refusal(ask(api, backer, waiting, "100", other)) == (409, "refund_to_original_only")
    assert refusal(ask(api, backer, waiting, "100.01", strict_card)) == (409, "withdrawal_too_large")
    assert refusal(ask(api, backer, waiting, "40", strict_card)) == (409, "whole_payment_only")
    done = ask(api, backer, waiting, "100", strict_card, idempotency_key="w")
    assert (done.status_code, done.json()["status"], done.json()["amount"]) == (200, "cancelled", "100.00")
    assert ask(api, backer, waiting, "100", strict_card, idempotency_key="w").content == done.content
    read = api.as_user(backer).get(f"/api/investments/{waiting.pk}").json()
    assert (read["status"], read["nextAction"], read["failureCode"]) == ("cancelled", None, "withdrawn")
    assert [event["kind"] for event in read["events"]][-2:] == ["withdrawal_requested", "cancelled"]
    campaign.refresh_from_db()
    assert campaign.reserved_minor == 0
    key = waiting.payment.key
    late = provider.charge(key=key, payer_id=backer.pk, token="tok_visa", amount=waiting.amount, now=timezone.now())
    assert late.state == "cancelled"
    assert refusal(ask(api, backer, waiting, "100", strict_card)) == (409, "withdrawal_too_large")
    assert books_agree()


def test_giving_up_without_an_answer_is_pending_and_finished_later(
    api: Api, backer: User, strict_card: PaymentMethod, waiting: Investment, provider: StandIn
) -> None:
    provider.plan("cancel", "lost before")
    first = ask(api, backer, waiting, "100", strict_card, idempotency_key="w")
    assert (first.status_code, first.json()["status"]) == (200, "pending")
    finish_payments(now=timezone.now())
    again = ask(api, backer, waiting, "100", strict_card, idempotency_key="w")
    assert again.json() == {**first.json(), "status": "cancelled"}
    assert books_agree()


def test_money_that_was_taken_while_it_was_given_up_goes_back(
    api: Api, backer: User, campaign: Campaign, strict_card: PaymentMethod, waiting: Investment, provider: StandIn
) -> None:
    """The investor confirms in one window and gives up in another."""
    from investments.models import SandboxCharge

    provider.finish_action(SandboxCharge.objects.get().action_token, approved=True, now=timezone.now())
    done = ask(api, backer, waiting, "100", strict_card)
    assert (done.status_code, done.json()["status"]) == (200, "refunded")
    waiting.refresh_from_db()
    campaign.refresh_from_db()
    assert (waiting.status, campaign.raised_minor, campaign.investor_count) == ("cancelled", 0, 0)
    assert minor("provider:sandbox:USD") == 0
    assert books_agree()


def test_one_waits_per_campaign_and_person(
    api: Api,
    founder: User,
    backer: User,
    friend: User,
    campaign: Campaign,
    strict_card: PaymentMethod,
    waiting: Investment,
) -> None:
    url = f"/api/campaigns/{campaign.pk}/invest"
    body = {"amount": "100", "paymentMethodId": str(strict_card.pk)}
    refused = api.as_user(backer).post(url, body)
    assert (refusal(refused), refused.json()["investmentId"]) == ((409, "confirmation_pending"), str(waiting.pk))
    other = make_campaign(founder, max_amount="1200", min_investment="10")
    assert api.as_user(backer).post(f"/api/campaigns/{other.pk}/invest", body).status_code == 200
    theirs = {**body, "paymentMethodId": str(make_card(friend, "tok_3ds").pk)}
    assert api.as_user(friend).post(url, theirs).status_code == 200
    assert ask(api, backer, waiting, "100", strict_card).status_code == 200
    assert api.as_user(backer).post(url, body).json()["status"] == "requires_action"
    assert books_agree()


def test_five_payments_of_one_person_may_be_under_way(
    api: Api, founder: User, backer: User, friend: User, strict_card: PaymentMethod
) -> None:
    campaigns = [make_campaign(founder, title=f"Roof {n}") for n in range(6)]
    body = {"amount": "100", "paymentMethodId": str(strict_card.pk)}
    client = api.as_user(backer)
    for campaign in campaigns[:5]:
        assert client.post(f"/api/campaigns/{campaign.pk}/invest", body).json()["status"] == "requires_action"
    refused = client.post(f"/api/campaigns/{campaigns[5].pk}/invest", body, idempotency_key="k")
    assert (refusal(refused), refused.json()["most"]) == ((409, "too_many_open_payments"), 5)
    first = Investment.objects.order_by("id").first()
    assert first
    assert ask(api, backer, first, "100", strict_card).status_code == 200
    assert client.post(f"/api/campaigns/{campaigns[5].pk}/invest", body, idempotency_key="k").status_code == 200
    assert books_agree()


def test_what_was_taken_back_is_not_refunded_again(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, investment: Investment, provider: StandIn
) -> None:
    provider.plan("refund", "lost before")
    ask(api, backer, investment, "40", card)
    close_campaigns(now=campaign.ends_at)
    assert Investment.objects.get().status == "refunded"
    assert sorted(Refund.objects.values_list("amount_minor", "status")) == [(40_00, "refunded"), (60_00, "refunded")]
    assert minor("provider:sandbox:USD") == 0
    assert books_agree()
