"""
Everybody's money against a model of plain integers that shares no code with it: invest, repeat, lose answers, confirm,
withdraw, amend the terms, dispute, hear from the provider in any order, crash, close, distribute, pay out, over and
over; after each step the books, the columns and the provider agree with the model.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
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
from investments.errors import InvalidSignature
from investments.jobs import REFUND_UNCONFIRMED
from investments.models import (
    Distribution,
    Investment,
    Payment,
    Payout,
    Refund,
    SandboxCharge,
    SandboxDispute,
    Status,
)
from investments.providers import breakers
from investments.providers.sandbox import SIGNATURE_HEADER, event_about, event_about_dispute, sign
from investments.services import charging
from investments.services.distributing import distribute
from investments.services.distributions import propose_distribution
from investments.services.investing import place_investment
from investments.services.provider_events import apply_event, receive_event
from investments.services.reconfirming import reconfirm
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import (
    StandIn,
    approve,
    close_campaigns,
    finish_distributions,
    finish_payments,
    finish_payouts,
    finish_refunds,
    make_card,
)
from investments.tests.conftest import books_agree, minor
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
    disputed: int = 0
    """Frozen of what it held, by an open dispute."""
    covered: int = 0
    """What that dispute has taken beyond this, of the platform's money."""
    gone: int = 0
    """Of what it held, by disputes that were lost."""
    lost: int = 0
    """What those have taken altogether."""
    from_owner: int = 0
    """Frozen of what the owner is owed, by the open dispute."""
    released: bool = False
    """Whether the campaign's money had been released when the dispute was opened."""
    returned: int = 0
    paid_out: int = 0


@dataclass
class Model:
    tries: list[Try] = field(default_factory=list)
    closed: bool = False
    version: int = 1
    """Of the campaign's terms."""
    owed: int = 0
    """To the owner, without what is frozen."""
    platform: int = 0
    """What the platform has lost by disputes."""
    is_funded: bool = False

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
    st.tuples(st.just("repeat"), st.integers(0, 9)),
    st.tuples(st.just("hear"), st.integers(0, 9), st.sampled_from(("true", "twice", "a lie", "forged"))),
    st.tuples(st.just("dispute"), st.integers(0, 9), amounts),
    st.tuples(st.just("judge"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("distribute"), st.integers(1, 200), st.sampled_from(MISHAPS)),
    st.tuples(st.just("pay_out"), st.integers(0, 9), amounts, st.sampled_from(MISHAPS)),
)


