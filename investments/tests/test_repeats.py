"""One key, one effect, whatever happens between two commits: rows that stay locked, answers that are lost."""

import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.funding import lock_campaign
from core.data import transactions
from core.models import IdempotencyKey
from core.testing import Api, drain_outbox
from investments.models import Investment, Payment, PaymentMethod, Refund, SandboxCharge, SandboxRefund
from investments.services.locks import lock_payments
from investments.testing import StandIn, invest, make_card
from investments.tests.conftest import books_agree, invest_url, refusal

pytestmark = pytest.mark.django_db(transaction=True)


class Rival:
    """Another connection that holds a campaign's payments and its row until it is asked to release them."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign_id, self.let_go, self.holds = campaign.pk, Event(), Event()
        self.thread = Thread(target=self._hold)

    def _hold(self) -> None:
        try:
            with transaction.atomic():
                payments = Payment.objects.filter(investment__campaign_id=self.campaign_id)
                lock_payments(payments.values_list("pk", flat=True))
                lock_campaign(self.campaign_id)
                self.holds.set()
                self.let_go.wait(60)
        finally:
            connection.close()

    def __enter__(self) -> "Rival":
        self.thread.start()
        assert self.holds.wait(60)
        return self

    def __exit__(self, *_: Any) -> None:
        self.let_go.set()
        self.thread.join(60)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "100ms")


class HeldAfter:
    """`held_after("charge")`: as soon as the provider has done that, a rival takes the campaign's row and keeps it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, provider: StandIn, campaign: Campaign) -> None:
        self.monkeypatch, self.provider, self.campaign = monkeypatch, provider, campaign
        self.rivals: list[Rival] = []

    def __call__(self, call: str) -> None:
        real = getattr(self.provider, call)

        def and_then_locked(**question: Any) -> Any:
            answer = real(**question)
            if not self.rivals:
                self.rivals.append(Rival(self.campaign).__enter__())
            return answer

        self.monkeypatch.setattr(self.provider, call, and_then_locked)

    def release(self) -> None:
        for rival in self.rivals:
            rival.__exit__()


@pytest.fixture
def held_after(
    monkeypatch: pytest.MonkeyPatch, provider: StandIn, campaign: Campaign, impatient: None
) -> Iterator[HeldAfter]:
    planned = HeldAfter(monkeypatch, provider, campaign)
    yield planned
    planned.release()


def test_an_investment_whose_campaign_stays_locked_is_pending_and_one(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, held_after: HeldAfter
) -> None:
    held_after("charge")
    client = api.as_user(backer)
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    first = client.post(invest_url(campaign), body, idempotency_key="k")
    assert (first.status_code, first.json()["status"]) == (200, "pending")
    still = client.post(invest_url(campaign), body, idempotency_key="k")
    assert (still.status_code, still.json()["id"]) == (200, first.json()["id"])
    held_after.release()
    again = client.post(invest_url(campaign), body, idempotency_key="k")
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "committed")
    assert again["Idempotent-Replayed"] == "true"
    assert (Investment.objects.count(), SandboxCharge.objects.count()) == (1, 1)
    assert books_agree()


def test_without_a_key_it_is_pending_too_and_finished_later(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, held_after: HeldAfter
) -> None:
    held_after("charge")
    answer = api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(card.pk)})
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    held_after.release()
    from datetime import timedelta

    from django.utils import timezone

    drain_outbox(now=timezone.now() + timedelta(minutes=1))
    assert Investment.objects.get().status == "committed"
    assert books_agree()


def test_a_withdrawal_whose_campaign_stays_locked_is_pending_and_one(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, held_after: HeldAfter
) -> None:
    investment = invest(api, backer, campaign, "100", card)
    held_after("refund")
    client = api.as_user(backer)
    url, body = f"/api/investments/{investment.pk}/withdraw", {"amount": "40", "paymentMethodId": str(card.pk)}
    first = client.post(url, body, idempotency_key="w")
    assert (first.status_code, first.json()["status"]) == (200, "pending")
    held_after.release()
    again = client.post(url, body, idempotency_key="w")
    assert again.json() == {**first.json(), "status": "refunded"}
    assert (Refund.objects.count(), SandboxRefund.objects.count()) == (1, 1)
    assert books_agree()


def test_locked_before_the_first_commit_is_busy_and_frees_the_key(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, impatient: None
) -> None:
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    with Rival(campaign):
        busy = api.as_user(backer).post(invest_url(campaign), body, idempotency_key="k")
    assert refusal(busy) == (503, "busy")
    assert not IdempotencyKey.objects.exists()
    assert api.as_user(backer).post(invest_url(campaign), body, idempotency_key="k").json()["status"] == "committed"
    assert Investment.objects.count() == 1


# --- A connection that is lost at a commit --------------------------------------------------------------------------


