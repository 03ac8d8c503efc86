"""
Everybody's money against a model of plain integers that shares no code with it: invest, repeat, lose answers, confirm,
withdraw, amend the terms, crash, close, over and over; after each step the books, the columns and the provider agree
with the model.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import Atomic
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.amendments import approve_amendment, propose_amendment
from campaigns.testing import make_campaign
from core.api.errors import Refusal
from core.api.idempotency import NoTicket
from core.jobs import outbox
from core.testing import run_until_quiet
from investments.jobs import REFUND_UNCONFIRMED
from investments.models import Investment, Payment, Refund, SandboxCharge, Status
from investments.providers import breakers
from investments.services import charging
from investments.services.investing import place_investment
from investments.services.reconfirming import reconfirm
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import StandIn, close_campaigns, finish_payments, finish_refunds, make_card
from investments.tests.conftest import minor
from ledger.faults import find_faults
from ledger.selectors import balances

GOAL, CAP = 60, 100
MISHAPS = ("", "", "", "lost before", "lost after", "died")
CARDS = ("tok_visa", "tok_visa", "tok_declined", "tok_3ds")


@dataclass
class Try:
    """One attempt to invest, as the model sees it: `held` is in the campaign, `reserved` may still come."""

    who: int
    asked: int
    card: str
    taken: bool = False
    held: int = 0
    reserved: int = 0
    back: int = 0
    version: int = 1
    """The terms that its investor has agreed to."""


@dataclass
class Model:
    tries: list[Try] = field(default_factory=list)
    closed: bool = False
    version: int = 1
    """Of the campaign's terms."""

    @property
    def raised(self) -> int:
        return sum(one.held for one in self.tries)

    @property
    def reserved(self) -> int:
        return sum(one.reserved for one in self.tries)


