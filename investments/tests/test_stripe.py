"""
Payments through Stripe, with every fault in every step: the payment ends right, and the money moves once.

The stand-in is a process of its own, which keeps its own ledger (`investments.stripe_server`).
"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from core.data.ids import uuid7
from core.data.transactions import atomic
from core.money import Money
from core.privacy.erasure import erase_person
from core.testing import WAIT_LIMIT, Api, commits, drain_outbox, together
from investments.models import (
    Dispute,
    DistributionCharge,
    Investment,
    Payment,
    PaymentMethod,
    Payout,
    PayoutTarget,
    ProviderCharge,
    ProviderCustomer,
    ProviderEvent,
)
from investments.providers import PROVIDERS, asking, breakers
from investments.providers.base import OutcomeUnknown, State, StillProcessing
from investments.providers.stripe import StripeGateway, money_of, units_of
from investments.reconciliation import reconcile
from investments.services.distributing import distribute
from investments.services.distribution_review import evidence_of, holders_of, reject_distribution
from investments.services.payout_targets import verify_target
from investments.services.provider_events import apply_event, receive_event
from investments.stripe_server import FAULTS
from investments.testing import (
    approve,
    finish_distributions,
    finish_payments,
    finish_refunds,
    make_card,
    propose,
    settle,
)
from investments.tests.conftest import books_agree, invest_url, refusal
from investments.tests.stripe_line import StripeLine

METHODS = "/api/investments/payment-methods"
HANGING = 0.5
"""Seconds to wait for an answer that does not come."""


@pytest.fixture
def stripe(stripe_line: StripeLine, settings: Settings) -> StripeLine:
    settings.PAYMENTS_PROVIDER = "stripe"
    return stripe_line


class Story:
    """One backer who pays by Stripe, on a line that is bad now and then."""

    def __init__(self, api: Api, backer: User, campaign: Campaign, line: StripeLine, settings: Settings) -> None:
        self.api, self.backer, self.campaign, self.line, self.settings = api, backer, campaign, line, settings
        self.began = timezone.now()

    def investing(self, token: str = "pm_card_visa", amount: str = "100") -> Callable[[], Any]:
        """Add a card; the call then invests with it."""
        body = {"amount": amount, "paymentMethodId": str(make_card(self.backer, token).pk)}
        return lambda: self.api.as_user(self.backer).post(invest_url(self.campaign), body)

    def invest(self, token: str = "pm_card_visa", amount: str = "100") -> Any:
        return self.investing(token, amount)()

    def with_fault(self, call: str, fault: str, act: Callable[[], Any]) -> Any:
        """`act` while the next such call breaks; from then on all is well again."""
        self.line.break_next(call, fault)
        self.settings.STRIPE_WAIT = HANGING if fault.startswith("hang") else WAIT_LIMIT
        try:
            return act()
        finally:
            self.settings.STRIPE_WAIT = WAIT_LIMIT
            self.line.tell("release")

    def withdraw(self) -> Any:
        investment = Investment.objects.get()
        body = {"amount": investment.amount.text, "paymentMethodId": str(investment.method_id)}
        return self.api.as_user(self.backer).post(f"/api/investments/{investment.pk}/withdraw", body)

    def wait(self, minutes: int) -> None:
        """What the jobs do until then."""
        now = self.began + timedelta(minutes=minutes)
        finish_payments(now=now)
        finish_refunds(now=now)

    def moves(self) -> list[str]:
        """What moved at Stripe, in major units."""
        return [line.amount.text for line in StripeGateway().statement(since=self.began - timedelta(minutes=1))]

    def is_consistent(self) -> bool:
        """Our books by themselves, and beside Stripe's own."""
        assert books_agree()
        result = reconcile("stripe", now=timezone.now())
        assert result.findings == []
        return True


@pytest.fixture
def story(api: Api, backer: User, campaign: Campaign, stripe: StripeLine, settings: Settings) -> Story:
    return Story(api, backer, campaign, stripe, settings)


def status() -> str:
    return Investment.objects.get().status


