"""
A full campaign and 500 people against a model of plain integers that shares no code with it: they invest, wait, accept,
leave, take back, are declined, and let offers run out. After each act the campaign's sums agree with the model, the cap
holds, and no place is free without an offer while somebody waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core import clock
from core.api.errors import Refusal
from core.api.idempotency import NoTicket
from core.jobs.runner import run
from investments.errors import PaymentDeclined
from investments.jobs import MOVE_WAITING_LISTS
from investments.models import Investment, PaymentMethod, WaitingEntry
from investments.services.investing import accept_offer, join_waiting_list, place_investment
from investments.services.waiting import leave_waiting_list
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import make_card
from investments.tests.conftest import books_agree

CAP, SMALLEST, OFFER = 1000, 7, timedelta(hours=72)
ACTORS, ACTS = 500, 600


@dataclass
class Waiting:
    who: int
    wanted: int
    offered: int = 0
    until: datetime | None = None


@dataclass
class Model:
    """Who has put in what, and who waits, in order. Amounts are whole yen."""

    held: dict[int, list[int]] = field(default_factory=dict)
    line: list[Waiting] = field(default_factory=list)

    @property
    def raised(self) -> int:
        return sum(sum(amounts) for amounts in self.held.values())

    @property
    def offered(self) -> int:
        return sum(one.offered for one in self.line)

    @property
    def free(self) -> int:
        return CAP - self.raised - self.offered

    def entry(self, who: int) -> Waiting | None:
        return next((one for one in self.line if one.who == who), None)

    def move(self, now: datetime) -> None:
        self.line = [one for one in self.line if one.until is None or one.until > now]
        for one in self.line:
            if one.offered == one.wanted:
                continue
            part = min(self.free, one.wanted - one.offered)
            if part == 0 or (not one.offered and part < SMALLEST):
                break
            one.offered += part
            one.until = now + OFFER


@pytest.fixture
def actors(backer: User) -> list[tuple[User, PaymentMethod, PaymentMethod]]:
    """Each with a card that works and one that is declined."""
    now = clock.now()
    people = User.objects.bulk_create(
        User(
            email=f"actor{number}@example.com",
            first_name="Actor",
            last_name=str(number),
            email_verified_at=now,
            identity_verified_at=now,
            badges=["identity"],
        )
        for number in range(ACTORS)
    )
    works, declined = make_card(backer), make_card(backer, "tok_declined")

    def cards_like(card: PaymentMethod) -> list[PaymentMethod]:
        return PaymentMethod.objects.bulk_create(
            PaymentMethod(
                owner=who,
                type=card.type,
                provider=card.provider,
                token=card.token,
                brand=card.brand,
                last4=card.last4,
                expiry_month=card.expiry_month,
                expiry_year=card.expiry_year,
            )
            for who in people
        )

    return list(zip(people, cards_like(works), cards_like(declined), strict=True))


class World:
    """Does each act with the services and in the model, and compares what came out."""

    def __init__(self, founder: User, actors: list[Any], chance: Random) -> None:
        self.campaign = make_campaign(
            founder,
            currency="JPY",
            goal_amount="100",
            max_amount=str(CAP),
            min_investment=str(SMALLEST),
            ends_at=clock.now() + timedelta(days=365),
        )
        self.model, self.actors, self.chance = Model(), actors, chance
        assert self.campaign.starts_at
        self.now = self.campaign.starts_at + timedelta(minutes=1)

    def act(self) -> None:
        self.now += timedelta(minutes=self.chance.choice([1, 1, 5, 30]))
        who = self.chance.randrange(len(self.actors))
        acts = [self.wait] * 4 + [self.accept] * 2 + [self.take_back, self.invest, self.leave]
        is_empty = self.model.free > SMALLEST and not self.model.line
        name = self.invest if is_empty else self.chance.choice(acts)
        if name in (self.accept, self.leave) and self.model.line:
            who = self.chance.choice(self.model.line[:40]).who
        if name == self.take_back and self.model.held:
            who = self.chance.choice(list(self.model.held))
        name(who)
        self.compare()

    def does(self, call: Callable[..., Any], **facts: Any) -> bool:
        """Whether it was done; a decline was done, and undone."""
        try:
            call(now=self.now, **facts)
        except PaymentDeclined:
            return True
        except Refusal:
            return False
        return True

    def amount(self) -> int:
        return self.chance.choice([1, 3, 7, 10, 20, 33, 50, 80])

    def pay(self, who: int, amount: int, is_declined: bool) -> None:
        if not is_declined:
            self.model.held.setdefault(who, []).append(amount)
        self.model.move(self.now)

    def invest(self, who: int) -> None:
        amount, is_declined = self.amount(), self.chance.random() < 0.2
        after = Model(self.model.held, [Waiting(**vars(one)) for one in self.model.line])
        after.move(self.now)
        fits = amount <= after.free and (amount >= SMALLEST or amount == after.free)
        investor, works, declined = self.actors[who]
        done = self.does(
            place_investment,
            investor=investor,
            campaign_id=self.campaign.pk,
            amount=Decimal(amount),
            payment_method_id=(declined if is_declined else works).pk,
            ticket=NoTicket(),
        )
        assert done is fits
        if done:
            self.model = after
            self.pay(who, amount, is_declined)

    def wait(self, who: int) -> None:
        amount = self.amount()
        after = Model(self.model.held, [Waiting(**vars(one)) for one in self.model.line])
        after.move(self.now)
        may = after.entry(who) is None and amount >= SMALLEST and after.free < SMALLEST
        investor, works, _ = self.actors[who]
        done = self.does(
            join_waiting_list,
            investor=investor,
            campaign_id=self.campaign.pk,
            amount=Decimal(amount),
            payment_method_id=works.pk,
        )
        assert done is may
        if done:
            after.line.append(Waiting(who, amount))
            self.model = after

    def accept(self, who: int) -> None:
        is_declined = self.chance.random() < 0.2
        after = Model(self.model.held, [Waiting(**vars(one)) for one in self.model.line])
        after.move(self.now)
        entry = after.entry(who)
        may = entry is not None and entry.offered > 0
        investor, works, declined = self.actors[who]
        done = self.does(
            accept_offer,
            investor=investor,
            campaign_id=self.campaign.pk,
            payment_method_id=(declined if is_declined else works).pk,
            ticket=NoTicket(),
        )
        assert done is may
        if entry is not None and done:
            after.line.remove(entry)
            self.model = after
            self.pay(who, entry.offered, is_declined)

    def leave(self, who: int) -> None:
        entry = self.model.entry(who)
        may = entry is not None and (entry.until is None or entry.until > self.now)
        assert self.does(leave_waiting_list, investor=self.actors[who][0], campaign_id=self.campaign.pk) is may
        if entry is not None and may:
            self.model.line.remove(entry)
            self.model.move(self.now)

    def take_back(self, who: int) -> None:
        if who not in self.model.held:
            return
        investment = Investment.objects.filter(investor=self.actors[who][0], status="committed").order_by("id")[0]
        done = self.does(
            withdraw_from_investment,
            investor=self.actors[who][0],
            investment_id=investment.pk,
            amount=Decimal(investment.amount_minor),
            payment_method_id=investment.method_id,
            ticket=NoTicket(),
        )
        assert done
        first, *others = self.model.held.pop(who)
        assert first == investment.amount_minor
        if others:
            self.model.held[who] = others
        self.model.move(self.now)

    def sleep(self) -> None:
        """Offers run out; now and then the job comes by before anybody else."""
        self.now += timedelta(hours=self.chance.choice([20, 73]))
        if self.chance.random() < 0.5:
            run(MOVE_WAITING_LISTS, now=self.now)
            self.model.move(self.now)
            self.compare()

    def compare(self) -> None:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        model = self.model
        waiting = sum(1 for one in model.line if not one.offered)
        sums = (campaign.raised_minor, campaign.reserved_minor, campaign.offered_minor, campaign.waiting_count)
        assert sums == (model.raised, 0, model.offered, waiting)
        assert campaign.available_minor >= 0
        assert campaign.available_minor < SMALLEST or not model.line or not waiting


def test_500_people_and_a_full_campaign(founder: User, actors: list[Any]) -> None:
    world = World(founder, actors, Random(500))
    for number in range(ACTS):
        if number % 75 == 74:
            world.sleep()
        world.act()
    in_list = WaitingEntry.objects.in_list().order_by("position")
    found = [(entry.investor_id, entry.amount_minor, entry.offered_minor) for entry in in_list]
    assert found == [(world.actors[one.who][0].pk, one.wanted, one.offered) for one in world.model.line]
    ends = set(WaitingEntry.objects.values_list("status", flat=True))
    assert ends >= {"waiting", "accepted", "expired", "left"}, "all of it has happened"
    assert books_agree()
