"""Fees: asked for with the payment, held, given back in parts, earned at the end, and told everywhere."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from hypothesis import given, strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.fees import FeeKind, RefundedWhen, Schedule
from campaigns.fees.schedules import read_schedule
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core import clock
from core.data.transactions import atomic
from core.money import Money
from core.testing import Api
from investments import books
from investments.models import FeeLine, Investment, Payment, PaymentMethod, Refund, SandboxCharge
from investments.reconciliation import reconcile
from investments.services.fees import lines_of, total_of
from investments.statements import statement_of
from investments.testing import (
    StandIn,
    close_campaigns,
    declare_profile,
    finish_payments,
    finish_refunds,
    invest,
    make_card,
    settle,
)
from investments.tests.conftest import books_agree, invest_url, minor, refusal
from ledger import oracle
from ledger.services.accounts import open_accounts
from ledger.services.postings import credit, debit, post
from ledger.tests.test_commands import guards_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(founder: User, settings: Settings) -> Campaign:
    """With the fees of `standard`: the owner pays 5 % and tax, an investor 1.5 % and 0.30."""
    settings.FEE_SCHEDULE = "standard"
    return make_campaign(founder, max_amount="1200", min_investment="10")


def held(campaign: Campaign) -> int:
    return minor(f"fees:held:campaign:{campaign.pk}")


def withdraw(api: Api, investment: Investment, amount: str) -> Any:
    body = {"amount": amount, "paymentMethodId": str(investment.method_id)}
    return api.as_user(investment.investor).post(f"/api/investments/{investment.pk}/withdraw", body)


def page_of(api: Api, investment: Investment) -> Any:
    return api.as_user(investment.investor).get(f"/api/investments/{investment.pk}").json()


def test_an_investor_is_told_and_charged_the_fee_on_top(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    me = api.as_user(backer)
    preview = me.get(f"{invest_url(campaign)}/preview", {"amount": "100.00"})
    assert preview.json() == {
        "amount": "100.00",
        "fees": [{"id": "processing", "amount": "1.80"}],
        "total": "101.80",
        "currency": "USD",
    }
    investment = invest(api, backer, campaign, "100.00", card)
    assert SandboxCharge.objects.get(key=investment.payment.key).amount_minor == 101_80
    page = page_of(api, investment)
    assert (page["amount"], page["fee"], page["charged"]) == ("100.00", "1.80", "101.80")
    assert page["fees"] == [{"id": "processing", "amount": "1.80", "refundedAmount": "0.00"}]
    (card_of_list,) = me.get("/api/investments").json()["items"]
    assert (card_of_list["fee"], card_of_list["charged"]) == ("1.80", "101.80")
    campaign.refresh_from_db()
    assert (campaign.raised_minor, held(campaign), minor("provider:sandbox:USD")) == (100_00, 1_80, 101_80)
    assert books_agree()


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("5", (409, "below_minimum")),
        ("1201", (409, "over_cap")),
        ("10.001", (400, "invalid_amount")),
        ("0", (400, "invalid_input")),
        ("-1", (400, "invalid_input")),
        ("1e3", (400, "invalid_input")),
    ],
)
def test_a_preview_refuses_what_investing_refuses(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, amount: str, code: tuple[int, str]
) -> None:
    me = api.as_user(backer)
    assert refusal(me.get(f"{invest_url(campaign)}/preview", {"amount": amount})) == code
    body = {"amount": amount, "paymentMethodId": str(card.pk)}
    assert refusal(me.post(invest_url(campaign), body)) == code


def test_a_preview_is_not_for_the_owner_nor_of_what_is_closed(
    api: Api, founder: User, backer: User, campaign: Campaign
) -> None:
    url, query = f"{invest_url(campaign)}/preview", {"amount": "100"}
    assert refusal(api.as_user(founder).get(url, query)) == (403, "own_campaign")
    assert refusal(api.as_user(backer).get(url, {**query, "currency": "EUR"})) == (409, "currency_mismatch")
    settle(campaign)
    assert refusal(api.as_user(backer).get(url, query)) == (409, "campaign_closed")


def test_who_says_what_was_shown_is_charged_that_or_nothing(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    body = {"amount": "100.00", "paymentMethodId": str(card.pk)}
    me = api.as_user(backer)
    refused = me.post(invest_url(campaign), {**body, "total": "100.00"})
    assert (*refusal(refused), refused.json()["total"]) == (409, "fee_changed", "101.80")
    assert refusal(me.post(invest_url(campaign), {**body, "total": "101.801"})) == (400, "invalid_amount")
    assert not Investment.objects.exists()
    assert me.post(invest_url(campaign), {**body, "total": "101.80"}).json()["charged"] == "101.80"


def test_an_offer_of_the_waiting_list_is_charged_with_its_fee(
    api: Api, founder: User, backer: User, friend: User, campaign: Campaign
) -> None:
    full = make_campaign(founder, goal_amount="100", max_amount="100", min_investment="10")
    first = invest(api, backer, full, "100.00")
    body = {"amount": "50.00", "paymentMethodId": str(make_card(friend).pk)}
    me = api.as_user(friend)
    assert me.post(f"/api/campaigns/{full.pk}/waitlist", body).status_code == 201
    withdraw(api, first, "50.00")
    accept = f"/api/campaigns/{full.pk}/waitlist/accept"
    assert refusal(me.post(accept, {"total": "50.00"})) == (409, "fee_changed")
    assert me.post(accept, {"total": "51.05"}).json()["charged"] == "51.05"
    assert books_agree()


def test_a_withdrawal_by_will_keeps_the_fee(api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> None:
    investment = invest(api, backer, campaign, "100.00", card)
    answer = withdraw(api, investment, "100.00").json()
    assert (answer["status"], answer["amount"], answer["fee"]) == ("refunded", "100.00", "0.00")
    assert (held(campaign), minor("provider:sandbox:USD")) == (1_80, 1_80)
    assert books_agree()
    settle(campaign)
    assert (held(campaign), minor("fees:provider:USD")) == (0, 1_80)
    assert books_agree()


@pytest.mark.parametrize(("rules", "currency"), [("us_reg_cf", "USD"), ("eu_ecspr", "EUR")])
def test_a_withdrawal_by_right_gives_the_fee_back_in_parts(
    api: Api, founder: User, backer: User, campaign: Campaign, rules: str, currency: str
) -> None:
    by_law = make_campaign(founder, rules=rules, currency=currency)
    declare_profile(backer, currency=currency)
    investment = invest(api, backer, by_law, "100.00")
    charged = investment.payment.fee_minor
    fees = [withdraw(api, investment, part).json()["fee"] for part in ("33.33", "33.33", "33.34")]
    assert sum(Decimal(fee) for fee in fees) == Decimal(charged) / 100
    assert SandboxCharge.objects.get().refunded_minor == 100_00 + charged
    assert held(by_law) == 0
    assert books_agree()


def test_a_failed_campaign_gives_the_fee_back_in_one_refund(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    investment = invest(api, backer, campaign, "100.00", card)
    settle(campaign)
    (refund,) = Refund.objects.all()
    assert (refund.amount_minor, refund.fee_minor) == (100_00, 1_80)
    assert SandboxCharge.objects.get().refunded_minor == 101_80
    assert page_of(api, investment)["fees"] == [{"id": "processing", "amount": "1.80", "refundedAmount": "1.80"}]
    assert (held(campaign), minor("provider:sandbox:USD"), minor("fees:provider:USD")) == (0, 0, 0)
    assert books_agree()


def test_parts_that_were_withdrawn_keep_their_part_of_the_fee(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    """A third is withdrawn, which keeps the fee; the rest comes back with the campaign's failure, which does not."""
    investment = invest(api, backer, campaign, "100.00", card)
    withdraw(api, investment, "33.33")
    settle(campaign)
    assert [(r.amount_minor, r.fee_minor) for r in Refund.objects.order_by("id")] == [(33_33, 0), (66_67, 1_20)]
    assert (held(campaign), minor("fees:provider:USD")) == (0, 60)
    assert books_agree()