# --- Faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", ["create", "retrieve", "confirm"])
def test_a_charge_with_a_fault_in_it(story: Story, call: str, fault: str) -> None:
    answer = story.with_fault(call, fault, story.investing())
    assert (answer.status_code, answer.json()["status"]) == (200, "committed" if fault == "slow" else "pending")
    story.wait(minutes=2)
    story.wait(minutes=20)
    # Stripe repeats a 500 for its idempotency key: that charge is never confirmed, and given up in time.
    is_given_up = (call, fault) == ("create", "error_after")
    assert status() == ("failed" if is_given_up else "committed")
    assert story.moves() == ([] if is_given_up else ["100.00"])
    assert story.is_consistent()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cancellation_with_a_fault_in_it(story: Story, fault: str) -> None:
    waiting = story.invest("pm_card_threeDSecureRequired").json()
    assert waiting["status"] == "requires_action"
    story.with_fault("cancel", fault, lambda: story.wait(minutes=16))
    story.wait(minutes=18)
    assert status() == "failed"
    story.line.answer_3ds(waiting["nextAction"]["url"], "approve")
    story.wait(minutes=25)
    assert story.moves() == []
    assert story.is_consistent()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_refund_with_a_fault_in_it(story: Story, fault: str, is_forgotten: bool) -> None:
    """`is_forgotten`: Stripe remembers no idempotency key any more when it is asked again."""
    story.invest()
    answer = story.with_fault("refund", fault, story.withdraw)
    assert (answer.status_code, answer.json()["status"]) == (200, "refunded" if fault == "slow" else "pending")
    if is_forgotten:
        story.line.tell("age")
    story.wait(minutes=10)
    assert status() == "cancelled"
    assert story.moves() == ["100.00", "-100.00"]
    assert story.is_consistent()


