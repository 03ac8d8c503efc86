"""
Rivals on connections of their own. Each race has a twin that takes a lock away and holds everybody at that point until
all have read: it must show the bug that the lock prevents, so we know that the test can see it.
"""

from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.closing import decide_campaign
from campaigns.testing import make_campaign
from core.models import Event
from core.testing import WAIT_LIMIT, Api, together
from investments.models import FeeLine, Investment, Payment, PaymentMethod, Refund, SandboxCharge, SandboxRefund
from investments.services import closing, fees, locks, refunds
from investments.services.charging import charge, read_charge, record_charge
from investments.testing import StandIn, close_campaigns, declare_profile, invest, make_card
from investments.tests.conftest import books_agree, invest_url
from ledger.errors import InsufficientFunds

pytestmark = pytest.mark.django_db(transaction=True)


def asking(api: Api, who: User, campaign: Campaign, amount: Any, card: PaymentMethod, **headers: Any) -> partial[Any]:
    body = {"amount": amount, "paymentMethodId": str(card.pk)}
    return partial(api.as_user(who).post, invest_url(campaign), body, **headers)


def codes(answers: Any) -> list[Any]:
    return sorted(answer.status_code for answer in answers)


def read_together(monkeypatch: pytest.MonkeyPatch, *places: Any, rivals: int = 2) -> None:
    """`lock_payment` only reads, and those that have read go on together."""
    barrier = Barrier(rivals)

    def read_payments(payment_ids: Any) -> Any:
        payments = Payment.objects.select_related("investment__campaign", "reservation").filter(
            pk__in=list(payment_ids)
        )
        locked = [locks.Locked(one.investment.campaign, one.investment, one) for one in payments]
        barrier.wait(timeout=WAIT_LIMIT)
        return locked

    monkeypatch.setattr("core.data.locks.is_guarded", False)
    monkeypatch.setattr(locks, "lock_payments", read_payments)
    for place in places:
        monkeypatch.setattr(place, "lock_payments", read_payments)


# --- The cap --------------------------------------------------------------------------------------------------------


def test_two_cannot_invest_what_only_one_may(api: Api, backer: User, friend: User, campaign: Campaign) -> None:
    """The twin without the campaign's lock is in `campaigns/tests/test_funding.py`."""
    rivals = [asking(api, who, campaign, "700", make_card(who)) for who in (backer, friend)]
    answers = together(*rivals)
    assert codes(answers) == [200, 409]
    campaign.refresh_from_db()
    assert campaign.raised_minor == 700_00
    assert books_agree()


# --- One key --------------------------------------------------------------------------------------------------------


