"""Five events of one payment, in each of their 120 orders: one end state (SECURITY-GOALS 13)."""

import json
from itertools import permutations
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from core.models import Event
from core.money import Money
from core.testing import Api
from investments import providers
from investments.models import Investment, Payment, PaymentMethod, ProviderEvent
from investments.providers.base import Charge, State
from investments.providers.stripe import OUR_KEY, StripeGateway
from investments.services.provider_events import apply_event, receive_event
from investments.tests.conftest import books_agree, invest_url

SECRET = "whsec_orders"
KINDS = [
    ("payment_intent.requires_action", "requires_action"),
    ("payment_intent.payment_failed", "requires_payment_method"),
    ("payment_intent.succeeded", "succeeded"),
    ("payment_intent.canceled", "canceled"),
    ("payment_intent.processing", "processing"),
]


class Paid(StripeGateway):
    """A Stripe where the holder has approved the charge, after it had been asked for."""

    now = Charge(State.REQUIRES_ACTION, "pi_one", Money(10000, "USD"), action_url="https://bank.example/3ds")

    def charge(self, **question: Any) -> Charge:
        return self.now

    def find(self, *, key: str) -> Charge:
        return Charge(State.CAPTURED, "pi_one", Money(10000, "USD"))


@pytest.fixture
def payment(api: Api, backer: User, campaign: Campaign, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Payment:
    """It waits for 3-D Secure."""
    settings.PAYMENTS_PROVIDER, settings.STRIPE_WEBHOOK_SECRET = "stripe", [SECRET]
    monkeypatch.setitem(providers.PROVIDERS, "stripe", Paid)
    method = PaymentMethod.objects.create(
        owner=backer, type="card", provider="stripe", token="pm_one", brand="visa", last4="4242"
    )
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(method.pk)})
    payment = Payment.objects.get()
    assert payment.status == "requires_action"
    return payment


def receive(number: int, payment: Payment) -> None:
    from stripe import WebhookSignature

    kind, state = KINDS[number]
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/3ds"}}
    intent = {
        "id": "pi_one",
        "object": "payment_intent",
        "amount": 10000,
        "currency": "usd",
        "status": state,
        "metadata": {OUR_KEY: payment.key},
        "last_payment_error": {"code": "card_declined"} if state == "requires_payment_method" else None,
        "next_action": action if state == "requires_action" else None,
    }
    body = json.dumps({"id": f"evt_{number}", "object": "event", "type": kind, "data": {"object": intent}})
    now = timezone.now()
    signature = WebhookSignature.generate_signature_header(body, SECRET, int(now.timestamp()))
    receive_event(provider="stripe", body=body.encode(), headers={"Stripe-Signature": signature}, now=now)


def apply_received() -> None:
    for kept in ProviderEvent.objects.filter(outcome="received").order_by("pk"):
        apply_event(kept.pk, now=timezone.now())


def test_any_order_of_five_events_has_one_end(payment: Payment) -> None:
    """Every other order is applied event by event; the rest when all have come, the first of them twice."""
    for turn, order in enumerate(permutations(range(5))):
        before = transaction.savepoint()
        for number in order:
            receive(number, payment)
            if turn % 2:
                apply_received()
        receive(order[0], payment)
        apply_received()
        assert ProviderEvent.objects.count() == 5
        assert not ProviderEvent.objects.filter(outcome="received").exists()
        assert Investment.objects.get().status == "committed"
        assert Event.objects.filter(kind="investment.committed").count() == 1
        if turn % 40 == 0:
            assert books_agree()
        transaction.savepoint_rollback(before)


def test_a_received_event_asks_nobody(payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook answers however slow the provider is."""

    def refuse(self: Paid, *, key: str) -> Charge:
        raise AssertionError("asked in the request")

    monkeypatch.setattr(Paid, "find", refuse)
    receive(2, payment)
    assert ProviderEvent.objects.get().outcome == "received"
    assert Investment.objects.get().status == "requires_action"


def test_an_event_changes_once(payment: Payment) -> None:
    receive(2, payment)
    apply_received()
    kept = ProviderEvent.objects.get()
    assert kept.outcome == "applied"
    apply_event(kept.pk, now=timezone.now())
    for change in ({"outcome": "received"}, {"outcome": "ignored"}, {"event_id": "evt_other"}):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            ProviderEvent.objects.update(**change)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ProviderEvent.objects.all().delete()
