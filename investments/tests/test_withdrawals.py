"""Taking a commitment back while its campaign is live."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.testing import make_campaign
from investments.models import Investment, Refund
from investments.services.closing import close_campaigns
from investments.testing import invest, make_card
from investments.tests.conftest import books_agree, minor, refusal


def url(investment):
    return f"/api/investments/{investment.pk}/withdraw"


@pytest.fixture
def investment(api, backer, campaign, card):
    return invest(api, backer, campaign, "100", card)


def ask(api, who, investment, amount, method, **headers):
    body = {"amount": amount, "paymentMethodId": str(method.pk)}
    return api.as_user(who).post(url(investment), body, **headers)


def test_a_part_and_then_the_rest(api, backer, campaign, card, investment):
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


def test_only_to_the_method_that_paid(api, backer, friend, card, investment):
    other, foreign = make_card(backer), make_card(friend)
    assert refusal(ask(api, backer, investment, "10", other)) == (409, "refund_to_original_only")
    assert refusal(ask(api, backer, investment, "10", foreign)) == (404, "payment_method_not_found")
    assert refusal(ask(api, friend, investment, "10", foreign)) == (404, "not_found")
    assert ask(api, backer, investment, "10", card).status_code == 200


@pytest.mark.parametrize(("offset", "code"), [(-1, 200), (0, 409), (1, 409)])
def test_the_window_to_the_second(api, founder, backer, card, time_machine, offset, code):
    campaign = make_campaign(founder, ends_at=timezone.now() + timedelta(hours=48, minutes=10))
    investment = invest(api, backer, campaign, "100", card)
    time_machine.move_to(investment.cancellable_until + timedelta(seconds=offset), tick=False)
    answer = ask(api, backer, investment, "10", card)
    assert answer.status_code == code, answer.json()
    if code == 409:
        assert answer.json()["code"] == "cancel_window_closed"


def test_it_needs_a_recent_proof_of_identity(api, backer, card, investment, time_machine):
    client = api.as_user(backer)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    body = {"amount": "10", "paymentMethodId": str(card.pk)}
    assert refusal(client.post(url(investment), body)) == (403, "step_up_required")


def test_one_key_one_withdrawal(api, backer, campaign, card, investment, provider):
    provider.plan("refund", "lost after")
    first = ask(api, backer, investment, "10", card, idempotency_key="w1")
    assert first.json()["status"] == "pending"
    again = ask(api, backer, investment, "10", card, idempotency_key="w1")
    assert again.json() == {**first.json(), "status": "refunded"}
    third = ask(api, backer, investment, "10", card, idempotency_key="w1")
    assert (third.content, third["Idempotent-Replayed"]) == (again.content, "true")
    assert Refund.objects.count() == 1
    assert books_agree()


def test_what_was_taken_back_is_not_refunded_again(api, backer, campaign, card, investment, provider):
    provider.plan("refund", "lost before")
    ask(api, backer, investment, "40", card)
    close_campaigns(now=campaign.ends_at)
    assert Investment.objects.get().status == "refunded"
    assert sorted(Refund.objects.values_list("amount_minor", "status")) == [(40_00, "refunded"), (60_00, "refunded")]
    assert minor("provider:sandbox:USD") == 0
    assert books_agree()