@pytest.mark.parametrize("call", ["statement", "balance"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_statement_with_a_fault_in_it(story: Story, call: str, fault: str) -> None:
    story.invest()
    ask = lambda: story.with_fault(call, fault, lambda: reconcile("stripe", now=timezone.now()))  # noqa: E731
    if fault == "slow":
        assert ask().is_clean
    else:
        with pytest.raises(OutcomeUnknown):
            ask()
    assert story.is_consistent()


def test_a_charge_that_stripe_forgot_is_not_taken_again(story: Story) -> None:
    story.with_fault("confirm", "hang_after", story.investing())
    story.line.tell("age")
    story.wait(minutes=2)
    assert (status(), story.moves()) == ("committed", ["100.00"])
    assert story.is_consistent()


def test_a_silent_stripe_is_left_alone_and_asked_again(story: Story, friend: User) -> None:
    story.line.break_next("create", "error_before", times=5)
    story.invest()
    for _ in range(4):
        with pytest.raises(OutcomeUnknown), asking("stripe") as gateway:
            gateway.charge(
                key=f"payment-{uuid7()}",
                payer_id=story.backer.pk,
                token=PaymentMethod.objects.get().token,
                amount=Money(1000, "USD"),
                now=timezone.now(),
            )
    calls = story.line.tell("calls")["create"]
    refused = story.api.as_user(friend).post(METHODS, {"type": "card", "details": {"token": "pm_card_visa"}})
    assert refusal(refused) == (503, "payment_provider_unavailable")
    assert "Retry-After" in refused.headers
    assert story.line.tell("calls")["create"] == calls
    breakers["stripe"].reset()
    story.wait(minutes=2)
    assert status() == "committed"


def test_a_card_that_takes_its_time_is_no_fault_of_the_line(story: Story) -> None:
    assert story.invest("pm_card_processing").json()["status"] == "pending"
    payment = Payment.objects.get()
    for _ in range(6):
        with pytest.raises(StillProcessing), asking("stripe") as gateway:
            gateway.find(key=payment.key)
    assert breakers["stripe"].faults == 0


class Dying(StripeGateway):
    """Our process ends at a point of a charge, without an answer to anybody."""

    def __init__(self, point: str) -> None:
        self.point = point

    def charge(self, **question: Any) -> Any:
        answer = super().charge(**question)
        self._die_at("confirmed")
        return answer

    def _store(self, key: str, now: Any, *, charge_id: str = "", reason: str = "") -> ProviderCharge:
        self._die_at("created")
        row = super()._store(key, now, charge_id=charge_id, reason=reason)
        self._die_at("stored")
        return row

    def _die_at(self, point: str) -> None:
        if self.point == point:
            raise KeyboardInterrupt


@pytest.mark.parametrize("is_forgotten", [False, True])
@pytest.mark.parametrize("point", ["created", "stored", "confirmed"])
def test_a_process_that_dies_in_a_charge(
    story: Story, monkeypatch: pytest.MonkeyPatch, point: str, is_forgotten: bool
) -> None:
    """`is_forgotten`: it is gone on with a day later, when Stripe remembers no idempotency key any more."""
    invest = story.investing()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setitem(PROVIDERS, "stripe", lambda: Dying(point))
        invest()
    assert status() == "pending"
    if is_forgotten:
        story.line.tell("age")
    story.wait(minutes=2)
    assert (status(), story.moves()) == ("committed", ["100.00"])
    assert story.is_consistent()


# --- Races ----------------------------------------------------------------------------------------------------------


class CancelledMeanwhile(StripeGateway):
    """Between the creation of an intent and its confirmation somebody cancels the key."""

    def _store(self, key: str, now: Any, *, charge_id: str = "", reason: str = "") -> ProviderCharge:
        StripeGateway().cancel(key=key, now=now)
        return super()._store(key, now, charge_id=charge_id, reason=reason)


class WithoutTheRow(CancelledMeanwhile):
    """The twin: it confirms what it has created, whatever is stored."""

    def _store(self, key: str, now: Any, *, charge_id: str = "", reason: str = "") -> ProviderCharge:
        super()._store(key, now, charge_id=charge_id, reason=reason)
        return ProviderCharge(provider=self.name, key=key, charge_id=charge_id, reason=reason)


@pytest.mark.parametrize(
    ("gateway", "state"), [(CancelledMeanwhile(), State.CANCELLED), (WithoutTheRow(), State.CAPTURED)]
)
def test_a_key_that_is_cancelled_while_it_is_charged(story: Story, gateway: StripeGateway, state: State) -> None:
    key, token = f"payment-{uuid7()}", make_card(story.backer, "pm_card_visa").token
    answer = gateway.charge(
        key=key, payer_id=story.backer.pk, token=token, amount=Money(1000, "USD"), now=timezone.now()
    )
    assert answer.state == state
    assert story.moves() == (["10.00"] if state == State.CAPTURED else [])


# --- Payment methods ------------------------------------------------------------------------------------------------


def test_a_card_is_entered_at_stripe_and_kept_by_its_token(story: Story) -> None:
    client = story.api.as_user(story.backer)
    setup = client.post(f"{METHODS}/setup")
    assert (setup.status_code, set(setup.json())) == (200, {"clientSecret", "url", "token"})
    added = client.post(METHODS, {"type": "card", "details": {"token": "pm_card_visa"}}, idempotency_key="one")
    assert (added.status_code, added.json()["brand"], added.json()["last4"]) == (201, "visa", "4242")
    again = client.post(METHODS, {"type": "card", "details": {"token": "pm_card_visa"}}, idempotency_key="one")
    assert again.content == added.content
    wallet = client.post(METHODS, {"type": "wallet", "details": {"token": "pm_card_wallet"}})
    assert (wallet.status_code, wallet.json()["type"]) == (201, "wallet")
    assert ProviderCustomer.objects.count() == 1
    assert story.line.tell("calls")["customer"] == 1


def test_setting_up_is_for_providers_with_a_field_of_their_own(api: Api, backer: User) -> None:
    assert refusal(api.as_user(backer).post(f"{METHODS}/setup")) == (404, "setup_not_needed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "card", "details": {"token": "pm_unknown"}}, "unknown_payment_token"),
        ({"type": "card", "details": {"token": "tok_visa"}}, "unknown_payment_token"),
        ({"type": "card", "details": {"token": "pm_card_wallet"}}, "unknown_payment_token"),
        ({"type": "bank_account", "details": {"token": "pm_usBankAccount"}}, "unknown_payment_token"),
        ({"type": "card", "details": {"token": "../../v1/customers"}}, "unknown_payment_token"),
        ({"type": "card", "details": {"token": "pm_card_chargeDeclined"}}, "payment_method_declined"),
        (
            {
                "type": "card",
                "details": {"number": "4242424242424242", "expiryMonth": 1, "expiryYear": 2030, "cvv": "1"},
            },
            "raw_card_data_refused",
        ),
    ],
)
def test_what_is_not_taken_as_a_payment_method(story: Story, body: dict[str, Any], code: str) -> None:
    refused = story.api.as_user(story.backer).post(METHODS, body)
    found = [row["code"] for row in refused.json().get("errors", [])] or [refused.json()["code"]]
    assert (refused.status_code, found) == (400, [code])
    assert not PaymentMethod.objects.exists()


def test_a_payment_method_of_another_customer(story: Story, friend: User) -> None:
    token = make_card(story.backer, "pm_card_visa").token
    refused = story.api.as_user(friend).post(METHODS, {"type": "card", "details": {"token": token}})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_payment_token")
    key = f"payment-{uuid7()}"
    with asking("stripe") as gateway:
        answer = gateway.charge(key=key, payer_id=friend.pk, token=token, amount=Money(1000, "USD"), now=timezone.now())
    assert (answer.state, story.moves()) == (State.CANCELLED, [])


def test_the_customer_of_an_erased_person_is_deleted(story: Story) -> None:
    make_card(story.backer, "pm_card_visa")
    with atomic():
        erase_person(person_id=story.backer.pk, now=timezone.now())
    story.line.break_next("delete_customer", "reset_before")
    drain_outbox()
    drain_outbox(now=timezone.now() + timedelta(minutes=1))
    assert story.line.tell("calls")["delete_customer"] == 2
    assert not ProviderCustomer.objects.exists()


# --- Outcomes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "amount", "reason"),
    [
        ("pm_card_chargeCustomerFail", "100", "card_declined"),
        ("pm_card_insufficientFunds", "100", "insufficient_funds"),
    ],
)
def test_a_decline_has_a_reason(story: Story, token: str, amount: str, reason: str) -> None:
    refused = story.invest(token, amount)
    assert (refused.status_code, refused.json()["code"], refused.json()["reason"]) == (409, "payment_declined", reason)
    assert story.moves() == []
    assert story.is_consistent()