who = st.integers(0, 2)
amounts = st.integers(1, 70)
step = st.one_of(
    st.tuples(st.just("invest"), who, amounts, st.sampled_from(CARDS), st.sampled_from(MISHAPS)),
    st.tuples(st.just("withdraw"), st.integers(0, 9), amounts, st.sampled_from(MISHAPS)),
    st.tuples(st.just("answer"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("finish")),
    st.tuples(st.just("amend")),
    st.tuples(st.just("reconfirm"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("close"), st.sampled_from(MISHAPS)),
)


class World:
    """Drives the services and the model side by side."""

    def __init__(self, provider: StandIn, people: list[Any]) -> None:
        self.provider = provider
        self.model = Model()
        founder, *self.backers = people
        self.founder = founder
        self.campaign = make_campaign(founder, goal_amount=str(GOAL), max_amount=str(CAP), currency="JPY")
        self.cards = {(n, token): make_card(p, token) for n, p in enumerate(self.backers) for token in set(CARDS)}
        assert self.campaign.starts_at
        self.now: datetime = self.campaign.starts_at + timedelta(minutes=1)
        self.reconfirm_until = self.now
        self.made: list[tuple[Try, Investment]] = []

    def take(self, name: str, *facts: Any) -> None:
        self.now += timedelta(minutes=2)
        self.provider.plans.clear()
        for breaker in breakers.values():
            breaker.reset()
        getattr(self, name)(*facts)

    def invest(self, who: int, amount: int, card: str, mishap: str) -> None:
        fits = not self.model.closed and self.model.raised + self.model.reserved + amount <= CAP
        if mishap:
            self.provider.plan("charge", mishap)
        before = set(Investment.objects.values_list("pk", flat=True))
        try:
            place_investment(
                investor=self.backers[who],
                campaign_id=self.campaign.pk,
                amount=Decimal(amount),
                payment_method_id=self.cards[who, card].pk,
                ticket=NoTicket(),
                now=self.now,
            )
        except (Refusal, KeyboardInterrupt):
            pass
        new = Investment.objects.exclude(pk__in=before).first()
        assert (new is not None) is fits
        if new is None:
            return
        one = Try(who, amount, card, reserved=amount, version=self.model.version)
        self.model.tries.append(one)
        self.made.append((one, new))
        reached = mishap not in ("lost before", "died")
        if reached and mishap != "lost after":
            self.settle(one)
        one.taken = reached and card == "tok_visa"

    def settle(self, one: Try) -> None:
        """Our books learn what the provider has decided about a card without 3-D Secure."""
        if one.card == "tok_visa" and one.reserved:
            one.held, one.reserved, one.taken = one.asked, 0, True
        elif one.card == "tok_declined":
            one.reserved = 0

    def answer(self, number: int, approve: bool) -> None:
        """The investor answers 3-D Secure, and the event about it is lost; the finisher asks."""
        waiting = [(t, i) for t, i in self.made if t.card == "tok_3ds" and t.reserved]
        if not waiting:
            return
        one, investment = waiting[number % len(waiting)]
        charge = SandboxCharge.objects.filter(key=investment.payment.key, state="requires_action").first()
        if charge is None:
            return
        self.provider.finish_action(charge.action_token, approved=approve, now=self.now)
        charging.finish(Payment, investment.payment.pk, now=self.now)
        one.reserved = 0
        one.held = one.asked if approve and not self.model.closed else 0

    def finish(self) -> None:
        self.now += timedelta(minutes=5)
        finish_payments(now=self.now)
        finish_refunds(now=self.now)
        for one, _ in self.made:
            self.settle(one)

    def withdraw(self, number: int, amount: int, mishap: str) -> None:
        if not self.made:
            return
        one, investment = self.made[number % len(self.made)]
        fits = not self.model.closed and amount <= one.held
        if mishap:
            self.provider.plan("refund", mishap)
        before = Refund.objects.count()
        try:
            withdraw_from_investment(
                investor=self.backers[one.who],
                investment_id=investment.pk,
                amount=Decimal(amount),
                payment_method_id=investment.method_id,
                ticket=NoTicket(),
                now=self.now,
            )
        except (Refusal, KeyboardInterrupt):
            pass
        assert (Refund.objects.count() > before) is fits
        if fits:
            one.held -= amount
            one.back += amount

    def amend(self) -> None:
        """The terms change; whoever is in, or on the way in, is asked to confirm."""
        if self.model.closed:
            return
        changes = {"expected_return_percent": Decimal(self.model.version)}
        amendment = propose_amendment(
            owner=self.founder, campaign_id=self.campaign.pk, changes=changes, reason="New panels", now=self.now
        )
        amendment = approve_amendment(moderator=self.backers[0], amendment_id=amendment.pk, now=self.now)
        assert amendment.reconfirm_until
        self.reconfirm_until = amendment.reconfirm_until
        self.model.version += 1

    def reconfirm(self, number: int, decline: bool) -> None:
        if not self.made:
            return
        one, investment = self.made[number % len(self.made)]
        is_asked = not self.model.closed and one.held > 0 and one.version < self.model.version
        before = Refund.objects.count()
        try:
            reconfirm(investor=self.backers[one.who], investment_id=investment.pk, decline=decline, now=self.now)
        except Refusal:
            assert not is_asked
        assert (Refund.objects.count() > before) is (is_asked and decline)
        if is_asked and decline:
            one.held, one.back = 0, one.back + one.held
        elif is_asked:
            one.version = self.model.version

    def close(self, mishap: str) -> None:
        """The deadline passes. A mishap or a death in the middle is made good by the next run."""
        self.now = max(self.now, self.campaign.ends_at, self.reconfirm_until)
        if mishap:
            self.provider.plan("refund", mishap)
        rounds = 3 if self.model.version > 1 else 1
        for _ in range(rounds):  # what is committed by the deadline and not confirmed goes back before the decision
            try:
                run_until_quiet(REFUND_UNCONFIRMED, now=self.now)
                close_campaigns(now=self.now)
            except KeyboardInterrupt:
                pass
            self.now += outbox.LEASE
        close_campaigns(now=self.now)
        if self.model.closed:
            return
        for one, _ in self.made:  # what was taken counts, whatever we had heard of it
            one.held, one.reserved = (one.held or one.asked if one.taken and not one.back else one.held), 0
            if one.held and one.version < self.model.version:
                one.back, one.held = one.back + one.held, 0
        self.model.closed = True
        if self.model.raised < GOAL:
            for one, _ in self.made:
                one.back, one.held = one.back + one.held, 0

    def compare(self) -> None:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        model = self.model
        assert (campaign.raised_minor, campaign.reserved_minor) == (model.raised, model.reserved)
        assert campaign.investor_count == len({one.who for one in model.tries if one.held})
        for one, investment in self.made:
            payment = Payment.objects.get(investment=investment)
            assert (payment.held_minor, payment.refunded_minor) == (one.held, one.back)
        sent = sum(SandboxCharge.objects.values_list("refunded_minor", flat=True))
        assert sent <= sum(one.back for one in model.tries)
        escrow = balances([f"escrow:campaign:{campaign.pk}"]).get(f"escrow:campaign:{campaign.pk}")
        paid_out = minor(f"payable:user:{self.founder.pk}:JPY")
        assert (escrow.available.minor if escrow else 0) + paid_out == model.raised
        assert (escrow.pending_in.minor if escrow else 0) == model.reserved
        if model.closed:
            assert campaign.status == "settled"
            assert paid_out == (model.raised if model.raised >= GOAL else 0)
            assert sent == sum(one.back for one in model.tries)
            over = {Status.INVESTED, Status.REFUNDED, Status.CANCELLED, Status.FAILED}
            assert set(Investment.objects.values_list("status", flat=True)) <= over


def scratch() -> Atomic:
    """A transaction of the test's, which the sandbox may nest its own commits in, as in any test with `db`."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    return block


@pytest.fixture
def people(person: Callable[..., User]) -> list[Any]:
    return [person(name, identity=True) for name in ("founder", "ada", "ben", "cleo")]


def test_money_follows_the_model(people: list[Any], provider: StandIn) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(st.lists(step, min_size=4, max_size=14))
    def play(steps: Any) -> None:
        with scratch():
            world = World(provider, people)
            for one in steps:
                world.take(*one)
                world.compare()
            world.take("close", "")
            world.compare()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert not list(find_faults())
            transaction.set_rollback(True)

    play()
