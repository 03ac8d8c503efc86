"""
Distributions and payouts against a model of plain integers that shares no code with them: propose, approve, reject,
lose answers, die, pay out, over and over; after each step the books and the provider agree with the model.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.models import User
from campaigns.testing import make_campaign
from core.api.errors import Refusal
from core.api.idempotency import NoTicket
from core.testing import WAIT_LIMIT, Api, together
from investments.models import Distribution, Investment, Payout, Return, SandboxPayout
from investments.providers import breakers
from investments.reconciliation import reconcile
from investments.services import distributing
from investments.services.distributing import distribute
from investments.services.distribution_review import evidence_of, holders_of, reject_distribution
from investments.services.distributions import propose_distribution
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import (
    StandIn,
    approve,
    finish_distribution_refunds,
    finish_distributions,
    finish_payouts,
    invest,
    make_card,
    propose,
    settle,
)
from investments.tests.conftest import minor
from investments.tests.test_money_model import scratch
from ledger.errors import InsufficientFunds, PostingKeyReused
from ledger.faults import find_faults

HELD = (10, 7, 31)
"""What the three holders have in the campaign (yen)."""
MISHAPS = ("", "", "lost before", "lost after", "died")
step = st.one_of(
    st.tuples(st.just("pay_in"), st.integers(1, 200), st.sampled_from(MISHAPS), st.booleans()),
    st.tuples(st.just("withdraw"), st.integers(0, 2), st.integers(1, 60), st.sampled_from((*MISHAPS, "refused"))),
    st.tuples(st.just("finish")),
)


def parts_of(amount: int) -> list[int]:
    """By largest remainder, ties to the earliest, in exact fractions."""
    exact = [Fraction(amount * held, sum(HELD)) for held in HELD]
    parts = [int(share) for share in exact]
    while sum(parts) < amount:
        best = max(range(len(HELD)), key=lambda n: (exact[n] - parts[n], -n))
        parts[best] += 1
    return parts


class World:
    """Drives the services and the model side by side."""

    def __init__(self, provider: StandIn, founder: User, staff: User, made: list[Investment], now: datetime) -> None:
        self.provider, self.founder, self.staff, self.made, self.now = provider, founder, staff, made, now
        self.campaign = made[0].campaign
        self.card = make_card(founder)
        self.cards = [make_card(one.investor) for one in made]
        self.returned = [0, 0, 0]
        self.gone = [0, 0, 0]
        """Paid out, or on its way."""
        self.provider_had = minor("provider:sandbox:JPY")

    def take(self, name: str, *facts: Any) -> None:
        self.now += timedelta(minutes=2)
        self.provider.plans.clear()
        for breaker in breakers.values():
            breaker.reset()
        getattr(self, name)(*facts)

    def pay_in(self, amount: int, mishap: str, is_approved: bool) -> None:
        if mishap:
            self.provider.plan("charge", mishap)
        try:
            propose_distribution(
                owner=self.founder,
                campaign_id=self.campaign.pk,
                amount=Decimal(amount),
                kind="interest",
                payment_method_id=self.card.pk,
                ticket=NoTicket(),
                now=self.now,
            )
        except KeyboardInterrupt:
            pass
        self.finish()
        made = Distribution.objects.select_related("charge").get(status="proposed")
        assert made.charge.status == "captured"
        if not is_approved:
            seen = evidence_of(made, made.charge, holders_of(made.campaign_id))
            reject_distribution(staff=self.staff, distribution_id=made.pk, seen=seen, reason="No.", now=self.now)
            self.now += timedelta(minutes=6)
            finish_distribution_refunds(now=self.now)
            return
        approve(self.staff, made)
        assert distribute(made.pk, now=self.now)
        assert distribute(made.pk, now=self.now)
        self.returned = [had + part for had, part in zip(self.returned, parts_of(amount), strict=True)]

    def withdraw(self, number: int, amount: int, mishap: str) -> None:
        fits = amount <= self.returned[number] - self.gone[number]
        if mishap:
            self.provider.plan("payout", mishap)
        before = Payout.objects.count()
        try:
            withdraw_from_investment(
                investor=self.made[number].investor,
                investment_id=self.made[number].pk,
                amount=Decimal(amount),
                payment_method_id=self.cards[number].pk,
                ticket=NoTicket(),
                now=self.now,
            )
        except (Refusal, KeyboardInterrupt):
            pass
        assert (Payout.objects.count() > before) is fits
        if fits and mishap != "refused":
            self.gone[number] += amount

    def finish(self) -> None:
        self.provider.plans.clear()
        self.now += timedelta(minutes=5)
        finish_distributions(now=self.now)
        finish_payouts(now=self.now)

    def compare(self) -> None:
        for number, one in enumerate(self.made):
            pending = sum(
                Payout.objects.filter(investment=one, status="pending").values_list("amount_minor", flat=True)
            )
            here = minor(f"returns:user:{one.investor_id}:JPY")
            assert here == self.returned[number] - self.gone[number] + pending
        assert sum(self.returned) == sum(Return.objects.values_list("amount_minor", flat=True))
        assert sum(SandboxPayout.objects.filter(reason="").values_list("amount_minor", flat=True)) <= sum(self.gone)

    def end(self) -> None:
        self.finish()
        self.compare()
        assert minor("provider:sandbox:JPY") == self.provider_had + sum(self.returned) - sum(self.gone)
        assert not Payout.objects.filter(status="pending").exists()
        assert not reconcile("sandbox", now=self.now).findings


@pytest.mark.django_db
def test_returns_follow_the_model(api: Api, person: Callable[..., User], provider: StandIn) -> None:
    founder, staff = person("founder", identity=True), person("ines", role="admin")
    campaign = make_campaign(founder, goal_amount="40", currency="JPY")
    made = [invest(api, person(f"holder{held}", identity=True), campaign, str(held)) for held in HELD]
    settle(campaign)
    for one in made:
        one.refresh_from_db()

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(st.lists(step, min_size=3, max_size=8))
    def play(steps: Any) -> None:
        with scratch():
            world = World(provider, founder, staff, made, timezone.now())
            for one in steps:
                world.take(*one)
                world.compare()
            world.end()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert not list(find_faults())
            transaction.set_rollback(True)

    play()


# --- Races ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def approved(api: Api, person: Callable[..., User]) -> Distribution:
    founder = person("founder", identity=True)
    campaign = make_campaign(founder, goal_amount="40", currency="JPY")
    for held in HELD:
        invest(api, person(f"holder{held}", identity=True), campaign, str(held))
    distribution = propose(api, founder, settle(campaign), "100")
    approve(person("ines", role="admin"), distribution)
    return distribution


@pytest.mark.django_db(transaction=True)
def test_distributing_side_by_side(approved: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributing, "BATCH", 1)
    together(*[partial(distribute, approved.pk, now=timezone.now())] * 4)
    assert distribute(approved.pk, now=timezone.now())
    parts = Return.objects.exclude(credited_at=None).order_by("investment_id").values_list("amount_minor", flat=True)
    assert list(parts) == parts_of(100)
    assert sum(minor(f"returns:user:{one}:JPY") for one in Return.objects.values_list("investor_id", flat=True)) == 100


@pytest.mark.django_db(transaction=True)
def test_distributing_side_by_side_twin(approved: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock both find nobody credited, and only the books refuse to pay the second time."""
    monkeypatch.setattr(distributing, "BATCH", 1)
    distributing._split(approved.pk, timezone.now())
    barrier = Barrier(2)

    class ReadTogether:
        @staticmethod
        def lock(rows: Any) -> Any:
            barrier.wait(timeout=WAIT_LIMIT)
            return rows

    monkeypatch.setattr(distributing, "locks", ReadTogether)
    outcomes = together(*[partial(distributing._credit_some, approved.pk, timezone.now())] * 2)
    failed = [one for one in outcomes if one is not True]
    assert len(failed) == 1 and isinstance(failed[0], InsufficientFunds | PostingKeyReused | IntegrityError), outcomes
