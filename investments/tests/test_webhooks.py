"""Events that the provider sends: signed, fresh, applied once, in any order."""

import json
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from core.models import Event
from core.testing import WAIT_LIMIT, Api, drain_outbox, together
from investments.models import Investment, Payment, PaymentMethod, ProviderEvent, SandboxCharge
from investments.providers.sandbox import SIGNATURE_HEADER, event_about, sign
from investments.services.provider_events import apply_event, receive_event
from investments.testing import StandIn, finish_payments, make_card
from investments.tests.conftest import books_agree, invest_url

URL = "/api/investments/webhooks/sandbox"


def send(api: Api, body: bytes, signature: Any = None, at: Any = None) -> Any:
    headers = {"HTTP_SANDBOX_SIGNATURE": sign(body, at or timezone.now()) if signature is None else signature}
    answer = api.client.generic("POST", URL, body, content_type="application/json", **headers)
    drain_outbox()
    return answer


@pytest.fixture
def approved(api: Api, backer: User, campaign: Campaign, provider: StandIn) -> bytes:
    """A 3-D Secure charge that the holder has approved, and the event about it that is not sent yet."""
    method = make_card(backer, "tok_3ds")
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(method.pk)})
    charge = provider.finish_action(SandboxCharge.objects.get().action_token, approved=True, now=timezone.now())
    return event_about(charge, now=timezone.now())[0]


def status() -> str:
    return Investment.objects.get().status


def test_a_signed_event_is_applied_once(api: Api, approved: bytes) -> None:
    assert send(api, approved).status_code == 200
    assert status() == "committed"
    assert send(api, approved).status_code == 200
    assert ProviderEvent.objects.count() == 1
    assert Event.objects.filter(kind="investment.committed").count() == 1
    assert books_agree()


def test_bad_missing_and_old_signatures(api: Api, approved: bytes) -> None:
    now = timezone.now()
    right = sign(approved, now)
    wrong = [
        "",
        "t=1",
        "nonsense",
        "t=１２３,v1=00",
        right[:-1] + ("0" if right[-1] != "0" else "1"),
        sign(approved + b" ", now),
        sign(approved, now - timedelta(seconds=302)),
        sign(approved, now + timedelta(seconds=120)),
    ]
    for signature in wrong:
        refused = send(api, approved, signature)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_signature"), signature
    assert status() == "requires_action"
    assert not ProviderEvent.objects.exists()
    assert send(api, approved, sign(approved, now - timedelta(seconds=290))).status_code == 200
    assert status() == "committed"


def changed(body: Any, **changes: Any) -> bytes:
    document = json.loads(body)
    document["data"].update(changes.pop("data", {}))
    return json.dumps({**document, **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"type": "customer.renamed"}, "ignored"),
        ({"data": {"key": "payment-of-someone-else"}}, "set_aside"),
        ({"data": {"amountMinor": 1}}, "set_aside"),
        ({"data": {"currency": "EUR"}}, "set_aside"),
    ],
)
def test_what_does_not_fit_is_answered_and_kept_aside(
    api: Api, approved: bytes, changes: dict[str, Any], outcome: str
) -> None:
    assert send(api, changed(approved, **changes)).status_code == 200
    assert ProviderEvent.objects.get().outcome == outcome
    assert status() == "requires_action"
    assert books_agree()


def test_a_signed_event_that_cannot_be_read(api: Api, approved: bytes) -> None:
    for body in (b"not json", b"[]", b'{"id": "e"}', b'{"id": "e", "type": "charge.succeeded", "data": {}}'):
        refused = send(api, body)
        assert (refused.status_code, refused.json()["code"]) == (400, "unreadable_event")


def test_any_order_ends_alike(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    """The event overtakes the answer: our own call is lost, the event comes, then the finisher asks."""
    provider.plan("charge", "lost after")
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(card.pk)})
    payment = Payment.objects.get()
    early = event_about(SandboxCharge.objects.get(key=payment.key), now=timezone.now())[0]
    assert send(api, early).status_code == 200
    from investments.services.charging import charge, read_charge

    assert charge(read_charge(Payment, payment.pk), now=timezone.now()) is True
    failed = changed(early, id="evt_old", type="charge.failed", data={"state": "declined"})
    assert send(api, failed).status_code == 200
    assert status() == "committed"
    assert Event.objects.filter(kind="investment.committed").count() == 1
    assert books_agree()


def test_money_that_comes_after_it_was_given_up_is_reported(
    api: Api, backer: User, campaign: Campaign, provider: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    method = make_card(backer, "tok_3ds")
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(method.pk)})
    finish_payments(now=timezone.now() + timedelta(hours=2))
    charge = SandboxCharge.objects.get()
    charge.state = "captured"
    assert send(api, event_about(charge, now=timezone.now())[0]).status_code == 200
    assert ProviderEvent.objects.get().outcome == "set_aside"
    assert "does not fit" in caplog.text
    assert status() == "failed"
    assert books_agree()


