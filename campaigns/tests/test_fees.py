"""Fee schedules: what they say, the amounts that follow, and that a published campaign keeps its own."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from hypothesis import given, strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.fees import RefundedWhen, Schedule, check_settings, every_version, given_back, schedule
from campaigns.fees.schedules import read_schedule
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.money import Money
from core.testing import Api

STANDARD = schedule("standard", 1)


def fee(**changes: Any) -> dict[str, Any]:
    return {
        "id": "one",
        "about": "",
        "paid_by": "investor",
        "kind": "platform",
        "refunded_when": dict.fromkeys(RefundedWhen, True),
        **changes,
    }


def of(*fees: dict[str, Any]) -> Schedule:
    return read_schedule({"name": "test", "version": 1, "title": "", "source": "", "fees": fees})


@pytest.mark.parametrize(
    ("amount", "currency", "due"),
    [
        (10_000, "USD", 180),  # 1.5 % and 0.30
        (33, "USD", 30),  # 0.495 is nothing
        (34, "USD", 31),  # 0.51 is one
        (10**9, "USD", 7_500),  # capped
        (1_000, "JPY", 55),
        (100_000, "KWD", 1_600),
        (10_000, "SEK", 150),  # a currency that has no fixed part
    ],
)
def test_an_investor_pays_a_part_and_a_fixed_sum_up_to_a_maximum(amount: int, currency: str, due: int) -> None:
    (processing,) = STANDARD.on_investment(Money(amount, currency))
    assert processing.amount == Money(due, currency)


def test_an_owner_pays_a_part_and_the_tax_on_it() -> None:
    due = {fee.id: amount for fee, amount in STANDARD.on_release(Money(123_450, "USD"))}
    assert due == {"platform": Money(6_173, "USD"), "platform_tax": Money(1_235, "USD")}  # 6172.5 and 1234.6


def test_an_owner_never_pays_more_than_was_raised() -> None:
    large = of(
        fee(paid_by="owner", minimum={"USD": 700}, refunded_when={}),
        fee(id="tax", paid_by="owner", kind="tax", of="one", basis_points=5_000, refunded_when={}),
    )
    assert [amount.minor for _, amount in large.on_release(Money(1_000, "USD"))] == [700, 300]
    assert [amount.minor for _, amount in large.on_release(Money(0, "USD"))] == [0, 0]


@pytest.mark.parametrize(
    "fees",
    [
        [fee(), fee()],
        [fee(id="amount")],
        [fee(refunded_when={"withdrawn": True})],
        [fee(basis_points=10_001)],
        [fee(fixed={"USD": -1})],
        [fee(minimum={"USD": 2}, maximum={"USD": 1})],
        [fee(of="two", refunded_when={})],
        [fee(), fee(id="tax", kind="tax", of="one", paid_by="owner", refunded_when={})],
        [fee(), fee(id="tax", kind="tax", of="one")],
        [fee(paid_by="owner")],
        [fee(paid_by="nobody")],
    ],
)
def test_a_schedule_that_contradicts_itself_is_not_read(fees: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError):
        of(*fees)


def test_a_tax_goes_back_with_its_fee() -> None:
    kept = {**dict.fromkeys(RefundedWhen, True), RefundedWhen.WITHDRAWN: False}
    both = of(fee(refunded_when=kept), fee(id="tax", kind="tax", of="one", refunded_when={}))
    assert not both["tax"].is_refunded("withdrawn")
    assert both["tax"].is_refunded("campaign_failed")
    assert both["tax"].is_refunded("a reason that came later")


@given(st.integers(0, 10**15), st.integers(1, 10**15), st.data())
def test_what_is_given_back_in_parts_adds_up(fee: int, amount: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, amount), max_size=8)))
    back = [given_back(fee, amount, refunded) for refunded in [0, *cuts, amount]]
    assert back[0] == 0
    assert back[-1] == fee
    assert back == sorted(back)


@pytest.mark.parametrize("name", ["none", "standard"])
def test_the_schedule_must_be_there(settings: Settings, name: str) -> None:
    settings.FEE_SCHEDULE = name
    check_settings()
    settings.FEE_SCHEDULE = name + "s"
    with pytest.raises(ImproperlyConfigured, match="FEE_SCHEDULE"):
        check_settings()


def test_every_version_is_read() -> None:
    assert ("none", 1) in every_version()


@pytest.mark.django_db
def test_a_campaign_keeps_the_schedule_it_was_published_with(api: Api, founder: User, settings: Settings) -> None:
    draft = make_campaign(founder, status="draft")
    url = f"/api/campaigns/{draft.pk}"
    me = api.as_user(founder)
    assert me.get(url).json()["fees"] == []
    settings.FEE_SCHEDULE = "standard"
    assert [one["id"] for one in me.get(url).json()["fees"]] == ["platform", "platform_tax", "processing"]
    live = make_campaign(founder)
    settings.FEE_SCHEDULE = "none"
    page = me.get(f"/api/campaigns/{live.pk}").json()
    assert page["fees"][-1] == {
        "id": "processing",
        "about": STANDARD["processing"].about,
        "paidBy": "investor",
        "kind": "provider",
        "of": "amount",
        "percent": 1.5,
        "fixed": "0.30",
        "minimum": None,
        "maximum": "75.00",
        "refundedWhen": [
            "withdrawn_by_right",
            "campaign_failed",
            "campaign_cancelled",
            "not_reconfirmed",
            "by_staff",
            "no_room",
            "disputed",
        ],
    }
    with pytest.raises(IntegrityError, match="fixed when it is published"), transaction.atomic():
        Campaign.objects.filter(pk=live.pk).update(fee_schedule="none")


@pytest.mark.django_db
def test_an_owner_sees_what_remains(api: Api, founder: User, stranger: User, settings: Settings) -> None:
    settings.FEE_SCHEDULE = "standard"
    campaign = make_campaign(founder)
    Campaign.objects.filter(pk=campaign.pk).update(raised_minor=50_000)
    page = api.as_user(founder).get(f"/api/campaigns/{campaign.pk}").json()
    assert page["proceeds"] == {
        "raised": "500.00",
        "fees": [{"id": "platform", "amount": "25.00"}, {"id": "platform_tax", "amount": "5.00"}],
        "net": "470.00",
        "currency": "USD",
    }
    assert api.as_user(stranger).get(f"/api/campaigns/{campaign.pk}").json()["proceeds"] is None