def test_what_stripe_does_not_charge_is_given_up(story: Story, founder: User) -> None:
    token = make_card(story.backer, "pm_card_visa").token
    for amount, reason in [(Money(10, "USD"), "amount_too_small"), (Money(5125, "KWD"), "amount_not_chargeable")]:
        key = f"payment-{uuid7()}"
        with asking("stripe") as gateway:
            question: Any = {"payer_id": story.backer.pk, "token": token, "amount": amount, "now": timezone.now()}
            answer = gateway.charge(key=key, **question)
            assert (answer.state, answer.reason) == (State.CANCELLED, reason)
            assert gateway.find(key=key) == gateway.charge(key=key, **question)
    assert story.moves() == []


@pytest.mark.parametrize("mode", ["send", "repeat", "reverse"])
def test_three_d_secure_by_event(story: Story, mode: str) -> None:
    url = story.invest("pm_card_threeDSecureRequired").json()["nextAction"]["url"]
    story.line.answer_3ds(url, "approve")
    events = story.line.events()
    for body, headers in {"send": events, "repeat": events * 2, "reverse": events[::-1]}[mode]:
        receive_event(provider="stripe", body=body, headers=headers, now=timezone.now())
    drain_outbox()
    assert (status(), story.moves()) == ("committed", ["100.00"])
    assert ProviderEvent.objects.filter(outcome="set_aside").count() <= 1
    assert story.is_consistent()


