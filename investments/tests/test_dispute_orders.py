"""A capture, a dispute and its end, told in each of 120 orders, with a repeat and a forgery: one end state."""

from itertools import permutations
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from core.models import Event
from core.testing import Api
from investments.errors import InvalidSignature
from investments.models import Dispute, Investment, Payment, ProviderEvent, SandboxCharge
from investments.providers.sandbox import SIGNATURE_HEADER, SandboxGateway, event_about, event_about_dispute, sign
from investments.reconciliation import reconcile
from investments.services.provider_events import apply_event, receive_event
from investments.testing import make_card
from investments.tests.conftest import books_agree, invest_url

pytestmark = pytest.mark.django_db
Told = tuple[bytes, dict[str, str]]


@pytest.fixture
def payment(api: Api, backer: User, campaign: Campaign) -> Payment:
    """It waits for 3-D Secure, as far as we know."""
    card = make_card(backer, "tok_3ds")
    api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(card.pk)})
    return Payment.objects.get()


@pytest.fixture(params=["won", "lost"])
def told(request: pytest.FixtureRequest, payment: Payment) -> list[Told]:
    """What the provider tells of it: taken, disputed, decided; the dispute a second time, and somebody's forgery."""
    sandbox, now = SandboxGateway(), timezone.now()
    waiting = SandboxCharge.objects.get()
    taken = sandbox.finish_action(waiting.action_token, approved=True, now=now)
    opened = sandbox.open_dispute(payment.key, now=now)
    about_opening = event_about_dispute(opened, now=now)
    closed = sandbox.close_dispute(opened, won=request.param == "won", now=now)
    body, _ = event_about_dispute(closed, now=now)
    forged = (body.replace(b"evt_", b"evt_f"), {SIGNATURE_HEADER: about_opening[1][SIGNATURE_HEADER]})
    return [event_about(taken, now=now), about_opening, event_about_dispute(closed, now=now), about_opening, forged]


def hear(body: bytes, headers: dict[str, str]) -> None:
    try:
        receive_event(provider="sandbox", body=body, headers=headers, now=timezone.now())
    except InvalidSignature:
        assert b"evt_f" in body


def apply_received() -> None:
    for kept in ProviderEvent.objects.filter(outcome="received").order_by("-pk"):
        apply_event(kept.pk, now=timezone.now())


def end_state(campaign: Campaign) -> Any:
    campaign.refresh_from_db()
    dispute = Dispute.objects.get()
    outcomes = set(ProviderEvent.objects.values_list("outcome", flat=True))
    steps = sorted(Event.objects.filter(kind__startswith="investment.").values_list("kind", flat=True))
    return Investment.objects.get().status, dispute.status, campaign.raised_minor, outcomes, steps


def test_any_order_of_five_events_has_one_end(campaign: Campaign, told: list[Told]) -> None:
    """Every other order is applied event by event; the rest when all have come."""
    seen = []
    for turn, order in enumerate(permutations(range(5))):
        before = transaction.savepoint()
        for number in order:
            hear(*told[number])
            if turn % 2:
                apply_received()
        apply_received()
        assert ProviderEvent.objects.count() == 3
        seen.append(end_state(campaign))
        if turn % 60 == 0:
            assert books_agree()
            assert reconcile("sandbox", now=timezone.now()).findings == []
        transaction.savepoint_rollback(before)
    assert seen.count(seen[0]) == 120
    assert seen[0][:3] in (("committed", "won", 100_00), ("refunded", "lost", 0))


def test_a_received_dispute_asks_nobody(campaign: Campaign, told: list[Told], monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook answers however slow the provider is."""

    def refuse(self: SandboxGateway, **question: Any) -> None:
        raise AssertionError("asked in the request")

    for call in ("find", "find_dispute"):
        monkeypatch.setattr(SandboxGateway, call, refuse)
    hear(*told[1])
    assert ProviderEvent.objects.get().outcome == "received"
    assert not Dispute.objects.exists()


def test_an_event_that_differs_under_the_same_id(campaign: Campaign, told: list[Told]) -> None:
    """What came first counts; the provider itself is asked in any case."""
    hear(*told[1])
    apply_received()
    state = end_state(campaign)
    body = told[1][0].replace(b"dispute.open", b"dispute.lost")
    hear(body, {SIGNATURE_HEADER: sign(body, timezone.now())})
    apply_received()
    assert end_state(campaign) == state
