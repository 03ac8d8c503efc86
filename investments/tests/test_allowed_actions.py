"""
What a campaign's page says of a person's actions is what the calls then do: over random histories, at random moments
and one second each side of each `until`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import transaction
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.access import visible_to
from campaigns.models import Campaign
from campaigns.selectors import campaign_page
from campaigns.services.amendments import approve_amendment, propose_amendment
from campaigns.services.closing import cancel_campaign
from campaigns.services.drafts import delete_campaign
from campaigns.services.early_close import RULE as EARLY_CLOSE, close_early
from campaigns.services.funding import lock_campaign
from campaigns.services.review import submit_campaign
from campaigns.services.terms import earliest_end
from campaigns.testing import action_of, make_campaign
from core import clock
from core.api.errors import Refusal
from core.api.idempotency import NoTicket
from core.money import Money, minor_text
from core.testing import Api
from investments.access import access_investment
from investments.models import Investment, PaymentMethod, WaitingEntry
from investments.selectors import investment_page
from investments.services import waiting
from investments.services.investing import accept_offer, join_waiting_list, place_investment
from investments.services.reconfirming import reconfirm
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import close_campaigns, declare_profile, finish_payments, make_card

pytestmark = pytest.mark.django_db

CHUNKS = 8
HISTORIES = 12
"""Of each chunk; each is looked at about a hundred times."""
RULES = {"none": "USD", "us_reg_cf": "USD", "eu_ecspr": "EUR"}


class World:
    """A campaign, its owner and some people, and what they do at random."""

    def __init__(self, random: Random, person: Callable[..., User], clock_at: Callable[[datetime], None]) -> None:
        self.random, self.move_to = random, clock_at
        self.now = datetime(2027, 3, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(60 * 24 * 60))
        self.move_to(self.now)
        self.owner = person("owner", identity=True)
        self.moderator = person("moderator", role="moderator")
        self.people = [person(f"investor{number}", identity=number < 3) for number in range(4)]
        self.rules = random.choice(list(RULES))
        self.campaign = self.make()
        self.cards: dict[Any, PaymentMethod] = {}
        for investor in self.people[:3]:
            self.cards[investor.pk] = make_card(investor)
            if random.random() < 0.7:
                worth = random.choice(["1000", "20000", "900000"])
                declare_profile(investor, currency=RULES[self.rules], net_worth=worth)

    def make(self) -> Campaign:
        random = self.random
        starts_at = self.now + timedelta(hours=random.randrange(1, 72)) if random.random() < 0.3 else None
        return make_campaign(
            self.owner,
            rules=self.rules,
            currency=RULES[self.rules],
            time_zone=random.choice(["UTC", "America/New_York", "Asia/Kathmandu", "Europe/Berlin"]),
            goal_amount="100",
            max_amount=random.choice(["100", "130", "2000"]),
            min_investment=random.choice([None, "10", "40"]),
            starts_at=starts_at,
            ends_at=self.now + timedelta(days=25, minutes=random.randrange(60 * 24 * 20)),
            status=random.choice(["draft", "in_review", *["live"] * 8]),
        )

    def step(self) -> None:
        """Somebody does something that may be refused, or time passes, with or without the jobs."""
        person, random = self.random.choice(self.people[:3]), self.random
        with suppress(Refusal):
            random.choice([self.invest, self.invest, self.join, self.accept, self.leave, self.take_back, self.wait,
                           self.wait, self.close_early, self.amend, self.answer_terms])(person)  # fmt: skip

    def wait(self, person: User) -> None:
        scale = self.random.choice([timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)])
        self.now += scale * self.random.randrange(1, 30)
        self.move_to(self.now)
        if self.random.random() < 0.3:
            finish_payments(now=self.now)
            close_campaigns(now=self.now)

    def invest(self, person: User) -> None:
        card = make_card(person, "tok_3ds") if self.random.random() < 0.2 else self.cards[person.pk]
        amount = Decimal(self.random.choice(["10", "40", "60", "100"]))
        place_investment(investor=person, campaign_id=self.campaign.pk, amount=amount, payment_method_id=card.pk,
                         ticket=NoTicket(), now=self.now)  # fmt: skip

    def join(self, person: User) -> None:
        join_waiting_list(investor=person, campaign_id=self.campaign.pk, amount=Decimal("40"),
                          payment_method_id=self.cards[person.pk].pk, now=self.now)  # fmt: skip

    def accept(self, person: User) -> None:
        accept_offer(investor=person, campaign_id=self.campaign.pk, payment_method_id=self.cards[person.pk].pk,
                     ticket=NoTicket(), now=self.now)  # fmt: skip

    def leave(self, person: User) -> None:
        waiting.leave_waiting_list(investor=person, campaign_id=self.campaign.pk, now=self.now)

    def take_back(self, person: User) -> None:
        held = Investment.objects.filter(investor=person, campaign=self.campaign).order_by("?").first()
        if held is not None:
            withdraw_from_investment(investor=person, investment_id=held.pk, amount=Decimal(held.amount.text),
                                     payment_method_id=held.method_id, ticket=NoTicket(), now=self.now)  # fmt: skip

    def amend(self, person: User) -> None:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        changes: dict[str, Any] = self.random.choice(
            [
                {"goal_amount": Decimal(90)},
                {"max_amount": Decimal(3000)},
                {"ends_at": campaign.ends_at + timedelta(days=self.random.randrange(1, 9))},
            ]
        )
        asked = propose_amendment(
            owner=self.owner, campaign_id=campaign.pk, changes=changes, reason="Prices fell", now=self.now
        )
        if self.random.random() < 0.8:
            approve_amendment(moderator=self.moderator, amendment_id=asked.pk, now=self.now)

    def answer_terms(self, person: User) -> None:
        held = Investment.objects.filter(investor=person, campaign=self.campaign).order_by("?").first()
        if held is not None:
            reconfirm(investor=person, investment_id=held.pk, decline=self.random.random() < 0.3, now=self.now)

    def close_early(self, person: User) -> None:
        ends_at = self.earliest(self.now) + timedelta(hours=1)
        close_early(owner=self.owner, campaign_id=self.campaign.pk, ends_at=ends_at, now=self.now)

    # --- What the calls do ------------------------------------------------------------------------------------------

    def calls(self, person: User, now: datetime) -> dict[str, Callable[[], object]]:
        campaign_id = self.campaign.pk
        if person == self.owner:
            own: dict[str, Any] = {"owner": person, "campaign_id": campaign_id, "now": now}
            return {
                "submit": lambda: submit_campaign(**own),
                "delete": lambda: delete_campaign(**own),
                "cancel": lambda: cancel_campaign(**own),
                "close_early": lambda: close_early(**own, ends_at=self.earliest(now)),
                "amend": lambda: propose_amendment(**own, changes={"max_amount": Decimal(7_000)}, reason="Room"),
            }
        card = self.cards.get(person.pk)
        method = {"payment_method_id": card.pk if card else self.campaign.pk}
        who: dict[str, Any] = {"investor": person, "campaign_id": campaign_id, "now": now, **method}
        return {
            "invest": lambda: place_investment(**who, amount=self.smallest(now), ticket=NoTicket()),
            "join_waitlist": lambda: join_waiting_list(**who, amount=self.minimum()),
            "accept_offer": lambda: accept_offer(**who, ticket=NoTicket()),
            "leave_waitlist": lambda: waiting.leave_waiting_list(investor=person, campaign_id=campaign_id, now=now),
        }

    def earliest(self, now: datetime) -> datetime:
        return (
            earliest_end(Campaign.objects.get(pk=self.campaign.pk), EARLY_CLOSE, now)
            if self.rules != "eu_ecspr"
            else now
        )

    def minimum(self) -> Decimal:
        return self.major(self.campaign.min_investment_minor or 1)

    def smallest(self, now: datetime) -> Decimal:
        """The least that can be invested: the very last piece may be smaller than the minimum."""
        campaign = lock_campaign(self.campaign.pk)
        waiting.offer_free_places(campaign, now=now)
        least = campaign.min_investment_minor or 1
        return self.major(min(least, campaign.available_minor) if campaign.available_minor > 0 else least)

    def major(self, minor: int) -> Decimal:
        return Decimal(minor_text(minor, self.campaign.currency))

    # --- Comparing --------------------------------------------------------------------------------------------------

    def compare(self, person: User, now: datetime) -> Iterator[datetime]:
        """Gives each `until`, after insisting that the page is right at `now`."""
        self.move_to(now)
        if not visible_to(person).filter(pk=self.campaign.pk).exists():
            return
        page = campaign_page(User.objects.get(pk=person.pk), self.campaign.pk, now)
        calls = self.calls(User.objects.get(pk=person.pk), now)
        for one in page.allowed_actions:
            if one.action in calls:
                does = refusal_of(calls[one.action])
                said = f"{self.rules}: {person.first_name} {one.action} at {now}: page {one}, call {does}"
                assert one.allowed == (does is None), said
                assert one.because == does, said
            if one.until is not None:
                assert one.until > now, one
                yield one.until

    def compare_investments(self, person: User, now: datetime) -> Iterator[datetime]:
        """The same of what the person has invested."""
        self.move_to(now)
        for one in Investment.objects.filter(investor=person).order_by("-id")[:2]:
            page = investment_page(access_investment(person, one.pk), now)
            calls = self.investment_calls(person, one, now)
            for answer in page.allowed_actions:
                does = refusal_of(calls[answer.action])
                said = f"{self.rules}: {answer} of {one.status} at {now}, call {does}"
                assert (answer.allowed, answer.because) == (does is None, does), said
                if answer.until is not None:
                    yield answer.until

    def investment_calls(self, person: User, one: Investment, now: datetime) -> dict[str, Callable[[], object]]:
        is_open = one.payment.status == "requires_action"
        amount = one.amount if is_open else Money(max(1, one.payment.held_minor), one.currency)
        what: dict[str, Any] = {"investor": person, "investment_id": one.pk, "now": now}
        return {
            "withdraw": lambda: withdraw_from_investment(
                **what, amount=Decimal(amount.text), payment_method_id=one.method_id, ticket=NoTicket()
            ),
            "reconfirm": lambda: reconfirm(**what, decline=False),
            "decline_terms": lambda: reconfirm(**what, decline=True),
        }


def refusal_of(call: Callable[[], object]) -> str | None:
    """The code with which a call is refused, or None. What it did is undone."""
    before = transaction.savepoint()
    try:
        call()
    except Refusal as refusal:
        return refusal.code
    finally:
        transaction.savepoint_rollback(before)
    return None


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_page_says_what_the_calls_do(
    chunk: int, person: Callable[..., User], time_machine: TimeMachineFixture
) -> None:
    looked = 0
    for number in range(HISTORIES):
        before = transaction.savepoint()
        random = Random(f"{chunk} {number}")
        world = World(random, person, lambda moment: time_machine.move_to(moment, tick=False))
        for _ in range(6):
            for _ in range(random.randrange(1, 5)):
                world.step()
            present = world.now
            for one in [*random.sample(world.people, 2), world.owner]:
                edges = list(world.compare(one, present))
                looked += 1
                for edge in world.compare_investments(one, present):
                    for moment in (edge - timedelta(seconds=1), edge):
                        if moment >= present:
                            list(world.compare_investments(one, moment))
                            looked += 1
                for edge in random.sample(edges, min(2, len(edges))):
                    for moment in (edge - timedelta(seconds=1), edge):
                        if moment >= present:
                            list(world.compare(one, moment))
                            looked += 1
            world.move_to(present)
        transaction.savepoint_rollback(before)
    assert looked > HISTORIES * 20


def test_until_is_when_the_answer_changes(api: Api, founder: User, backer: User) -> None:
    """Each `until` is the moment of another answer: of the start, and of the deadline."""
    starts_at = clock.now().replace(microsecond=0) + timedelta(hours=5)
    campaign = make_campaign(founder, starts_at=starts_at)
    for moment, because, until in (
        (starts_at - timedelta(seconds=1), "campaign_not_open", starts_at),
        (starts_at, None, campaign.ends_at),
        (campaign.ends_at, "campaign_closed", None),
    ):
        page = campaign_page(backer, campaign.pk, moment)
        (invest,) = (one for one in page.allowed_actions if one.action == "invest")
        assert (invest.because, invest.until) == (because, until)


def test_a_full_campaign_offers_its_waiting_list(api: Api, founder: User, backer: User, friend: User) -> None:
    campaign = make_campaign(founder, max_amount="1000", min_investment="10")
    place_investment(
        investor=friend, campaign_id=campaign.pk, amount=Decimal(1000), payment_method_id=make_card(friend).pk,
        ticket=NoTicket(), now=clock.now(),
    )  # fmt: skip
    page = api.as_user(backer).get(f"/api/campaigns/{campaign.pk}").json()
    assert (action_of(page, "invest")["because"], action_of(page, "join_waitlist")["allowed"]) == ("over_cap", True)
    assert action_of(page, "accept_offer")["because"] == "not_waiting"
    assert not WaitingEntry.objects.exists()
