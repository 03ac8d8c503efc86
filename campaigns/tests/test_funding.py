"""The money columns: reserve, confirm, release, return; the checks after the lock; who backs what."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from campaigns.errors import (
    BelowMinimum,
    CampaignClosed,
    CampaignNotOpen,
    CurrencyMismatch,
    OverCap,
    OwnCampaign,
    PaymentsUnderWay,
)
from campaigns.models import Backing, Campaign
from campaigns.services import funding
from campaigns.services.closing import decide_campaign
from campaigns.services.funding import confirm_funding, release_funding, reserve_funding, return_funding
from campaigns.testing import make_campaign
from core.api.errors import NotFound
from core.data.transactions import atomic, retrying
from core.models import Event
from core.money import Money
from core.testing import WAIT_LIMIT, together


def usd(text: str) -> Money:
    return Money.of(text, "USD")


@retrying
def reserve(campaign: Campaign, backer: User, amount: Money, now: datetime | None = None) -> Campaign:
    locked = funding.lock_campaign(campaign.pk)
    reserve_funding(campaign=locked, backer=backer, amount=amount, now=now or timezone.now())
    return locked


def invest(campaign: Campaign, backer: User, amount: Money, now: datetime | None = None) -> None:
    now = now or timezone.now()
    reserve(campaign, backer, amount, now)
    with atomic():
        confirm_funding(campaign=campaign, backer_id=backer.pk, amount=amount, now=now)


def columns(campaign: Campaign) -> Any:
    campaign.refresh_from_db()
    return campaign.raised_minor, campaign.reserved_minor, campaign.investor_count


@pytest.fixture
def capped(founder: User) -> Campaign:
    """Goal 1,000, cap 1,200, at least 50 each."""
    return make_campaign(founder, max_amount="1200", min_investment="50")


def test_reserve_confirm_release_return(capped: Campaign, backer: User, person: Callable[..., User]) -> None:
    other = person("other")
    invest(capped, backer, usd("100"))
    invest(capped, backer, usd("60"))
    reserve(capped, other, usd("70"))
    assert columns(capped) == (160_00, 70_00, 1)
    with atomic():
        release_funding(campaign=funding.lock_campaign(capped.pk), amount=usd("70"))
    with atomic():
        return_funding(campaign=capped, amounts={backer.pk: 60_00}, now=timezone.now())
    assert columns(capped) == (100_00, 0, 1)
    assert Backing.objects.get(campaign=capped, backer=backer).committed_minor == 100_00


def test_what_cannot_be_reserved(capped: Campaign, founder: User, backer: User) -> None:
    def refuses(
        error: Any,
        who: User = backer,
        amount: str = "100",
        now: datetime | None = None,
        currency: str = "USD",
        campaign: Campaign = capped,
    ) -> Any:
        with pytest.raises(error) as refusal:
            reserve(campaign, who, Money.of(amount, currency), now)
        assert columns(capped) == (0, 0, 0)
        return refusal.value.facts

    refuses(OwnCampaign, who=founder)
    refuses(CampaignClosed, now=capped.ends_at)
    refuses(CurrencyMismatch, currency="EUR")
    assert refuses(BelowMinimum, amount="49.99") == {"minimum": "50.00", "currency": "USD"}
    assert refuses(OverCap, amount="1200.01") == {"available": "1200.00", "currency": "USD"}
    refuses(NotFound, campaign=make_campaign(founder, status="draft"))
    soon = make_campaign(founder, starts_at=timezone.now() + timedelta(hours=1))
    refuses(CampaignNotOpen, campaign=soon)
    reserve(capped, backer, usd("1200"), now=capped.ends_at - timedelta(seconds=1))


def test_the_last_piece_may_be_smaller_than_the_minimum(capped: Campaign, backer: User) -> None:
    invest(capped, backer, usd("1170"))
    with pytest.raises(BelowMinimum):
        reserve(capped, backer, usd("29"))
    reserve(capped, backer, usd("30"))


def test_payments_under_way_hold_up_the_decision(campaign: Campaign, backer: User) -> None:
    reserve(campaign, backer, usd("1000"))
    with pytest.raises(PaymentsUnderWay):
        decide_campaign(campaign.pk, now=campaign.ends_at)
    with atomic():
        confirm_funding(campaign=campaign, backer_id=backer.pk, amount=usd("1000"), now=campaign.ends_at)
    assert decide_campaign(campaign.pk, now=campaign.ends_at).status == "funded"


def test_joining_and_leaving_are_recorded_once(campaign: Campaign, backer: User) -> None:
    invest(campaign, backer, usd("10"))
    invest(campaign, backer, usd("10"))
    with atomic():
        return_funding(campaign=campaign, amounts={backer.pk: 20_00}, now=timezone.now())
    recorded = Event.objects.filter(kind__startswith="campaign.backer_", subject_id=campaign.pk).order_by("id")
    assert [(event.kind, event.facts) for event in recorded] == [
        ("campaign.backer_joined", {"backer_id": str(backer.pk)}),
        ("campaign.backer_left", {"backer_id": str(backer.pk)}),
    ]


def test_the_database_keeps_the_cap(capped: Campaign) -> None:
    with pytest.raises(IntegrityError, match="stay_within_the_cap"), transaction.atomic():
        Campaign.objects.filter(pk=capped.pk).update(raised_minor=1_200_01)
    with pytest.raises(IntegrityError, match="money_is_not_negative"), transaction.atomic():
        Campaign.objects.filter(pk=capped.pk).update(reserved_minor=-1)


# --- Races: the same rivals with the lock and, in the twin, without -----------------------------------------------


@pytest.fixture
def rivals_for_the_last_700(capped: Campaign, backer: User, person: Callable[..., User]) -> list[Any]:
    other = person("other", identity=True)
    return [partial(reserve, capped, who, usd("700")) for who in (backer, other)]


@pytest.mark.django_db(transaction=True)
def test_two_cannot_reserve_what_only_one_may(capped: Campaign, rivals_for_the_last_700: list[Any]) -> None:
    outcomes = together(*rivals_for_the_last_700)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Campaign", "OverCap"]
    assert columns(capped) == (0, 700_00, 0)


@pytest.mark.django_db(transaction=True)
def test_two_cannot_reserve_what_only_one_may_twin(
    capped: Campaign, rivals_for_the_last_700: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without the lock both read an empty campaign. The second is not refused as `OverCap` but crashes on the table's own
    check, which is the last thing between two backers and a campaign above its cap.
    """
    barrier = Barrier(2)

    def read(campaign_id: UUID) -> Campaign:
        campaign = Campaign.objects.get(pk=campaign_id)
        barrier.wait(timeout=WAIT_LIMIT)
        return campaign

    monkeypatch.setattr(funding, "lock_campaign", read)
    outcomes = together(*rivals_for_the_last_700)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Campaign", "IntegrityError"]
    assert "stay_within_the_cap" in str([outcome for outcome in outcomes if isinstance(outcome, IntegrityError)])
    assert columns(capped) == (0, 700_00, 0)