def test_a_payment_given_up_before_it_was_made_costs_nothing(
    api: Api, backer: User, campaign: Campaign, provider: StandIn
) -> None:
    body = {"amount": "100.00", "paymentMethodId": str(make_card(backer, "tok_3ds").pk)}
    answer = api.as_user(backer).post(invest_url(campaign), body).json()
    investment = Investment.objects.select_related("payment", "investor").get(pk=answer["id"])
    provider.plan("cancel", "lost before")
    withdraw(api, investment, "100.00")
    SandboxCharge.objects.filter(key=investment.payment.key).update(state="captured")
    finish_payments(now=clock.now() + timedelta(minutes=2))
    finish_refunds(now=clock.now() + timedelta(minutes=10))
    assert SandboxCharge.objects.get().refunded_minor == 101_80
    assert (held(campaign), minor("provider:sandbox:USD")) == (0, 0)
    assert books_agree()


def test_a_declined_payment_costs_nothing(api: Api, backer: User, campaign: Campaign) -> None:
    body = {"amount": "100.00", "paymentMethodId": str(make_card(backer, "tok_declined").pk)}
    assert refusal(api.as_user(backer).post(invest_url(campaign), body)) == (409, "payment_declined")
    settle(campaign)
    assert (held(campaign), minor("fees:provider:USD")) == (0, 0)
    assert books_agree()


