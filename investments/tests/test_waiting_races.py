"""Rivals for the places of a full campaign, on connections of their own; the twins take the campaign's lock away."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core import clock
from core.testing import WAIT_LIMIT, Api, together
from investments.models import Investment, WaitingEntry
from investments.services import investing, waiting
from investments.services.waiting import leave_waiting_list, move_list
from investments.testing import invest, make_card
from investments.tests.conftest import books_agree, invest_url
from investments.tests.test_waiting import OFFER, accept, free, url, wait

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 8
"""How many of the rivals ask at the same time."""


@pytest.fixture
def full(api: Api, founder: User, friend: User) -> Campaign:
    """At most 100.00, at least 10.00 each; the friend has put in all of it."""
    campaign = make_campaign(founder, goal_amount="100", max_amount="100", min_investment="10")
    invest(api, friend, campaign, "100")
    return campaign


def read_together(monkeypatch: pytest.MonkeyPatch, place: Any) -> None:
    """Two that look at the campaign without its lock, and go on when both have looked."""
    barrier = Barrier(2)

    def read(campaign_id: UUID, *, now: datetime) -> Campaign:
        campaign = Campaign.objects.get(pk=campaign_id)
        barrier.wait(timeout=WAIT_LIMIT)
        return campaign

    monkeypatch.setattr(place, "lock_by_clock", read)


def two_join(api: Api, backer: User, stranger: User, campaign: Campaign) -> list[Any]:
    calls = []
    for who in (backer, stranger):
        body = {"amount": "50", "paymentMethodId": str(make_card(who).pk)}
        calls.append(partial(api.as_user(who).post, url(campaign), body))
    return together(*calls)


def test_two_join_at_once(api: Api, backer: User, stranger: User, full: Campaign) -> None:
    answers = two_join(api, backer, stranger, full)
    assert {(one.status_code, one.json()["position"]) for one in answers} == {(201, 1), (201, 2)}
    assert books_agree()


def test_two_join_at_once_twin(
    api: Api, backer: User, stranger: User, full: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock both take the same position; the table refuses the second."""
    read_together(monkeypatch, waiting)
    assert sorted(one.status_code for one in two_join(api, backer, stranger, full)) == [201, 500]


def test_an_offer_is_accepted_and_passed_on_at_once(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign
) -> None:
    """Just as it runs out: one of the two has it, never both."""
    for who in (backer, stranger):
        wait(api, who, full, "50")
    free(api, friend, full, "100", "50")
    later = clock.now() + OFFER
    accepted, _ = together(
        partial(accept, api, backer, full),
        partial(move_list, full.pk, now=later),
    )
    full.refresh_from_db()
    assert full.raised_minor == (100_00 if accepted.status_code == 200 else 50_00)
    assert full.offered_minor == (0 if accepted.status_code == 200 else 50_00)
    assert books_agree()


def test_one_accepts_five_times_at_once(api: Api, backer: User, friend: User, full: Campaign) -> None:
    wait(api, backer, full, "50")
    free(api, friend, full, "100", "50")
    answers = together(*[partial(accept, api, backer, full)] * 5)
    assert Counter(one.status_code for one in answers) == {200: 1, 404: 4}
    assert Investment.objects.filter(investor=backer).count() == 1
    assert books_agree()


def test_the_place_of_who_leaves_goes_to_one(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign, person: Callable[..., User]
) -> None:
    """While one leaves with an offer, another one wants the room."""
    wait(api, backer, full, "50")
    wait(api, stranger, full, "50")
    free(api, friend, full, "100", "50")
    body = {"amount": "50", "paymentMethodId": str(make_card(friend).pk)}
    left, refused = together(
        partial(leave_waiting_list, investor=backer, campaign_id=full.pk, now=clock.now()),
        partial(api.as_user(friend).post, invest_url(full), body),
    )
    assert isinstance(left, WaitingEntry)
    assert refused.status_code == 409
    assert WaitingEntry.objects.get(investor=stranger).status == "offered"
    assert books_agree()


# --- Two hundred rivals ---------------------------------------------------------------------------------------------


@pytest.fixture
def rivals(person: Callable[..., User]) -> list[User]:
    return [person(f"rival{number}", identity=True) for number in range(20)]


def test_200_rivals_for_50_places(api: Api, founder: User, rivals: list[User]) -> None:
    campaign = make_campaign(founder, goal_amount="500", max_amount="500", min_investment="10")

    def asking(who: User) -> Any:
        body = {"amount": "10", "paymentMethodId": str(make_card(who).pk)}
        return partial(api.as_user(who).post, invest_url(campaign), body)

    asks = [ask for ask in map(asking, rivals) for _ in range(10)]
    asks = [asks[number * 37 % 200] for number in range(200)]

    def ask(one: Any) -> Any:
        try:
            return one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(ask, asks))
    told = Counter((one.status_code, one.json().get("code")) for one in answers)
    busy = sum(count for (status, _), count in told.items() if status in (429, 503))
    assert all("Retry-After" in one.headers for one in answers if one.status_code in (429, 503))
    assert told[200, None] == 50
    assert told[409, "over_cap"] + busy == 150, told
    campaign.refresh_from_db()
    assert (campaign.raised_minor, campaign.reserved_minor, campaign.committed_minor) == (500_00, 0, 500_00)
    assert books_agree()


def test_rivals_for_the_last_place_twin(
    api: Api, founder: User, backer: User, friend: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock two are let in for one place, and only the table's check keeps the cap."""
    campaign = make_campaign(founder, goal_amount="20", max_amount="20", min_investment="10")
    invest(api, friend, campaign, "10")
    read_together(monkeypatch, investing)
    calls = []
    for who in (backer, stranger):
        body = {"amount": "10", "paymentMethodId": str(make_card(who).pk)}
        calls.append(partial(api.as_user(who).post, invest_url(campaign), body))
    assert sorted(one.status_code for one in together(*calls)) == [200, 500]
