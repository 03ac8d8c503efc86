"""Disputes beside whatever else moves the same money; each twin lacks the lock and shows the bug."""

from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from campaigns.models import Backing, Campaign
from core.api.idempotency import NoTicket
from core.testing import WAIT_LIMIT, Api, together
from investments.models import Dispute, Investment, Payment, SandboxDispute
from investments.providers.sandbox import SandboxGateway
from investments.reconciliation import reconcile
from investments.services import closing, disputes, locks, withdrawals
from investments.services.disputes import record_dispute
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import close_campaigns, finish_refunds, invest
from investments.tests.conftest import books_agree
from ledger.errors import InsufficientFunds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def investment(api: Api, backer: User, campaign: Campaign) -> Investment:
    return invest(api, backer, campaign, "300")


@pytest.fixture
def recording(investment: Investment) -> Any:
    """The provider has opened a dispute of all of it; we are about to write it down."""
    sandbox = SandboxGateway()
    dispute = sandbox.open_dispute(investment.payment.key, now=timezone.now())
    told = sandbox.find_dispute(dispute_id=dispute.provider_id)
    assert told is not None
    return partial(record_dispute, investment.payment, told, now=timezone.now())


def withdrawing(investment: Investment) -> Any:
    return partial(
        withdraw_from_investment,
        investor=investment.investor,
        investment_id=investment.pk,
        amount=Decimal(300),
        payment_method_id=investment.method_id,
        ticket=NoTicket(),
        now=timezone.now(),
    )


def read_together(monkeypatch: pytest.MonkeyPatch, *places: Any) -> None:
    """`lock_payment` only reads, and those that have read go on together."""
    barrier = Barrier(2)

    def read(payment_id: Any) -> locks.Locked:
        one = Payment.objects.select_related("investment__campaign", "investment__investor", "reservation").get(
            pk=payment_id
        )
        one.investment.payment = one
        barrier.wait(timeout=WAIT_LIMIT)
        return locks.Locked(one.investment.campaign, one.investment, one)

    monkeypatch.setattr("core.data.locks.is_guarded", False)
    for place in places:
        monkeypatch.setattr(place, "lock_payment", read)


def everything_agrees() -> bool:
    assert reconcile("sandbox", now=timezone.now()).findings == []
    return books_agree()


def test_a_dispute_written_down_from_two_sides(recording: Any) -> None:
    outcomes = together(recording, recording)
    assert {type(outcome) for outcome in outcomes} == {Dispute}
    assert Dispute.objects.count() == 1
    assert everything_agrees()


def test_a_dispute_written_down_from_two_sides_twin(recording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find nothing written and freeze the same money; the second crashes on the books or the table."""
    barrier, refuse = Barrier(2), disputes._refuse_unexpected

    def both_found_nothing(*told: Any) -> None:
        barrier.wait(timeout=WAIT_LIMIT)
        refuse(*told)

    read_together(monkeypatch, disputes)
    monkeypatch.setattr(disputes, "_refuse_unexpected", both_found_nothing)
    monkeypatch.setattr(disputes, "lock_backing", lambda *key: Backing.objects.get())
    monkeypatch.setattr(disputes, "lock_campaign", lambda key: Campaign.objects.get(pk=key))
    outcomes = together(recording, recording)
    assert [outcome for outcome in outcomes if isinstance(outcome, (IntegrityError, InsufficientFunds))]


def test_a_dispute_against_a_withdrawal(investment: Investment, recording: Any) -> None:
    """Whoever comes first, the money leaves once: the refund waits for the dispute, or is refused."""
    together(recording, withdrawing(investment))
    dispute = SandboxDispute.objects.get()
    SandboxGateway().close_dispute(dispute, won=False, now=timezone.now())
    found = disputes.ask_about_dispute("sandbox", dispute.provider_id, now=timezone.now())
    assert found is not None
    record_dispute(*found, now=timezone.now())
    finish_refunds(now=timezone.now())
    assert Investment.objects.get().status in ("refunded", "cancelled")
    assert Dispute.objects.get().loss_minor == 0
    assert everything_agrees()


def test_a_dispute_against_a_withdrawal_twin(
    investment: Investment, recording: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read that 300.00 are held, and both take them; the second crashes on the books or the table."""
    read_together(monkeypatch, disputes, withdrawals)
    outcomes = together(recording, withdrawing(investment))
    assert [outcome for outcome in outcomes if isinstance(outcome, (IntegrityError, InsufficientFunds))]


@pytest.mark.parametrize("amount", ["300", "1000"])
def test_a_dispute_against_the_close(api: Api, friend: User, campaign: Campaign, recording: Any, amount: str) -> None:
    """Frozen before the escrow is released or refunded, or taken from what that left: never both."""
    if amount != "300":
        campaign.refresh_from_db()
        invest(api, friend, campaign, "900")
    together(recording, partial(closing.close_campaign, campaign.pk, now=campaign.ends_at))
    close_campaigns(now=campaign.ends_at)
    sandbox, dispute = SandboxGateway(), SandboxDispute.objects.get()
    sandbox.close_dispute(dispute, won=True, now=timezone.now())
    told = sandbox.find_dispute(dispute_id=dispute.provider_id)
    assert told is not None
    record_dispute(Payment.objects.get(key=told.charge_key), told, now=timezone.now())
    finish_refunds(now=campaign.ends_at)
    close_campaigns(now=campaign.ends_at)
    campaign.refresh_from_db()
    assert campaign.status == "settled"
    assert Investment.objects.get(payment__key=told.charge_key).status in ("invested", "refunded")
    assert everything_agrees()