def test_the_owner_of_a_funded_campaign_gets_what_remains(
    api: Api, founder: User, backer: User, friend: User, campaign: Campaign
) -> None:
    invest(api, backer, campaign, "700.00")
    invest(api, friend, campaign, "300.33")
    settle(campaign)
    assert minor(f"payable:user:{founder.pk}:USD") == 1_000_33 - 50_02 - 10_00
    assert (minor("fees:platform:USD"), minor("fees:tax:USD")) == (50_02, 10_00)
    assert (minor("fees:provider:USD"), held(campaign)) == (10_80 + 4_80, 0)
    assert minor("provider:sandbox:USD") == 1_000_33 + 15_60
    assert sorted(FeeLine.objects.filter(payment=None).values_list("fee", "amount_minor")) == [
        ("platform", 50_02),
        ("platform_tax", 10_00),
    ]
    page = api.as_user(founder).get(f"/api/campaigns/{campaign.pk}").json()
    assert page["proceeds"]["net"] == "940.31"
    close_campaigns(now=campaign.ends_at + timedelta(days=1))
    assert minor("fees:platform:USD") == 50_02
    assert books_agree()


def test_the_statement_and_the_receipt_add_up(api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> None:
    investment = invest(api, backer, campaign, "100.00", card)
    withdraw(api, investment, "40.00")
    settle(campaign)
    now = clock.now()
    years = range(campaign.created_at.year, campaign.ends_at.year + 2)
    kinds = []
    closing: dict[str, int] = {}
    for year in years:
        statement = statement_of(backer, year, most=100, now=now + timedelta(days=800))
        kinds += [(one.kind.value, one.minor) for one in statement.movements]
        for sums in statement.sums:
            closing = dict(sums.closing)
    assert sorted(kinds) == [
        ("commitment", 100_00),
        ("fee", 1_80),
        ("fee_refund", 1_08),
        ("refund", 40_00),
        ("refund", 60_00),
    ]
    assert closing["fees"] == sum(line.amount_minor - line.refunded_minor for line in FeeLine.objects.all()) == 72
    answer = api.as_user(backer).get(f"/api/investments/{investment.pk}/receipt")
    assert answer.status_code == 200


def test_the_table_refuses_other_amounts_and_more_than_was_taken(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    invest(api, backer, campaign, "100.00", card)
    line, payment = FeeLine.objects.get(), Payment.objects.get()
    for change in ({"amount_minor": 1}, {"kind": "tax"}, {"refunded_minor": 181}, {"refunded_of_minor": 100_01}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FeeLine.objects.filter(pk=line.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(fee_minor=1)


SMALL = st.integers(0, 10**6)


@st.composite
def schedules(draw: st.DrawFn, currency: str) -> Schedule:
    """One to four fees of an investor, some of them a tax on one before."""
    fees: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        of = draw(st.sampled_from(["amount", *(fee["id"] for fee in fees)]))
        least = draw(SMALL)
        fee = {
            "id": f"fee_{number}",
            "about": "",
            "paid_by": "investor",
            "of": of,
            "kind": draw(st.sampled_from([*FeeKind])),
            "basis_points": draw(st.integers(0, 10_000)),
            "fixed": draw(st.sampled_from([{}, {currency: draw(SMALL)}])),
            "minimum": draw(st.sampled_from([{}, {currency: least}])),
            "maximum": draw(st.sampled_from([{}, {currency: least + draw(SMALL)}])),
        }
        if of == "amount":
            fee["refunded_when"] = {reason: draw(st.booleans()) for reason in RefundedWhen}
        fees.append(fee)
    return read_schedule({"name": "drawn", "version": 1, "title": "", "source": "", "fees": fees})


@given(st.data(), st.sampled_from(["USD", "JPY", "KWD"]), st.integers(1, 10**15))
def test_refunds_in_parts_never_give_back_more_than_was_taken(data: st.DataObject, currency: str, minor: int) -> None:
    """Any schedule, amount and currency, refunded in any parts for any reasons."""
    schedule = data.draw(schedules(currency))
    amount = Money(minor, currency)
    due = schedule.on_investment(amount)
    lines = lines_of(due, of=amount, campaign=Campaign(), payment=Payment(), now=clock.now())
    assert all(one.amount.minor >= 0 for one in due)
    assert sum(line.amount_minor for line in lines) == total_of(due, currency).minor
    cuts = sorted(data.draw(st.lists(st.integers(0, minor), max_size=6)))
    for start, end in pairwise([0, *cuts, minor]):
        reason = data.draw(st.sampled_from([*RefundedWhen]))
        for line in lines:
            if schedule[line.fee].is_refunded(reason):
                assert line.give_back(end - start) >= 0
            assert 0 <= line.refunded_minor <= line.amount_minor
    for line in lines:
        when = schedule[line.fee].refunded_when.values()
        if all(when):
            assert line.refunded_minor == line.amount_minor
        if not any(when):
            assert line.refunded_minor == 0


class TestReconcile:
    """Planted where nobody guards, each fault is named by `reconcile`, and by the oracle where the books show it."""

    @pytest.fixture
    def story(self, api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> Investment:
        investment = invest(api, backer, campaign, "100.00", card)
        assert self.found() == []
        return investment

    def found(self) -> list[tuple[str, str, str]]:
        findings = reconcile("sandbox", now=clock.now()).findings
        return [(one.check.value, one.about, one.detail) for one in findings]

    def test_a_line_that_says_more_than_the_books(self, story: Investment) -> None:
        with guards_off("investments_feeline"):
            FeeLine.objects.update(amount_minor=181)
        assert [one[:2] for one in self.found()] == [("sum", "fees"), ("sum", "fees")]

    def test_a_fee_that_was_given_back_and_in_no_refund(self, story: Investment) -> None:
        FeeLine.objects.update(refunded_minor=1, refunded_of_minor=1)
        details = [one[2] for one in self.found()]
        assert "what its fees have given back is not what its refunds and disputes have" in details

    def test_a_fee_without_lines(self, story: Investment) -> None:
        with guards_off("investments_feeline"):
            FeeLine.objects.all().delete()
        assert ("sum", "fees", "the fee of the payment is not the sum of its lines") in self.found()

    def test_a_charge_without_its_fee(self, story: Investment) -> None:
        SandboxCharge.objects.update(amount_minor=100_00)
        assert ("differing", "charge") in [one[:2] for one in self.found()]

    def test_an_owner_s_fee_that_nobody_booked(self, story: Investment, campaign: Campaign) -> None:
        FeeLine.objects.create(
            campaign=campaign, fee="platform", kind="platform", currency="USD", amount_minor=5, of_minor=100
        )
        assert [one[:2] for one in self.found()] == [("sum", "fees")]

    def test_the_oracle_sees_more_given_back_than_was_taken(self, api: Api, story: Investment, friend: User) -> None:
        """Another backer's fee pays for it, so no balance goes below zero."""
        invest(api, friend, story.campaign, "100.00")
        usd = story.currency
        with atomic():
            bank, held = open_accounts(
                books.provider_account("sandbox", usd), books.held_fees_account(story.campaign_id, usd), now=clock.now()
            )
            lines = [debit(held, Money(181, usd)), credit(bank, Money(181, usd))]
            post(key="by hand", kind="correction", lines=lines, reference=f"investment:{story.pk}", now=clock.now())
        assert self.oracle() == [f"investment:{story.pk}: gave back 1 more in fees than it took"]

    def test_the_oracle_sees_fees_that_stayed_behind(self, story: Investment, campaign: Campaign) -> None:
        with atomic():
            usd = Money(100, "USD")
            books.earn_fees(campaign_id=campaign.pk, currency="USD", fees={"provider": usd}, now=clock.now())
        assert self.oracle() == [f"fees:held:campaign:{campaign.pk}: holds fees after they were earned"]

    def oracle(self) -> list[str]:
        lines = StringIO()
        call_command("ledger_export", stdout=lines)
        return oracle.check(lines.getvalue().splitlines())[0]


def test_every_reason_of_a_refund_is_in_the_schedules() -> None:
    assert set(Refund.Reason.values) <= {reason.value for reason in RefundedWhen}