def test_a_failed_refund_and_a_failed_payout_are_kept_for_people(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    from stripe import WebhookSignature

    for kind in ("payout.failed", "refund.failed"):
        document = {"id": f"evt_{uuid4().hex}", "object": "event", "type": kind, "data": {"object": {"id": "x_1"}}}
        body = json.dumps(document)
        seconds = int(timezone.now().timestamp())
        headers = {"Stripe-Signature": WebhookSignature.generate_signature_header(body, "whsec_tests", seconds)}
        receive_event(provider="stripe", body=body.encode(), headers=headers, now=timezone.now())
    assert [kept.outcome for kept in ProviderEvent.objects.all()] == ["set_aside", "set_aside"]
    assert caplog.text.count("does not fit") == 2


# --- Distributions and payouts --------------------------------------------------------------------------------------


@pytest.fixture
def settled(story: Story) -> Campaign:
    """One investment of 1,000.00, paid by Stripe."""
    story.invest(amount="1000")
    return settle(story.campaign)


def distribution(founder: User, token: str) -> dict[str, str]:
    """The body of a proposal, paid by a new card of the owner."""
    return {"amount": "120", "kind": "dividend", "paymentMethodId": str(make_card(founder, token).pk)}


@pytest.fixture
def returned(story: Story, founder: User, settled: Campaign, person: Callable[..., User]) -> Investment:
    """120.00 came back."""
    proposal = propose(story.api, founder, settled, "120", make_card(founder, "pm_card_visa"))
    approve(person("ines", role="admin"), proposal)
    assert distribute(proposal.pk, now=timezone.now())
    return Investment.objects.get()


def bank_account(story: Story, who: User, answer: str = "prove") -> dict[str, Any]:
    """A connected account of a person, entered on Stripe's page; the body of the new payment method."""
    setup = story.api.as_user(who).post(f"{METHODS}/setup", {"type": "bank_account"}).json()
    assert setup["clientSecret"] is None
    story.line.onboard(setup["url"], answer)
    return {"type": "bank_account", "details": {"token": setup["token"]}}


def withdraw(story: Story, investment: Investment, method_id: Any, **headers: Any) -> Any:
    body = {"amount": "120", "paymentMethodId": str(method_id)}
    return story.api.as_user(story.backer).post(f"/api/investments/{investment.pk}/withdraw", body, **headers)


def test_a_card_receives_nothing(story: Story, returned: Investment) -> None:
    assert refusal(withdraw(story, returned, returned.method_id)) == (409, "payouts_not_supported")
    assert not Payout.objects.exists()
    client = story.api.as_user(story.backer)
    actions = client.get(f"/api/investments/{returned.pk}").json()["allowedActions"]
    assert [(one["allowed"], one["because"]) for one in actions] == [(False, "payouts_not_supported")]
    made = client.post(METHODS, bank_account(story, story.backer))
    assert (made.status_code, made.json()["last4"]) == (201, "6789")
    actions = client.get(f"/api/investments/{returned.pk}").json()["allowedActions"]
    assert [one["allowed"] for one in actions] == [True]


def test_a_payout_to_a_connected_account(story: Story, returned: Investment) -> None:
    method = story.api.as_user(story.backer).post(METHODS, bank_account(story, story.backer)).json()
    assert withdraw(story, returned, method["id"]).json()["status"] == "paid"
    assert story.moves() == ["1000.00", "120.00", "-120.00"]
    assert story.is_consistent()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_payout_with_a_fault_is_paid_once(story: Story, returned: Investment, fault: str) -> None:
    method = story.api.as_user(story.backer).post(METHODS, bank_account(story, story.backer)).json()
    ask = partial(withdraw, story, returned, method["id"], idempotency_key="k")
    first = story.with_fault("transfer", fault, ask)
    assert first.json()["status"] in ("pending", "paid")
    story.line.tell("age")
    assert ask().json()["status"] == "paid"
    assert story.moves() == ["1000.00", "120.00", "-120.00"]
    assert story.is_consistent()


def test_an_account_that_is_not_verified_is_refused_for_ever(story: Story, returned: Investment) -> None:
    method = story.api.as_user(story.backer).post(METHODS, bank_account(story, story.backer, "enter")).json()
    refused = withdraw(story, returned, method["id"], idempotency_key="k")
    reason = "insufficient_capabilities_for_transfer"
    assert (refusal(refused), refused.json()["reason"]) == ((409, "payout_declined"), reason)
    assert withdraw(story, returned, method["id"], idempotency_key="k").content == refused.content
    story.line.onboard(f"{story.line.address}/onboarding/{PaymentMethod.objects.get(pk=method['id']).token}", "prove")
    assert withdraw(story, returned, method["id"]).json()["status"] == "paid"
    assert story.is_consistent()


def test_the_bank_account_of_another_person(story: Story, founder: User) -> None:
    foreign = bank_account(story, founder)
    answer = story.api.as_user(story.backer).post(METHODS, foreign)
    assert refusal(answer) == (400, "unknown_payment_token")
    unfinished = story.api.as_user(story.backer).post(f"{METHODS}/setup", {"type": "bank_account"}).json()
    body = {"type": "bank_account", "details": {"token": unfinished["token"]}}
    answer = story.api.as_user(story.backer).post(METHODS, body)
    assert (refusal(answer), answer.json()["reason"]) == ((400, "payment_method_declined"), "onboarding_incomplete")


@pytest.mark.parametrize("fault", ["hang_before", "error_before", "reset_after", "garbage_after", "limited"])
def test_an_account_that_is_asked_about_with_a_fault_is_asked_again(story: Story, founder: User, fault: str) -> None:
    method = story.api.as_user(founder).post(METHODS, bank_account(story, founder)).json()
    story.api.as_user(founder).put("/api/investments/payout-target", {"paymentMethodId": method["id"]})
    target = PayoutTarget.objects.get()
    ask = partial(verify_target, target.pk, now=timezone.now())
    assert story.with_fault("read_account", fault, ask) == timedelta(seconds=30)
    assert ask() is None
    target.refresh_from_db()
    assert target.status == "verified"


def test_an_owner_is_paid_through_connect(story: Story, founder: User, settled: Campaign) -> None:
    method = story.api.as_user(founder).post(METHODS, bank_account(story, founder, "enter")).json()
    target = "/api/investments/payout-target"
    chosen = story.api.as_user(founder).put(target, {"paymentMethodId": method["id"]})
    assert chosen.json()["status"] == "unverified"
    drain_outbox()
    assert story.api.as_user(founder).get(target).json()["status"] == "unverified"
    token = PaymentMethod.objects.get(pk=method["id"]).token
    story.line.onboard(f"{story.line.address}/onboarding/{token}", "prove")
    verify_target(PayoutTarget.objects.get().pk, now=timezone.now())
    drain_outbox()
    paid = story.api.as_user(founder).get(f"/api/campaigns/{settled.pk}/settlement").json()
    assert (paid["status"], paid["paid"]) == ("paid", "1000.00")
    assert story.moves() == ["1000.00", "-1000.00"]
    assert story.is_consistent()


def test_a_distribution_with_three_d_secure_is_paid_in_by_event(story: Story, founder: User, settled: Campaign) -> None:
    body = distribution(founder, "pm_card_threeDSecureRequired")
    asked = story.api.as_user(founder).post(f"/api/campaigns/{settled.pk}/distributions", body).json()
    assert asked["paymentStatus"] == "requires_action"
    story.line.answer_3ds(asked["nextAction"]["url"], "approve")
    for signed, headers in story.line.events():
        receive_event(provider="stripe", body=signed, headers=headers, now=timezone.now())
    assert DistributionCharge.objects.get().status == "requires_action"
    drain_outbox()
    assert DistributionCharge.objects.get().status == "captured"
    assert story.moves() == ["1000.00", "120.00"]
    assert story.is_consistent()


@pytest.mark.parametrize("fault", ["hang_after", "error_before", "reset_after"])
def test_a_distribution_with_a_fault_in_its_confirmation_is_paid_in_once(
    story: Story, founder: User, settled: Campaign, fault: str
) -> None:
    body, client = distribution(founder, "pm_card_visa"), story.api.as_user(founder)
    asked = story.with_fault("confirm", fault, lambda: client.post(f"/api/campaigns/{settled.pk}/distributions", body))
    assert (asked.status_code, asked.json()["paymentStatus"]) == (201, "pending")
    finish_distributions(now=story.began + timedelta(minutes=2))
    assert DistributionCharge.objects.get().status == "captured"
    assert story.moves() == ["1000.00", "120.00"]
    assert story.is_consistent()


def test_a_rejected_distribution_is_refunded_once(
    story: Story, founder: User, settled: Campaign, person: Callable[..., User]
) -> None:
    """The answer is lost, and Stripe has forgotten the key when it is asked again."""
    proposal = propose(story.api, founder, settled, "120", make_card(founder, "pm_card_visa"))
    seen = evidence_of(proposal, proposal.charge, holders_of(settled.pk))
    with commits():
        admin, now = person("ines", role="admin"), timezone.now()
        reject_distribution(staff=admin, distribution_id=proposal.pk, seen=seen, reason="No accounts.", now=now)
    story.with_fault("refund", "reset_after", drain_outbox)
    assert DistributionCharge.objects.get().status == "refunding"
    story.line.tell("age")
    drain_outbox(now=timezone.now() + timedelta(minutes=5))
    assert DistributionCharge.objects.get().status == "refunded"
    assert story.moves() == ["1000.00", "120.00", "-120.00"]
    assert story.is_consistent()


def test_a_payout_to_our_own_bank_is_reported(story: Story) -> None:
    story.invest()
    story.line.tell("payout", amount=40_00, currency="usd")
    assert story.moves() == ["100.00", "-40.00"]
    findings = reconcile("stripe", now=timezone.now()).findings
    assert sorted((one.check.value, one.about) for one in findings) == [("extra", "payout"), ("sum", "provider")]


# --- Amounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money(1050, "USD"), 1050),
        (Money(500, "JPY"), 500),
        (Money(5120, "KWD"), 5120),
        (Money(5125, "KWD"), None),
        (Money(500, "ISK"), 50000),
        (Money(500, "UGX"), 50000),
        (Money(500, "XOF"), 500),
        (Money(1050, "HUF"), 1050),
    ],
)
def test_amounts_in_stripes_units(amount: Money, units: int | None) -> None:
    assert units_of(amount) == units
    if units is not None:
        assert money_of(units, amount.currency.lower()) == amount