def test_one_key_sent_twice_at_once(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = together(*[asking(api, backer, campaign, "100", card, idempotency_key="k1")] * 2)
    assert 200 in codes(answers)
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert "Retry-After" in answer.headers
    assert Investment.objects.count() == SandboxCharge.objects.count() == 1
    assert books_agree()


def test_one_key_sent_twice_at_once_twin(api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> None:
    """Without the key the same two requests are two investments."""
    assert codes(together(*[asking(api, backer, campaign, "100", card)] * 2)) == [200, 200]
    assert Investment.objects.count() == 2
    assert books_agree()


# --- The same answer from two sides ---------------------------------------------------------------------------------


@pytest.fixture
def answered(api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn) -> list[Any]:
    """A payment that the provider has taken and we have not written down; two are about to."""
    provider.plan("charge", "lost after")
    assert asking(api, backer, campaign, "100", card)().json()["status"] == "pending"
    payment = Payment.objects.get()
    now = timezone.now()
    return [partial(record_charge, payment, provider.find(key=payment.key), now=now)] * 2


def test_an_answer_written_down_twice_at_once(campaign: Campaign, answered: list[Any]) -> None:
    outcomes = together(*answered)
    assert {type(outcome) for outcome in outcomes} == {Payment}
    assert Event.objects.filter(kind="investment.committed").count() == 1
    assert books_agree()


def test_an_answer_written_down_twice_at_once_twin(
    campaign: Campaign, answered: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without the lock both find it unwritten and count the money twice. The second does not return quietly but crashes
    on the campaign's check: more would be taken from what is reserved than is there.
    """
    read_together(monkeypatch)
    outcomes = together(*answered)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IntegrityError", "Payment"]
    assert "campaign_money_is_not_negative" in str([o for o in outcomes if isinstance(o, IntegrityError)])


# --- Fees -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def withdrawals(api: Api, founder: User, backer: User, settings: Settings) -> list[Any]:
    """Two at once, of parts of an investment whose fee goes back with them."""
    settings.FEE_SCHEDULE = "standard"
    campaign = make_campaign(founder, rules="us_reg_cf")
    declare_profile(backer)
    investment = invest(api, backer, campaign, "100")
    url = f"/api/investments/{investment.pk}/withdraw"
    bodies = [{"amount": part, "paymentMethodId": str(investment.method_id)} for part in ("33.33", "66.67")]
    return [partial(api.as_user(backer).post, url, body) for body in bodies]


def fees_given_back() -> tuple[int, int]:
    """As the lines say, and as the refunds do."""
    return FeeLine.objects.get().refunded_minor, sum(Refund.objects.values_list("fee_minor", flat=True))


def test_a_fee_goes_back_once_in_two_parts_at_once(withdrawals: list[Any]) -> None:
    assert codes(together(*withdrawals)) == [200, 200]
    assert fees_given_back() == (180, 180)
    assert SandboxCharge.objects.get().refunded_minor == 101_80
    assert books_agree()


def test_a_fee_goes_back_once_in_two_parts_at_once_twin(
    withdrawals: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has read the lines before the locks begins from nothing, and the line forgets one of the parts."""

    def read_before() -> dict[Any, list[FeeLine]]:
        return {line.payment_id: [line] for line in FeeLine.objects.all()}

    lines = [read_before(), read_before()]
    monkeypatch.setattr(fees, "paid_with", lambda payments: lines.pop())
    assert codes(together(*withdrawals)) == [200, 200]
    in_lines, in_refunds = fees_given_back()
    assert in_lines < in_refunds


# --- Closing --------------------------------------------------------------------------------------------------------


def test_closing_side_by_side(api: Api, backer: User, friend: User, campaign: Campaign) -> None:
    invest(api, backer, campaign, "500")
    invest(api, friend, campaign, "400")
    together(*[partial(closing.close_campaign, campaign.pk, now=campaign.ends_at)] * 3)
    close_campaigns(now=campaign.ends_at)
    assert set(Investment.objects.values_list("status", flat=True)) == {"refunded"}
    assert Refund.objects.count() == SandboxRefund.objects.count() == 2
    campaign.refresh_from_db()
    assert campaign.status == "settled"
    assert books_agree()


def test_closing_side_by_side_twin(api: Api, backer: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the locks both jobs reserve a refund of the same money; the second fails since escrow has no more."""
    invest(api, backer, campaign, "500")
    decide_campaign(campaign.pk, now=campaign.ends_at)
    monkeypatch.setattr(closing, "lock_campaign", lambda campaign_id: Campaign.objects.get(pk=campaign_id))
    read_together(monkeypatch, closing)
    ask = partial(closing._request_some_refunds, campaign.pk, campaign.ends_at)
    outcomes = together(ask, ask)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [InsufficientFunds]


def test_a_commitment_and_the_deadline_meet(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    """Whoever comes first, the money counts once: it is in the campaign, or given up and not taken."""
    provider.plan("charge", "lost before")
    asking(api, backer, campaign, "1000", card)()
    payment_id = Payment.objects.get().pk
    together(
        partial(charge, read_charge(Payment, payment_id), now=campaign.ends_at),
        partial(closing.close_campaign, campaign.pk, now=campaign.ends_at),
    )
    close_campaigns(now=campaign.ends_at)
    captured = SandboxCharge.objects.get().state == "captured"
    assert Investment.objects.get().status == ("invested" if captured else "failed")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.raised_minor) == ("settled", 1000_00 if captured else 0)
    assert books_agree()


def test_a_refund_sent_from_two_sides(api: Api, backer: User, campaign: Campaign, provider: StandIn) -> None:
    invest(api, backer, campaign, "100")
    provider.plan("refund", "lost before")
    close_campaigns(now=campaign.ends_at)
    send = partial(refunds.send_refund, Refund.objects.get().pk, now=campaign.ends_at)
    assert together(send, send) == [None, None]
    assert SandboxCharge.objects.get().refunded_minor == 100_00
    assert Event.objects.filter(kind="investment.refunded").count() == 1
    assert books_agree()