@pytest.mark.parametrize("approved_by_holder", [True, False])
@pytest.mark.parametrize("order", [("failed", "succeeded"), ("succeeded", "failed")])
def test_contradicting_events_end_in_what_the_provider_says(
    api: Api, backer: User, campaign: Campaign, provider: StandIn, order: Any, approved_by_holder: bool
) -> None:
    method = make_card(backer, "tok_3ds")
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(method.pk)})
    charge = provider.finish_action(
        SandboxCharge.objects.get().action_token, approved=approved_by_holder, now=timezone.now()
    )
    true = event_about(charge, now=timezone.now())[0]
    sent = {
        "failed": changed(true, id="evt_f", type="charge.failed", data={"state": "declined"}),
        "succeeded": changed(true, id="evt_s", type="charge.succeeded", data={"state": "captured"}),
    }
    for which in order:
        assert send(api, sent[which]).status_code == 200
    assert status() == ("committed" if approved_by_holder else "failed")
    assert ProviderEvent.objects.count() == 2
    assert books_agree()


def test_a_provider_that_does_not_answer_about_its_event_leaves_it_to_the_finisher(
    api: Api, approved: bytes, provider: StandIn
) -> None:
    provider.plan("find", "lost before")
    assert send(api, approved).status_code == 200
    assert status() == "requires_action"
    finish_payments(now=timezone.now() + timedelta(minutes=2))
    assert status() == "committed"
    assert books_agree()


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "evt_\u0000"},
        {"id": "evt_\ud800"},
        {"id": {"a": 1}},
        {"id": 7},
        {"id": ""},
        {"id": "e" * 101},
        {"type": None},
        {"type": "charge." + "x" * 100},
        {"data": []},
        {"data": {"key": 12}},
        {"data": {"key": None}},
        {"data": {"key": "k" * 61}},
        {"data": {"amountMinor": 10**40}},
        {"data": {"amountMinor": 10**30}},
        {"data": {"amountMinor": -1}},
        {"data": {"amountMinor": "100"}},
        {"data": {"amountMinor": 100.5}},
        {"data": {"amountMinor": True}},
        {"data": {"currency": 5}},
        {"data": {"currency": "US\u0000"}},
        {"data": {"state": "exploded"}},
        {"data": {"chargeId": "c" * 101}},
        {"data": {"chargeId": ["x"]}},
        {"data": {"reason": {"why": "not"}}},
        {"data": {"reason": "r" * 5000}},
    ],
    ids=str,
)
def test_a_signed_event_that_is_odd_is_refused_and_changes_nothing(
    api: Api, approved: bytes, odd: dict[str, Any]
) -> None:
    document = json.loads(approved)
    data = odd.pop("data", {})
    document["data"] = {**document["data"], **data} if isinstance(data, dict) else data
    refused = send(api, json.dumps({**document, **odd}).encode())
    assert (refused.status_code, refused.json()["code"]) == (400, "unreadable_event")
    assert status() == "requires_action"
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"id":' * 50_000, b"\xff\xfe{", b'{"id":"a","id":"b","type":"x"}', b"NaN", b"7", b""],
    ids=["brackets", "objects", "bytes", "twice", "NaN", "number", "nothing"],
)
def test_a_signed_body_that_is_no_event(api: Api, approved: bytes, body: bytes) -> None:
    refused = send(api, body)
    assert (refused.status_code, refused.json()["code"]) == (400, "unreadable_event")


def test_a_long_reason_of_a_decline_is_cut(api: Api, backer: User, campaign: Campaign, provider: StandIn) -> None:
    method = make_card(backer, "tok_3ds")
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(method.pk)})
    charge = provider.finish_action(SandboxCharge.objects.get().action_token, approved=False, now=timezone.now())
    body = changed(event_about(charge, now=timezone.now())[0], data={"reason": "r" * 200})
    assert send(api, body).status_code == 200
    assert status() == "failed"


def test_a_body_that_is_too_large_is_not_read(api: Api) -> None:
    for name in ("sandbox", "stripe"):
        url = f"/api/investments/webhooks/{name}"
        refused = api.client.generic("POST", url, b" " * (1024 * 1024 + 1), content_type="application/json")
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert not ProviderEvent.objects.exists()


def test_another_provider_is_not_here(api: Api) -> None:
    assert api.post("/api/investments/webhooks/nobody", {}).status_code == 404


def test_the_header_name_is_the_documented_one() -> None:
    assert SIGNATURE_HEADER == "Sandbox-Signature"


@pytest.mark.django_db(transaction=True)
def test_one_event_received_and_applied_twice_at_once_is_applied_once(
    api: Api, approved: bytes, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has seen the other when both have asked the provider."""
    headers = {SIGNATURE_HEADER: sign(approved, timezone.now())}
    receive = partial(receive_event, provider="sandbox", body=approved, headers=headers, now=timezone.now())
    together(receive, receive)
    kept = ProviderEvent.objects.get()
    assert kept.outcome == "received"
    barrier, find = Barrier(2), provider.find

    def find_together(**question: Any) -> Any:
        answer = find(**question)
        barrier.wait(WAIT_LIMIT)
        return answer

    monkeypatch.setattr(provider, "find", find_together)
    apply = partial(apply_event, kept.pk, now=timezone.now())
    together(apply, apply)
    assert ProviderEvent.objects.get().outcome == "applied"
    assert Event.objects.filter(kind="investment.committed").count() == 1
    assert books_agree()


def test_an_event_about_a_charge_that_the_provider_does_not_know_is_set_aside(api: Api, approved: bytes) -> None:
    SandboxCharge.objects.all().delete()
    assert send(api, approved).status_code == 200
    kept = ProviderEvent.objects.get()
    assert (kept.outcome, kept.note) == ("set_aside", "the provider does not know this charge")
    assert status() == "requires_action"
    assert books_agree()
