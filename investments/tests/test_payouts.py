"""What investments returned is paid out to any method of their investor, never more than is there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections, models
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from core.api.idempotency import NoTicket
from core.money import Money
from core.testing import WAIT_LIMIT, Api, together
from investments.errors import WithdrawalTooLarge
from investments.models import (
    Investment,
    Payment,
    PaymentMethod,
    Payout,
    Return,
    SandboxCharge,
    SandboxPayout,
)
from investments.providers import gateway
from investments.providers.base import Move, PayoutRefused
from investments.reconciliation import reconcile
from investments.services import locks, payouts, withdrawals
from investments.services.distributing import distribute
from investments.services.withdrawals import Withdrawal, withdraw_from_investment
from investments.testing import StandIn, approve, finish_payouts, invest, make_card, propose, settle
from investments.tests.conftest import books_agree, minor, refusal
from ledger.tests.test_commands import guards_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def returned(
    api: Api, founder: User, backer: User, friend: User, campaign: Campaign, person: Callable[..., User]
) -> Investment:
    """70.00 came back to backer, 40.00 to friend, 10.00 to another investment of backer."""
    first = invest(api, backer, campaign, "700")
    invest(api, friend, campaign, "400")
    invest(api, backer, campaign, "100")
    settle(campaign)
    distribution = propose(api, founder, campaign, "120")
    approve(person("ines", role="admin"), distribution)
    assert distribute(distribution.pk, now=timezone.now())
    return Investment.objects.get(pk=first.pk)


def ask(api: Api, who: User, investment: Investment, amount: Any, method: PaymentMethod, **headers: Any) -> Any:
    body = {"amount": amount, "paymentMethodId": str(method.pk)}
    return api.as_user(who).post(f"/api/investments/{investment.pk}/withdraw", body, **headers)


def can_withdraw(api: Api, who: User, investment: Investment) -> Any:
    """What the page of the investment says."""
    actions = api.as_user(who).get(f"/api/investments/{investment.pk}").json()["allowedActions"]
    return next(action["allowed"] for action in actions if action["action"] == "withdraw")


def is_sound() -> bool:
    return books_agree() and not reconcile("sandbox", now=timezone.now()).findings


def held(person: User) -> int:
    return minor(f"returns:user:{person.pk}:USD")


def test_to_any_own_method_up_to_what_is_there(api: Api, backer: User, friend: User, returned: Investment) -> None:
    other = make_card(backer)
    assert can_withdraw(api, backer, returned)
    assert refusal(ask(api, backer, returned, "10", make_card(friend))) == (404, "payment_method_not_found")
    assert refusal(ask(api, friend, returned, "10", make_card(friend))) == (404, "not_found")
    too_much = ask(api, backer, returned, "70.01", other)
    assert (refusal(too_much), too_much.json()["available"]) == ((409, "withdrawal_too_large"), "70.00")
    done = ask(api, backer, returned, "30", other)
    assert (done.status_code, done.json()["status"], done.json()["amount"]) == (200, "paid", "30.00")
    assert done.json()["investmentId"] == str(returned.pk)
    assert refusal(ask(api, backer, returned, "40.01", other)) == (409, "withdrawal_too_large"), "not of the other one"
    assert ask(api, backer, returned, "40", returned.method).json()["status"] == "paid"
    assert (held(backer), held(friend)) == (10_00, 40_00)
    assert not can_withdraw(api, backer, returned)
    page = api.as_user(backer).get("/api/investments/returns").json()
    assert page["totals"] == [{"currency": "USD", "amount": "80.00", "available": "10.00"}]
    assert api.as_user(backer).get("/api/profile/investments").json()["totals"][0]["returned"] == "80.00"
    kinds = [event["kind"] for event in api.as_user(backer).get(f"/api/investments/{returned.pk}").json()["events"]]
    assert kinds[-2:] == ["payout_requested", "paid_out"]
    assert is_sound()


def test_nothing_is_there_before_returns(api: Api, backer: User, campaign: Campaign) -> None:
    investment = invest(api, backer, campaign, "1000")
    settle(campaign)
    answer = ask(api, backer, investment, "1", make_card(backer))
    assert (refusal(answer), answer.json()["available"]) == ((409, "withdrawal_too_large"), "0.00")


def test_a_refused_payout_is_an_outcome_and_its_money_is_there_again(
    api: Api, backer: User, returned: Investment
) -> None:
    bad = make_card(backer, "tok_declined")
    first = ask(api, backer, returned, "70", bad, idempotency_key="k")
    assert (refusal(first), first.json()["reason"]) == ((409, "payout_declined"), "destination_declined")
    again = ask(api, backer, returned, "70", bad, idempotency_key="k")
    assert (again.content, Payout.objects.count()) == (first.content, 1)
    assert ask(api, backer, returned, "70", make_card(backer)).json()["status"] == "paid"
    assert is_sound()


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "reset"])
def test_silence_is_pending_and_a_repeat_goes_on(
    api: Api, backer: User, returned: Investment, provider: StandIn, mishap: str
) -> None:
    provider.plan("payout", mishap)
    method = make_card(backer)
    first = ask(api, backer, returned, "70", method, idempotency_key="k")
    assert first.json()["status"] == "pending"
    assert refusal(ask(api, backer, returned, "0.01", method)) == (409, "withdrawal_too_large"), "it is on its way"
    assert refusal(api.as_user(backer).delete(f"/api/investments/payment-methods/{method.pk}")) == (
        409,
        "payment_method_in_use",
    )
    again = ask(api, backer, returned, "70", method, idempotency_key="k")
    assert again.json() == {**first.json(), "status": "paid"}
    assert SandboxPayout.objects.count() == 1
    assert is_sound()


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "died", "refused"])
def test_the_finisher_finds_out(api: Api, backer: User, returned: Investment, provider: StandIn, mishap: str) -> None:
    provider.plan("payout", mishap)
    try:
        ask(api, backer, returned, "70", make_card(backer))
    except KeyboardInterrupt:
        pass
    finish_payouts(now=timezone.now() + timedelta(minutes=2))
    assert Payout.objects.get().status == ("failed" if mishap == "refused" else "paid")
    assert is_sound()


def test_it_needs_a_recent_proof_and_no_identity(
    api: Api, backer: User, returned: Investment, time_machine: TimeMachineFixture
) -> None:
    User.objects.filter(pk=backer.pk).update(identity_verified_at=None)
    method = PaymentMethod.objects.of(backer).first()
    assert method
    assert ask(api, backer, returned, "1", method).status_code == 200
    client = api.as_user(backer)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    body = {"amount": "1", "paymentMethodId": str(method.pk)}
    assert refusal(client.post(f"/api/investments/{returned.pk}/withdraw", body)) == (403, "step_up_required")


def test_the_sandbox_keeps_books_of_payouts() -> None:
    """One key is one payout, also a refused one; statement and holdings know those that were paid."""
    now = timezone.now()
    ten = Money.of("10", "USD")

    def pay(key: str, token: str = "tok_visa") -> str:
        return gateway().payout(key=key, token=token, amount=ten, now=now)

    gateway().charge(key="c", payer_id=uuid4(), token="tok_visa", amount=Money.of("25", "USD"), now=now)
    assert pay("a") == pay("a", "tok_declined") != pay("b")
    for _ in range(2):
        with pytest.raises(PayoutRefused, match="destination_declined"):
            pay("c", "tok_declined")
    with pytest.raises(PayoutRefused):
        pay("c")
    lines = [(line.move, line.key, line.amount.minor) for line in gateway().statement(since=now)]
    assert lines == [(Move.CHARGE, "c", 25_00), (Move.PAYOUT, "a", -10_00), (Move.PAYOUT, "b", -10_00)]
    assert gateway().holdings() == {"USD": 5_00}


class TestReconcile:
    """What it calls faults of distributions and payouts."""

    def found(self, minutes: int = 0) -> list[tuple[str, str]]:
        result = reconcile("sandbox", now=timezone.now() + timedelta(minutes=minutes))
        return sorted((one.check.value, one.about) for one in result.findings)

    def test_a_payout_that_the_provider_does_not_have(self, api: Api, backer: User, returned: Investment) -> None:
        assert ask(api, backer, returned, "10", make_card(backer)).status_code == 200
        assert self.found() == []
        SandboxPayout.objects.all().delete()
        assert self.found() == [("missing", "payout"), ("sum", "provider")]

    def test_another_amount(self, api: Api, backer: User, returned: Investment) -> None:
        assert ask(api, backer, returned, "10", make_card(backer)).status_code == 200
        SandboxPayout.objects.update(amount_minor=10_01)
        assert self.found() == [("differing", "payout"), ("sum", "provider")]

    def test_one_that_never_ends(self, api: Api, backer: User, returned: Investment, provider: StandIn) -> None:
        provider.plan("payout", "lost before")
        ask(api, backer, returned, "10", make_card(backer))
        assert self.found(14) == []
        assert self.found(16) == [("late", "payout")]

    def test_a_distribution_that_the_provider_does_not_have(self, returned: Investment) -> None:
        SandboxCharge.objects.filter(key__startswith="distribution-").delete()
        assert self.found() == [("missing", "charge"), ("sum", "provider")]

    def test_a_return_that_was_never_booked(self, returned: Investment) -> None:
        with guards_off("investments_return"):
            Return.objects.filter(investment=returned).update(amount_minor=70_01)
        assert self.found() == [("sum", "distribution"), ("sum", "returns")]


# --- Races ----------------------------------------------------------------------------------------------------------


def asking(investment: Investment, amount: str, method: PaymentMethod) -> partial[Withdrawal]:
    return partial(
        withdraw_from_investment,
        investor=investment.investor,
        investment_id=investment.pk,
        amount=Decimal(amount),
        payment_method_id=method.pk,
        ticket=NoTicket(),
        now=timezone.now(),
    )


@pytest.mark.django_db(transaction=True)
def test_a_hundred_withdrawals_side_by_side_take_what_is_there(backer: User, returned: Investment) -> None:
    """Each asks for 1.00 of 70.00."""
    withdraw = asking(returned, "1.00", make_card(backer))

    def one(_: int) -> Any:
        try:
            return withdraw().status
        except WithdrawalTooLarge:
            return "too large"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(one, range(100)))
    assert (outcomes.count("paid"), outcomes.count("too large")) == (70, 30)
    assert (held(backer), sum(SandboxPayout.objects.values_list("amount_minor", flat=True))) == (10_00, 70_00)
    assert is_sound()


@pytest.mark.django_db(transaction=True)
def test_withdrawals_side_by_side_twin(backer: User, returned: Investment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the investment's lock both see 70.00, and together they take what another investment has returned."""
    barrier = Barrier(2)
    available = payouts.available_returns

    def read_together(investment: Investment) -> int:
        seen = available(investment)
        barrier.wait(timeout=WAIT_LIMIT)
        return seen

    def only_read(payment_id: Any) -> Any:
        payment = Payment.objects.select_related("investment__campaign", "investment__investor").get(pk=payment_id)
        return locks.Locked(payment.investment.campaign, payment.investment, payment)

    monkeypatch.setattr(withdrawals, "lock_payment", only_read)
    monkeypatch.setattr(payouts, "available_returns", read_together)
    together(*[asking(returned, "40", make_card(backer))] * 2)
    taken = Payout.objects.filter(investment=returned).aggregate(sum=models.Sum("amount_minor"))["sum"]
    assert taken == 80_00