def test_an_amount_that_the_currency_does_not_have() -> None:
    with pytest.raises(ValueError, match="50050 of ISK"):
        money_of(50050, "isk")


# --- At the same time -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_key_that_is_charged_and_cancelled_by_several_at_once_has_one_end(backer: User, stripe: StripeLine) -> None:
    """Workers, a request and the finisher ask about the same payment."""
    token, now = make_card(backer, "pm_card_visa").token, timezone.now()
    for _ in range(3):
        key = f"payment-{uuid7()}"
        charge = partial(
            StripeGateway().charge, key=key, payer_id=backer.pk, token=token, amount=Money(1000, "USD"), now=now
        )
        answers = together(charge, charge, partial(StripeGateway().cancel, key=key, now=now), charge)
        [state] = {answer.state for answer in answers}
        lines = [line for line in StripeGateway().statement(since=now - timedelta(minutes=1)) if line.key == key]
        assert len(lines) == (state == State.CAPTURED)


# --- Disputes -------------------------------------------------------------------------------------------------------


def hear_of_disputes(story: Story) -> None:
    """Every event about disputes so far, the newest first, and what the outbox makes of them."""
    for body, headers in reversed(story.line.events()):
        if b"charge.dispute." in body:
            receive_event(provider="stripe", body=body, headers=headers, now=timezone.now())
    story.wait(1)