class Cut:
    """Loses the connection at the n-th COMMIT of this thread: after it was carried out, or before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, *, carried_out: bool) -> None:
        self.at, self.seen, self.is_over = at, 0, False
        real = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

        def commit(wrapper: Any) -> Any:
            self.seen += 1
            if self.seen != self.at or self.is_over:
                return real(wrapper)
            if carried_out:
                wrapper.connection.commit()
            wrapper.connection.close()
            with wrapper.wrap_database_errors:
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit)


def until_known(ask: Any) -> Any:
    """Repeat a call with its key, as a client does that got no certain answer. It is never told to wait for long."""
    answers = []
    for _ in range(6):
        answer = ask()
        answers.append((answer.status_code, answer.json().get("code") or answer.json().get("status")))
        if answer.status_code == 200 and answer.json()["status"] != "pending":
            return answer, answers
        assert answers[-1] in [(503, "outcome_unknown"), (503, "database_unavailable"), (200, "pending")], answers
    raise AssertionError(answers)


@pytest.mark.parametrize("carried_out", [True, False], ids=["reply lost", "commit lost"])
@pytest.mark.parametrize("at", range(1, 3))
def test_an_investment_cut_at_any_commit_is_made_once(
    api: Api,
    backer: User,
    campaign: Campaign,
    card: PaymentMethod,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    carried_out: bool,
) -> None:
    client = api.as_user(backer)
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    cut = Cut(monkeypatch, at, carried_out=carried_out)
    answer, _ = until_known(lambda: client.post(invest_url(campaign), body, idempotency_key="k"))
    assert answer.json()["status"] == "committed"
    assert client.post(invest_url(campaign), body, idempotency_key="k").content == answer.content
    assert (Investment.objects.count(), SandboxCharge.objects.count()) == (1, 1)
    assert Campaign.objects.get().raised_minor == 100_00
    assert cut.seen >= at
    cut.is_over = True
    assert books_agree()


@pytest.mark.parametrize("carried_out", [True, False], ids=["reply lost", "commit lost"])
@pytest.mark.parametrize("at", range(1, 3))
def test_a_withdrawal_cut_at_any_commit_is_made_once(
    api: Api,
    backer: User,
    campaign: Campaign,
    card: PaymentMethod,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    carried_out: bool,
) -> None:
    investment = invest(api, backer, campaign, "100", card)
    client = api.as_user(backer)
    url, body = f"/api/investments/{investment.pk}/withdraw", {"amount": "40", "paymentMethodId": str(card.pk)}
    cut = Cut(monkeypatch, at, carried_out=carried_out)
    answer, _ = until_known(lambda: client.post(url, body, idempotency_key="w"))
    assert answer.json()["status"] == "refunded"
    assert (Refund.objects.count(), SandboxRefund.objects.count()) == (1, 1)
    assert Campaign.objects.get().raised_minor == 60_00
    assert cut.seen >= at
    cut.is_over = True
    assert books_agree()


def test_a_lost_confirmation_says_that_the_outcome_is_unknown(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    client = api.as_user(backer)
    Cut(monkeypatch, 1, carried_out=True)
    lost = client.post(invest_url(campaign), body, idempotency_key="k")
    assert refusal(lost) == (503, "outcome_unknown")
    assert "same Idempotency-Key" in lost.json()["detail"]
    assert "Retry-After" in lost
    assert Investment.objects.get().status == "pending"


def test_json_is_compared_as_a_value(api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> None:
    client = api.as_user(backer)

    def send(text: str) -> Any:
        return client.client.generic(
            "POST",
            invest_url(campaign),
            text.encode(),
            content_type="application/json; charset=utf-8",
            headers={"Idempotency-Key": "k"},
        )

    first = send(json.dumps({"amount": 100, "paymentMethodId": str(card.pk)}))
    assert first.status_code == 200, first.content
    other_order = send(f'{{ "paymentMethodId":"{card.pk}",\n  "amount": 100.00 }}')
    assert (other_order.content, other_order["Idempotent-Replayed"]) == (first.content, "true")
    assert refusal(send(f'{{"paymentMethodId":"{card.pk}","amount":"100"}}')) == (422, "idempotency_key_reused")
    assert Investment.objects.count() == 1


def test_a_repeat_gets_the_rest_of_the_lease(api: Api, backer: User, campaign: Campaign, provider: StandIn) -> None:
    """The holder's process died in the middle: nobody gave the key back."""
    card = make_card(backer)
    provider.plan("charge", "lost before")
    client = api.as_user(backer)
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    client.post(invest_url(campaign), body, idempotency_key="k")
    from datetime import timedelta

    from django.utils import timezone

    IdempotencyKey.objects.update(locked_until=timezone.now() + timedelta(hours=1))
    repeat = client.post(invest_url(campaign), body, idempotency_key="k")
    assert refusal(repeat) == (409, "idempotency_in_progress")
    assert 1800 <= int(repeat["Retry-After"]) <= 3600