class World:
    """Drives the services and the model side by side."""

    def __init__(self, provider: StandIn, people: list[Any]) -> None:
        self.provider = provider
        self.model = Model()
        founder, self.staff, *self.backers = people
        self.founder = founder
        self.campaign = make_campaign(founder, goal_amount=str(GOAL), max_amount=str(CAP), currency="JPY")
        self.cards = {(n, token): make_card(p, token) for n, p in enumerate(self.backers) for token in set(CARDS)}
        assert self.campaign.starts_at
        self.now: datetime = self.campaign.starts_at + timedelta(minutes=1)
        self.reconfirm_until = self.now
        self.founders_card = make_card(founder)
        self.open: dict[int, SandboxDispute] = {}
        """By the number of the try."""
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
        fits = not self.model.closed and amount <= one.held and self.model.tries.index(one) not in self.open
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
            one.held, one.reserved = (one.asked if one.taken and one.reserved else one.held), 0
            if one.held and one.version < self.model.version:
                one.back, one.held = one.back + one.held, 0
        self.model.closed = True
        if self.model.raised < GOAL:
            for one, _ in self.made:
                one.back, one.held = one.back + one.held, 0
        else:
            self.model.owed, self.model.is_funded = self.model.raised, True

    def repeat(self, number: int) -> None:
        """The investor's request arrives once more under its key: nothing new is begun."""
        if not self.made:
            return
        one, investment = self.made[number % len(self.made)]
        before = Investment.objects.count()
        again = NoTicket()
        again.result_id = investment.pk
        with suppress(Refusal):
            place_investment(
                investor=self.backers[one.who],
                campaign_id=self.campaign.pk,
                amount=Decimal(one.asked),
                payment_method_id=investment.method_id,
                ticket=again,
                now=self.now,
            )
        assert Investment.objects.count() == before
        if not self.model.closed:
            self.settle(one)

    def hear(self, number: int, what: str) -> None:
        """An event of the provider about a charge: true, twice, a lie, or signed by somebody else."""
        charged = {charge.key: charge for charge in SandboxCharge.objects.all()}
        known = [(t, i) for t, i in self.made if i.payment.key in charged and t.card != "tok_3ds"]
        if not known:
            return
        one, investment = known[number % len(known)]
        body, headers = event_about(charged[investment.payment.key], now=self.now)
        if what == "forged":
            with pytest.raises(InvalidSignature):
                receive_event(provider="sandbox", body=body + b" ", headers=headers, now=self.now)
            return
        if what == "a lie":
            body = body.replace(b'"captured"', b'"declined"')
            headers = {SIGNATURE_HEADER: sign(body, self.now)}
        for _ in range(2 if what == "twice" else 1):
            received_id = receive_event(provider="sandbox", body=body, headers=headers, now=self.now)
            if received_id is not None:
                apply_event(received_id, now=self.now)
        self.settle(one)

    def dispute(self, number: int, amount: int) -> None:
        """An investor takes money back through the bank, perhaps more than is still held for them."""
        self.finish()
        paid = [n for n, one in enumerate(self.model.tries) if one.held or one.back or one.gone]
        free = [n for n in paid if n not in self.open and self.model.tries[n].lost < self.model.tries[n].asked]
        if not free:
            return
        n = free[number % len(free)]
        one, investment = self.model.tries[n], self.made[n][1]
        amount = min(amount, one.asked - one.lost)
        self.open[n] = self.provider.open_dispute(investment.payment.key, now=self.now, amount_minor=amount)
        self.tell(self.open[n])
        one.disputed = min(amount, one.held)
        one.held -= one.disputed
        one.released = self.model.is_funded
        if one.released:
            one.from_owner = min(one.disputed, self.model.owed)
            self.model.owed -= one.from_owner
            one.covered = amount - one.from_owner
        else:
            one.covered = amount - one.disputed

    def judge(self, number: int, won: bool) -> None:
        """The bank has decided. What was won counts again where there is room for it, or goes back."""
        if not self.open:
            return
        n = sorted(self.open)[number % len(self.open)]
        one, dispute = self.model.tries[n], self.open.pop(n)
        kept = sum(other.disputed for other in self.model.tries if other.released and other is not one)
        room = CAP - self.model.raised - self.model.reserved - kept
        self.provider.close_dispute(dispute, won=won, now=self.now)
        self.tell(dispute)
        if not won:
            one.gone += one.disputed
            one.lost += dispute.amount_minor
            self.model.platform += one.covered
        else:
            if self.model.closed and not self.model.is_funded:
                back = one.disputed
            elif self.model.is_funded and one.released:
                back = 0
            else:
                back = one.disputed - min(one.disputed, max(0, room))
            one.held += one.disputed - back
            one.back += back
            if self.model.is_funded:
                self.model.owed += one.from_owner if one.released else one.disputed - back
        one.disputed = one.covered = one.from_owner = 0
        one.released = False
        self.finish()

    def tell(self, dispute: SandboxDispute) -> None:
        body, headers = event_about_dispute(SandboxDispute.objects.get(pk=dispute.pk), now=self.now)
        received_id = receive_event(provider="sandbox", body=body, headers=headers, now=self.now)
        assert received_id is not None
        apply_event(received_id, now=self.now)

    def distribute(self, amount: int, mishap: str) -> None:
        """The owner of a funded campaign pays an amount to those who hold it then."""
        holders = [one for one in self.model.tries if one.held]
        if mishap:
            self.provider.plan("charge", mishap)
        try:
            propose_distribution(
                owner=self.founder,
                campaign_id=self.campaign.pk,
                amount=Decimal(amount),
                kind="dividend",
                payment_method_id=self.founders_card.pk,
                ticket=NoTicket(),
                now=self.now,
            )
        except Refusal:
            assert not (self.model.is_funded and holders)
            return
        except KeyboardInterrupt:
            pass
        assert self.model.is_funded
        self.now += timedelta(minutes=5)
        finish_distributions(now=self.now)
        made = Distribution.objects.select_related("charge").get(status="proposed")
        approve(self.staff, made)
        for _ in range(2):
            assert distribute(made.pk, now=self.now)
        exact = [Fraction(amount * one.held, self.model.raised) for one in holders]
        parts = [int(share) for share in exact]
        while sum(parts) < amount:
            parts[max(range(len(parts)), key=lambda n: (exact[n] - parts[n], -n))] += 1
        for one, part in zip(holders, parts, strict=True):
            one.returned += part

    def pay_out(self, number: int, amount: int, mishap: str) -> None:
        """A holder withdraws what came back."""
        if not self.model.is_funded or not self.made:
            return
        n = number % len(self.made)
        one, investment = self.made[n]
        invested = Investment.objects.get(pk=investment.pk).status == Status.INVESTED
        fits = invested and n not in self.open and amount <= one.returned - one.paid_out
        if mishap:
            self.provider.plan("payout", mishap)
        before = Payout.objects.count()
        with suppress(Refusal, KeyboardInterrupt):
            withdraw_from_investment(
                investor=self.backers[one.who],
                investment_id=investment.pk,
                amount=Decimal(amount),
                payment_method_id=investment.method_id,
                ticket=NoTicket(),
                now=self.now,
            )
        assert (Payout.objects.count() > before) is fits
        if fits:
            one.paid_out += amount
            self.now += timedelta(minutes=5)
            finish_payouts(now=self.now)

    def compare(self) -> None:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        model = self.model
        assert (campaign.raised_minor, campaign.reserved_minor) == (model.raised, model.reserved)
        assert campaign.investor_count == len({one.who for one in model.tries if one.held})
        for one, investment in self.made:
            payment = Payment.objects.get(investment=investment)
            assert (payment.held_minor, payment.refunded_minor) == (one.held, one.back)
            assert payment.disputed_minor == one.disputed + one.gone
        sent = sum(SandboxCharge.objects.values_list("refunded_minor", flat=True))
        assert sent <= sum(one.back for one in model.tries)
        escrow = balances([f"escrow:campaign:{campaign.pk}"]).get(f"escrow:campaign:{campaign.pk}")
        code = f"payable:user:{self.founder.pk}:JPY"
        payable = balances([code]).get(code)
        assert (escrow.available.minor if escrow else 0) == (0 if model.is_funded else model.raised)
        assert (payable.available.minor if payable else 0) == model.owed
        assert (escrow.pending_in.minor if escrow else 0) == model.reserved
        assert minor("losses:disputes:JPY") == model.platform
        for n, backer in enumerate(self.backers):
            mine = [one for one in model.tries if one.who == n]
            assert minor(f"returns:user:{backer.pk}:JPY") == sum(one.returned - one.paid_out for one in mine)
        if model.closed:
            assert campaign.status == "settled"
        if model.closed and not self.open:
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
    founder, staff = person("founder", identity=True), person("ines", role="admin")
    return [founder, staff, *(person(name, identity=True) for name in ("ada", "ben", "cleo"))]


def test_money_follows_the_model(people: list[Any], provider: StandIn) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(st.lists(step, min_size=4, max_size=14))
    def play(steps: Any) -> None:
        with scratch():
            world = World(provider, people)
            for one in steps:
                world.take(*one)
                world.compare()
            for _ in range(2):
                world.take("close", "")
                world.compare()
                while world.open:
                    world.take("judge", 0, len(steps) % 2 == 0)
                    world.compare()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert books_agree()
            transaction.set_rollback(True)

    play()