@pytest.mark.parametrize(("outcome", "left"), [("won", "committed"), ("lost", "refunded")])
def test_a_dispute(story: Story, outcome: str, left: str) -> None:
    """Its events come in the wrong order, and the withdrawal that follows is refused or done."""
    story.invest()
    key = Payment.objects.get().key
    story.line.tell("dispute", key=key)
    hear_of_disputes(story)
    assert (status(), Dispute.objects.get().status) == ("committed", "open")
    assert story.is_consistent()
    assert story.withdraw().json()["code"] == "payment_disputed"
    story.line.tell("dispute", key=key, outcome=outcome)
    hear_of_disputes(story)
    assert (status(), Dispute.objects.get().status) == (left, outcome)
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {"applied"}
    assert story.is_consistent()


@pytest.mark.parametrize("fault", ["hang_before", "error_before", "limited", "garbage_after", "reset_after"])
def test_a_dispute_that_stripe_does_not_tell_of_at_once(story: Story, fault: str) -> None:
    story.invest()
    story.line.tell("dispute", key=Payment.objects.get().key, amount=4000)
    body, headers = next(one for one in story.line.events() if b"charge.dispute.created" in one[0])
    received_id = receive_event(provider="stripe", body=body, headers=headers, now=timezone.now())
    assert received_id is not None
    with pytest.raises(OutcomeUnknown):
        story.with_fault("dispute", fault, lambda: apply_event(received_id, now=timezone.now()))
    assert not Dispute.objects.exists()
    story.wait(2)
    assert Dispute.objects.get().amount_minor == 4000
    assert story.is_consistent()


def test_a_dispute_about_a_charge_that_is_not_ours(story: Story) -> None:
    """Of an account that is also used elsewhere: set aside, and named by `reconcile`."""
    story.invest()
    payment = Payment.objects.get()
    story.line.tell("dispute", key=payment.key)
    Payment.objects.filter(pk=payment.pk).update(key="payment-of-somebody-else")
    hear_of_disputes(story)
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {"set_aside"}
    assert not Dispute.objects.exists()
    found = {(one.check.value, one.about) for one in reconcile("stripe", now=timezone.now()).findings}
    assert ("extra", "dispute") in found
