"""A bank takes a payment back: the money is frozen, then gone or there again, and is never paid out twice."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.closing import decide_campaign
from campaigns.testing import make_campaign
from core.models import Event
from core.testing import Api, deliver_events
from investments.errors import PaymentDisputed
from investments.models import (
    Dispute,
    Distribution,
    Investment,
    PaymentMethod,
    ProviderEvent,
    Refund,
    SandboxCharge,
    Settlement,
)
from investments.providers.sandbox import SIGNATURE_HEADER, SandboxGateway, event_about_dispute, sign
from investments.reconciliation import reconcile
from investments.services import closing
from investments.services.distributing import distribute
from investments.services.distribution_review import (
    approve_distribution,
    evidence_of,
    holders_of,
    reject_distribution,
)
from investments.services.provider_events import apply_event, receive_event
from investments.testing import (
    StandIn,
    approve,
    choose_target,
    close_campaigns,
    contest,
    decide,
    declare_profile,
    dispute,
    distribute_returns,
    finish_distribution_refunds,
    finish_payments,
    finish_refunds,
    finish_settlements,
    invest,
    make_card,
    propose,
    settle,
    settle_campaigns,
)
from investments.tests.conftest import books_agree as ledger_agrees, invest_url, minor, refusal
from ledger import oracle
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def books_agree() -> bool:
    """And the provider's statement says the same."""
    assert reconcile("sandbox", now=timezone.now()).findings == []
    return ledger_agrees()


def page(api: Api, investment: Investment) -> Any:
    return api.as_user(investment.investor).get(f"/api/investments/{investment.pk}").json()


def ask_back(api: Api, investment: Investment, amount: str) -> Any:
    body = {"amount": amount, "paymentMethodId": str(investment.method_id)}
    return api.as_user(investment.investor).post(f"/api/investments/{investment.pk}/withdraw", body)


def sums(campaign: Campaign) -> tuple[int, int, int]:
    """What is raised and settled, in minor units, and how many have invested."""
    campaign.refresh_from_db()
    return campaign.raised_minor, campaign.settled_minor, campaign.investor_count


def status(investment: Investment) -> str:
    investment.refresh_from_db()
    return investment.status


@pytest.fixture
def investment(api: Api, backer: User, campaign: Campaign) -> Investment:
    """300.00 of a campaign that wants 1,000.00."""
    return invest(api, backer, campaign, "300")


@pytest.fixture
def rest(api: Api, friend: User, campaign: Campaign) -> Investment:
    """What is missing to the goal."""
    return invest(api, friend, campaign, "900")


@pytest.fixture
def campaign(founder: User) -> Campaign:
    """Live, goal 1,000.00 USD, at most 2,000.00."""
    return make_campaign(founder, max_amount="2000", min_investment="10")


# --- Before the campaign is decided ---------------------------------------------------------------------------------


class TestLive:
    def test_the_amount_is_frozen(self, api: Api, investment: Investment, campaign: Campaign) -> None:
        dispute(investment)
        one = Dispute.objects.get()
        assert (one.status, one.amount_minor, one.held_minor, one.loss_minor) == ("open", 300_00, 300_00, 0)
        assert sums(campaign) == (0, 0, 0)
        assert (minor("provider:sandbox:USD"), minor(f"dispute:{one.pk}")) == (0, 300_00)
        shown = page(api, investment)
        assert shown["status"] == "committed"
        (card,) = shown["disputes"]
        assert (card["status"], card["amount"], card["reason"], card["closedAt"]) == (
            "open",
            "300.00",
            "fraudulent",
            None,
        )
        assert "disputed" in [event["kind"] for event in shown["events"]]
        withdraw = next(one for one in shown["allowedActions"] if one["action"] == "withdraw")
        assert withdraw["because"] == "payment_disputed"
        assert refusal(ask_back(api, investment, "10")) == (409, "payment_disputed")
        assert books_agree()

    def test_it_comes_back_when_it_is_won(self, investment: Investment, campaign: Campaign) -> None:
        decide(dispute(investment), "won")
        assert (status(investment), sums(campaign)) == ("committed", (300_00, 0, 1))
        assert Dispute.objects.get().restored_minor == 300_00
        assert minor("provider:sandbox:USD") == 300_00
        assert books_agree()

    def test_it_is_gone_when_it_is_lost(self, api: Api, investment: Investment, campaign: Campaign) -> None:
        decide(dispute(investment), "lost")
        assert (status(investment), sums(campaign)) == ("refunded", (0, 0, 0))
        assert (minor("provider:sandbox:USD"), minor(f"escrow:campaign:{campaign.pk}")) == (0, 0)
        assert page(api, investment)["disputes"][0]["status"] == "lost"
        assert books_agree()

    def test_a_part(self, api: Api, investment: Investment, campaign: Campaign) -> None:
        one = dispute(investment, 100_00)
        assert sums(campaign) == (200_00, 0, 1)
        decide(one, "lost")
        assert (status(investment), sums(campaign)) == ("committed", (200_00, 0, 1))
        assert ask_back(api, investment, "200").json()["status"] == "refunded"
        assert books_agree()

    def test_two_disputes_of_one_charge(self, investment: Investment, campaign: Campaign) -> None:
        first, second = dispute(investment, 100_00), dispute(investment, 150_00)
        assert sums(campaign) == (50_00, 0, 1)
        decide(first, "won")
        decide(second, "lost")
        assert sums(campaign) == (150_00, 0, 1)
        assert books_agree()

    def test_a_freed_place_is_offered_and_kept(self, api: Api, backer: User, friend: User, founder: User) -> None:
        full = make_campaign(founder, goal_amount="300", max_amount="300", min_investment="10")
        held = invest(api, backer, full, "300")
        body = {"amount": "200", "paymentMethodId": str(make_card(friend).pk)}
        assert api.as_user(friend).post(f"/api/campaigns/{full.pk}/waitlist", body).status_code == 201
        one = dispute(held)
        assert api.as_user(friend).post(f"/api/campaigns/{full.pk}/waitlist/accept").status_code in (200, 201)
        decide(one, "won")
        finish_refunds(now=timezone.now())
        assert sums(full)[0] == 300_00
        (back,) = Refund.objects.all()
        assert (back.reason, back.amount_minor, back.status) == ("no_room", 200_00, "refunded")
        assert books_agree()

    def test_everybody_is_told(self, investment: Investment, founder: User, api: Api, person: Any) -> None:
        admin = person("admin", role="admin")
        decide(dispute(investment), "lost")
        deliver_events()
        told = {(one.user_id, one.kind) for one in Notification.objects.all()}
        for who, prefix in ((investment.investor_id, "investment"), (founder.pk, "backer"), (admin.pk, "staff")):
            assert {(who, f"{prefix}_disputed"), (who, f"{prefix}_dispute_lost")} <= told


# --- Refunds --------------------------------------------------------------------------------------------------------


class TestFees:
    """Of a charge that was paid with a fee: a campaign under rules that give the right to withdraw."""

    @pytest.fixture
    def campaign(self, founder: User, settings: Settings) -> Campaign:
        settings.FEE_SCHEDULE = "standard"
        return make_campaign(founder, max_amount="2000", min_investment="10", rules="us_reg_cf")

    @pytest.fixture
    def investment(self, api: Api, backer: User, campaign: Campaign) -> Investment:
        declare_profile(backer)
        return invest(api, backer, campaign, "300")

    def test_the_whole_charge_is_lost(self, investment: Investment, campaign: Campaign) -> None:
        decide(dispute(investment, 304_80), "lost")
        assert sums(campaign) == (0, 0, 0)
        assert (Dispute.objects.get().fee_minor, Dispute.objects.get().loss_minor) == (4_80, 0)
        assert (minor("provider:sandbox:USD"), minor("losses:disputes:USD")) == (0, 0)
        assert minor(f"fees:held:campaign:{campaign.pk}") == 0
        assert books_agree()
        settle(campaign)
        assert books_agree()

    def test_the_whole_charge_is_lost_after_settlement(
        self, api: Api, friend: User, investment: Investment, campaign: Campaign
    ) -> None:
        declare_profile(friend)
        invest(api, friend, campaign, "900")
        settle(campaign)
        assert minor("fees:provider:USD") == 4_80 + 13_80
        decide(dispute(investment, 304_80), "lost")
        assert minor("fees:provider:USD") == 13_80
        assert books_agree()

    def test_a_fee_that_went_back_before_is_a_loss(self, api: Api, investment: Investment, campaign: Campaign) -> None:
        """Refunded with its fee, and then disputed as a whole: all of it is the platform's loss."""
        assert ask_back(api, investment, "300").json()["fee"] == "4.80"
        decide(dispute(investment, 304_80), "lost")
        assert (Dispute.objects.get().fee_minor, minor("losses:disputes:USD")) == (0, 304_80)
        assert books_agree()

    def test_the_whole_charge_is_won(self, api: Api, investment: Investment, campaign: Campaign) -> None:
        decide(dispute(investment, 304_80), "won")
        assert ask_back(api, investment, "300").json()["fee"] == "4.80"
        assert books_agree()

    def test_refunds_that_are_void_give_nothing_back(
        self, api: Api, investment: Investment, campaign: Campaign, provider: StandIn
    ) -> None:
        provider.plan("refund", "lost before", "lost before")
        for part in ("100.01", "99.98"):
            assert ask_back(api, investment, part).json()["status"] == "pending"
        decide(dispute(investment, 200_00), "lost")
        finish_refunds(now=timezone.now() + timedelta(minutes=1))
        assert books_agree()
        settle(campaign)
        assert books_agree()


class TestRefunds:
    """Of a payment that is disputed while money is on its way back."""

    @pytest.fixture
    def on_its_way(self, api: Api, investment: Investment, provider: StandIn) -> Refund:
        """All of it was asked back; the provider has not heard of it."""
        provider.plan("refund", "lost before")
        assert ask_back(api, investment, "300").json()["status"] == "pending"
        return Refund.objects.get()

    def test_it_waits_and_is_void_when_the_dispute_is_lost(self, investment: Investment, on_its_way: Refund) -> None:
        one = dispute(investment)
        now = timezone.now() + timedelta(hours=3)
        finish_refunds(now=now)
        on_its_way.refresh_from_db()
        assert (on_its_way.status, on_its_way.attempt) == ("pending", 1)
        decide(one, "lost")
        on_its_way.refresh_from_db()
        assert (on_its_way.status, status(investment)) == ("voided", "cancelled")
        assert Dispute.objects.get().loss_minor == 0
        assert books_agree()

    def test_it_goes_on_when_the_dispute_is_won(self, investment: Investment, on_its_way: Refund) -> None:
        decide(dispute(investment), "won")
        finish_refunds(now=timezone.now() + timedelta(minutes=1))
        on_its_way.refresh_from_db()
        assert on_its_way.status == "refunded"
        assert SandboxCharge.objects.get().refunded_minor == 300_00
        assert books_agree()

    def test_it_was_done_and_its_answer_lost(self, api: Api, investment: Investment, provider: StandIn) -> None:
        """The provider sends it back and takes it back: what was refunded before is the platform's loss."""
        provider.plan("refund", "lost after")
        assert ask_back(api, investment, "300").json()["status"] == "pending"
        one = dispute(investment)
        decide(one, "lost")
        assert Refund.objects.get().status == "refunded"
        assert (Dispute.objects.get().loss_minor, minor("losses:disputes:USD")) == (300_00, 300_00)
        assert books_agree()

    def test_a_part_of_it(self, investment: Investment, on_its_way: Refund) -> None:
        """The rest still goes back, in a refund of its own."""
        decide(dispute(investment, 100_00), "lost")
        finish_refunds(now=timezone.now() + timedelta(minutes=1))
        assert list(Refund.objects.order_by("pk").values_list("status", "amount_minor")) == [
            ("voided", 300_00),
            ("refunded", 200_00),
        ]
        assert books_agree()

    def test_after_a_refund(self, api: Api, investment: Investment, campaign: Campaign) -> None:
        assert ask_back(api, investment, "300").json()["status"] == "refunded"
        one = dispute(investment)
        assert minor("overdraft:provider:sandbox:USD") == 300_00
        decide(one, "lost")
        assert minor("losses:disputes:USD") == 300_00
        assert (status(investment), sums(campaign)) == ("cancelled", (0, 0, 0))
        assert books_agree()

    def test_won_after_a_refund(self, api: Api, investment: Investment) -> None:
        ask_back(api, investment, "300")
        decide(dispute(investment), "won")
        assert (minor("losses:disputes:USD"), minor("overdraft:provider:sandbox:USD")) == (0, 0)
        assert books_agree()


# --- The end of a campaign ------------------------------------------------------------------------------------------


class TestClose:
    def test_success_is_decided_on_money_that_is_there(
        self, investment: Investment, rest: Investment, campaign: Campaign
    ) -> None:
        one = dispute(investment)
        settle(campaign)
        assert (campaign.outcome, status(rest), status(investment)) == ("failed", "refunded", "committed")
        decide(one, "won")
        finish_refunds(now=campaign.ends_at + timedelta(minutes=1))
        assert (status(investment), sums(campaign)) == ("refunded", (0, 0, 0))
        assert Refund.objects.get(payment=investment.payment).reason == "campaign_failed"
        assert books_agree()

    def test_lost_after_the_campaign_failed(self, investment: Investment, campaign: Campaign) -> None:
        one = dispute(investment)
        settle(campaign)
        decide(one, "lost")
        assert status(investment) == "refunded"
        assert not Refund.objects.exists()
        assert books_agree()

    def test_a_part_while_a_campaign_fails(self, investment: Investment, campaign: Campaign) -> None:
        """What is not disputed is asked back and waits; the campaign does not."""
        one = dispute(investment, 100_00)
        settle(campaign)
        assert Refund.objects.get().status == "pending"
        decide(one, "won")
        finish_refunds(now=campaign.ends_at + timedelta(minutes=1))
        assert sorted(Refund.objects.values_list("amount_minor", "status")) == [
            (100_00, "refunded"),
            (200_00, "refunded"),
        ]
        assert status(investment) == "refunded"
        assert books_agree()

    @pytest.fixture
    def funded(self, api: Api, friend: User, stranger: User, investment: Investment, campaign: Campaign) -> Campaign:
        """Its goal is reached without the one that is disputed."""
        invest(api, friend, campaign, "1000")
        return campaign

    def test_won_after_the_campaign_was_funded(self, investment: Investment, funded: Campaign) -> None:
        one = dispute(investment)
        settle(funded)
        assert (funded.outcome, status(investment), sums(funded)) == ("funded", "committed", (1000_00, 1000_00, 1))
        decide(one, "won")
        assert (status(investment), sums(funded)) == ("invested", (1300_00, 1300_00, 2))
        assert minor(f"payable:user:{funded.owner_id}:USD") == 1300_00
        assert books_agree()

    def test_lost_after_the_campaign_was_funded(self, investment: Investment, funded: Campaign) -> None:
        one = dispute(investment)
        settle(funded)
        decide(one, "lost")
        assert (status(investment), sums(funded)) == ("refunded", (1000_00, 1000_00, 1))
        assert minor(f"payable:user:{funded.owner_id}:USD") == 1000_00
        assert books_agree()

    def test_opened_after_settlement_takes_what_the_owner_is_owed(
        self, api: Api, investment: Investment, funded: Campaign
    ) -> None:
        settle(funded)
        one = dispute(investment)
        row = Dispute.objects.get()
        assert (row.is_released, row.payable_minor, row.held_minor, row.loss_minor) == (True, 300_00, 300_00, 0)
        assert sums(funded) == (1000_00, 1000_00, 1)
        assert status(investment) == "invested"
        assert refusal(ask_back(api, investment, "1")) == (409, "payment_disputed")
        assert books_agree()
        decide(one, "lost")
        assert (status(investment), minor(f"payable:user:{funded.owner_id}:USD")) == ("refunded", 1000_00)
        assert books_agree()

    def test_won_after_settlement(self, investment: Investment, funded: Campaign) -> None:
        settle(funded)
        decide(dispute(investment), "won")
        assert (status(investment), sums(funded)) == ("invested", (1300_00, 1300_00, 2))
        assert minor(f"payable:user:{funded.owner_id}:USD") == 1300_00
        assert books_agree()

    def test_opened_after_the_owner_was_paid(self, investment: Investment, funded: Campaign, founder: User) -> None:
        """There is nothing to take back: the platform bears it."""
        choose_target(founder)
        settle(funded)
        settle_campaigns(now=funded.ends_at + timedelta(minutes=1))
        finish_settlements(now=funded.ends_at + timedelta(minutes=5))
        assert Settlement.objects.get().status == "paid"
        decide(dispute(investment), "lost")
        row = Dispute.objects.get()
        assert (row.payable_minor, row.loss_minor, minor("losses:disputes:USD")) == (0, 300_00, 300_00)
        assert books_agree()

    def test_won_after_the_owner_was_paid(self, investment: Investment, funded: Campaign, founder: User) -> None:
        """What is released late is paid to the owner, too."""
        one = dispute(investment)
        choose_target(founder)
        settle(funded)
        settle_campaigns(now=funded.ends_at + timedelta(minutes=1))
        assert (Settlement.objects.get().status, Settlement.objects.get().paid_minor) == ("paid", 1000_00)
        decide(one, "won")
        settle_campaigns(now=funded.ends_at + timedelta(minutes=9))
        settlement = Settlement.objects.get()
        assert (settlement.status, settlement.paid_minor, settlement.late_minor) == ("paid", 1300_00, 300_00)
        assert books_agree()

    def test_lost_while_the_owner_waits_for_it(self, investment: Investment, funded: Campaign, founder: User) -> None:
        settle(funded)
        one = dispute(investment)
        choose_target(founder)
        settle_campaigns(now=funded.ends_at + timedelta(minutes=1))
        assert Settlement.objects.get().paid_minor == 1000_00
        decide(one, "lost")
        settle_campaigns(now=funded.ends_at + timedelta(hours=1))
        settlement = Settlement.objects.get()
        assert (settlement.paid_minor, settlement.withheld_minor, settlement.status) == (1000_00, 300_00, "paid")
        assert books_agree()

    def test_between_two_batches_of_the_release(
        self, investment: Investment, funded: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The escrow went with the first batch; the second one finds an investment that is disputed."""
        monkeypatch.setattr(closing, "BATCH", 1)
        order = list(Investment.objects.filter(campaign=funded).order_by("payment__pk"))
        last = order[-1]
        decide_campaign(funded.pk, now=funded.ends_at)
        assert closing._release_some(funded.pk, funded.ends_at)
        one = dispute(last)
        settle(funded)
        assert status(last) == "committed"
        decide(one, "won")
        assert (status(last), sums(funded)[:2]) == ("invested", (1300_00, 1300_00))
        assert books_agree()

    def test_the_statement_of_the_year_adds_up(self, api: Api, investment: Investment, funded: Campaign) -> None:
        first = dispute(investment, 100_00)
        settle(funded)
        decide(first, "won")
        second = dispute(investment, 50_00)
        decide(second, "lost")
        year = funded.ends_at.year
        answer = api.as_user(investment.investor).get(f"/api/investments/statement?year={year}").json()
        ((total,), kinds) = answer["totals"], [one["kind"] for one in answer["movements"]]
        assert kinds.count("settlement") == 2
        assert (total["closing"]["committed"], total["closing"]["invested"]) == ("0.00", "250.00")
        assert (total["settlements"], total["settledDisputes"], total["disputes"]) == ("300.00", "50.00", "0.00")


class TestFeesOfTheWholeCharge:
    """With a schedule: a dispute of the whole charge takes the fee, too."""

    @pytest.fixture(autouse=True)
    def schedule(self, settings: Any) -> None:
        settings.FEE_SCHEDULE = "standard"

    @pytest.mark.parametrize("outcome", ["won", "lost"])
    def test_while_a_campaign_fails(self, api: Api, backer: User, founder: User, schedule: None, outcome: str) -> None:
        campaign = make_campaign(founder, max_amount="2000", min_investment="10")
        investment = invest(api, backer, campaign, "300")
        paid = investment.payment.paid.minor
        assert paid > 300_00
        one = dispute(investment)
        assert Dispute.objects.get().loss_minor == paid - 300_00
        close_campaigns(now=campaign.ends_at + timedelta(seconds=1))
        campaign.refresh_from_db()
        assert campaign.status == "failed"  # the fee goes back with its refund, if it is won
        assert ledger_agrees()
        decide(one, outcome)
        close_campaigns(now=campaign.ends_at + timedelta(minutes=1))
        campaign.refresh_from_db()
        assert (campaign.status, status(investment)) == ("settled", "refunded")
        assert SandboxCharge.objects.get().refunded_minor == (paid if outcome == "won" else 0)
        assert books_agree()

    def test_a_refund_that_is_void(self, api: Api, backer: User, founder: User, provider: StandIn) -> None:
        campaign = make_campaign(founder, max_amount="2000", min_investment="10")
        investment = invest(api, backer, campaign, "300")
        provider.plan("refund", "lost before")
        assert ask_back(api, investment, "300").json()["status"] == "pending"
        decide(dispute(investment, 100_00), "lost")
        finish_refunds(now=timezone.now() + timedelta(minutes=1))
        states = list(Refund.objects.order_by("pk").values_list("status", "amount_minor"))
        assert states == [("voided", 300_00), ("refunded", 200_00)]
        assert books_agree()


# --- Distributions --------------------------------------------------------------------------------------------------


class TestDistributions:
    @pytest.fixture
    def settled(self, api: Api, friend: User, campaign: Campaign, investment: Investment, rest: Investment) -> Campaign:
        return settle(campaign)

    def test_a_disputed_holding_has_no_part(
        self, api: Api, settled: Campaign, founder: User, moderator: User, person: Any, investment: Investment
    ) -> None:
        dispute(investment)
        distribution = propose(api, founder, settled, "120")
        approve(person("admin", role="admin"), distribution)
        distribute_returns(now=timezone.now())
        distribution.refresh_from_db()
        assert (distribution.status, distribution.holder_count) == ("paid", 1)
        assert books_agree()

    @pytest.fixture
    def proposed(self, api: Api, settled: Campaign, founder: User) -> Distribution:
        return propose(api, founder, settled, "120")

    def test_it_waits_until_its_payment_stands(self, proposed: Distribution, person: Any) -> None:
        admin = person("admin", role="admin")
        one = contest(proposed.charge.key)
        with pytest.raises(PaymentDisputed):
            approve(admin, proposed)
        decide(one, "won")
        approve(admin, proposed)
        distribute_returns(now=timezone.now())
        proposed.refresh_from_db()
        assert proposed.status == "paid"
        assert books_agree()

    @pytest.mark.parametrize("approved", [False, True])
    def test_lost_before_it_is_divided(self, proposed: Distribution, person: Any, approved: bool) -> None:
        if approved:
            seen = evidence_of(proposed, proposed.charge, holders_of(proposed.campaign_id))
            admin = person("admin", role="admin")
            approve_distribution(staff=admin, distribution_id=proposed.pk, seen=seen, now=timezone.now())
        one = contest(proposed.charge.key)
        assert distribute(proposed.pk, now=timezone.now()) is False or not approved
        decide(one, "lost")
        proposed.refresh_from_db()
        proposed.charge.refresh_from_db()
        assert (proposed.status, proposed.charge.status) == ("rejected", "disputed")
        assert minor(f"distribution:{proposed.pk}") == 0
        assert books_agree()

    def test_lost_after_it_was_paid(self, proposed: Distribution, person: Any, founder: User) -> None:
        """Its holders keep it; the owner answers with what is owed to them."""
        approve(person("admin", role="admin"), proposed)
        distribute_returns(now=timezone.now())
        before = minor(f"payable:user:{founder.pk}:USD")
        decide(contest(proposed.charge.key), "lost")
        assert minor(f"payable:user:{founder.pk}:USD") == before - 120_00
        proposed.refresh_from_db()
        assert proposed.status == "paid"
        assert books_agree()

    @pytest.mark.parametrize("outcome", ["won", "lost"])
    def test_while_a_rejected_one_goes_back(
        self, proposed: Distribution, person: Any, provider: StandIn, outcome: str
    ) -> None:
        provider.plan("refund", "lost before", "lost before", "lost before")
        seen = evidence_of(proposed, proposed.charge, holders_of(proposed.campaign_id))
        reject_distribution(
            staff=person("admin", role="admin"),
            distribution_id=proposed.pk,
            seen=seen,
            reason="No.",
            now=timezone.now(),
        )
        one = contest(proposed.charge.key)
        finish_distribution_refunds(now=timezone.now() + timedelta(hours=2))
        provider.plans.clear()
        decide(one, outcome)
        finish_distribution_refunds(now=timezone.now() + timedelta(hours=2))
        proposed.charge.refresh_from_db()
        assert proposed.charge.status == {"won": "refunded", "lost": "disputed"}[outcome]
        assert books_agree()


# --- What the provider tells ----------------------------------------------------------------------------------------


class TestEvents:
    def test_closed_before_it_was_opened(self, investment: Investment, campaign: Campaign) -> None:
        sandbox = SandboxGateway()
        opened = sandbox.open_dispute(investment.payment.key, now=timezone.now())
        early = event_about_dispute(opened, now=timezone.now())
        decide(opened, "lost")
        received_id = receive_event(provider="sandbox", body=early[0], headers=early[1], now=timezone.now())
        assert received_id is not None
        apply_event(received_id, now=timezone.now())
        assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {"applied"}
        steps = (
            Event.objects.filter(kind__startswith="investment.dispute").order_by("pk").values_list("kind", flat=True)
        )
        assert list(steps) == ["investment.disputed", "investment.dispute_lost"]
        assert status(investment) == "refunded"
        assert books_agree()

    def test_before_the_capture_is_known(
        self, api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
    ) -> None:
        provider.plan("charge", "lost after")
        api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(card.pk)})
        investment = Investment.objects.get()
        assert investment.status == "pending"
        dispute(investment)
        assert (status(investment), Dispute.objects.get().held_minor, sums(campaign)) == (
            "committed",
            100_00,
            (0, 0, 0),
        )
        assert books_agree()

    def test_an_unknown_charge(self, caplog: pytest.LogCaptureFixture) -> None:
        SandboxCharge.objects.create(
            key="payment-of-nobody", amount_minor=500, currency="USD", state="captured", captured_at=timezone.now()
        )
        contest("payment-of-nobody")
        kept = ProviderEvent.objects.get()
        assert (kept.outcome, kept.note) == ("set_aside", "a dispute about no charge of ours")
        assert "a provider event does not fit" in caplog.text
        found = {(one.check.value, one.about) for one in reconcile("sandbox", now=timezone.now()).findings}
        assert ("extra", "dispute") in found

    def test_an_unknown_dispute(self, investment: Investment) -> None:
        body = json.dumps({"id": "evt_1", "type": "dispute.open", "data": {"disputeId": "dp_nothing"}}).encode()
        headers = {SIGNATURE_HEADER: sign(body, timezone.now())}
        received_id = receive_event(provider="sandbox", body=body, headers=headers, now=timezone.now())
        assert received_id is not None
        apply_event(received_id, now=timezone.now())
        assert ProviderEvent.objects.get().outcome == "set_aside"
        assert not Dispute.objects.exists()

    @pytest.mark.parametrize("column, value", [("amount_minor", 999_999_00), ("currency", "EUR")])
    def test_what_cannot_be(self, investment: Investment, campaign: Campaign, column: str, value: Any) -> None:
        """More than was charged, or another currency."""
        opened = SandboxGateway().open_dispute(investment.payment.key, now=timezone.now())
        if column == "currency":
            SandboxCharge.objects.update(currency=value)
        else:
            opened.amount_minor = value
            opened.save()
        body, headers = event_about_dispute(opened, now=timezone.now())
        received_id = receive_event(provider="sandbox", body=body, headers=headers, now=timezone.now())
        assert received_id is not None
        apply_event(received_id, now=timezone.now())
        assert ProviderEvent.objects.get().outcome == "set_aside"
        assert (sums(campaign), Dispute.objects.exists()) == ((300_00, 0, 1), False)
        assert ledger_agrees()

    def test_the_oracle_sees_one_that_was_won_and_paid_for(self, investment: Investment) -> None:
        decide(dispute(investment), "won")
        books = StringIO()
        call_command("ledger_export", stdout=books)
        lines = [json.loads(line) for line in books.getvalue().splitlines()]
        assert oracle.check(map(json.dumps, lines))[0] == []
        freeze = next(one for one in lines if one.get("key", "").startswith("dispute-freeze:") and one["entries"])
        resolved = next(one for one in lines if one.get("key") == f"{freeze['key']}/resolved")
        resolved |= {"phase": "posted", "entries": freeze["entries"]}
        faults = oracle.check(map(json.dumps, lines))[0]
        assert any("won, and paid for as if it were lost" in fault for fault in faults)

    def test_the_table_refuses_other_steps(self, investment: Investment) -> None:
        decide(dispute(investment), "won")
        for change in ({"status": "open", "closed_at": None}, {"status": "lost"}, {"amount_minor": 1}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Dispute.objects.update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            Dispute.objects.all().delete()


# --- The sandbox ----------------------------------------------------------------------------------------------------


class TestSandbox:
    def ask(self, api: Api, who: User, investment: Investment, outcome: str) -> Any:
        return api.as_user(who).post(f"/api/sandbox/payments/{investment.pk}/dispute", {"outcome": outcome})

    def test_a_dispute_from_beginning_to_end(
        self, api: Api, backer: User, stranger: User, person: Any, investment: Investment, settings: Any
    ) -> None:
        assert refusal(self.ask(api, backer, investment, "won")) == (409, "dispute_not_open")
        for _ in range(2):
            opened = self.ask(api, backer, investment, "open")
            assert (opened.status_code, opened.json()["status"], opened.json()["amount"]) == (200, "open", "300.00")
        assert self.ask(api, stranger, investment, "lost").status_code == 404
        lost = self.ask(api, person("admin", role="admin"), investment, "lost")
        assert (lost.status_code, lost.json()["status"], lost.json()["id"]) == (200, "lost", opened.json()["id"])
        assert self.ask(api, backer, investment, "lost").status_code == 200
        for outcome in ("won", "open"):
            assert refusal(self.ask(api, backer, investment, outcome)) == (409, "dispute_closed")
        assert self.ask(api, backer, investment, "maybe").status_code == 400
        settings.PAYMENTS_PROVIDER = "stripe"
        assert self.ask(api, backer, investment, "lost").status_code == 404
        assert Dispute.objects.count() == 1
        assert books_agree()

    def test_nothing_was_taken(self, api: Api, backer: User, campaign: Campaign) -> None:
        card = make_card(backer, "tok_3ds")
        api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(card.pk)})
        assert refusal(self.ask(api, backer, Investment.objects.get(), "open")) == (409, "charge_not_disputable")

    def test_a_card_that_is_charged_back(self, api: Api, backer: User, campaign: Campaign) -> None:
        investment = invest(api, backer, campaign, "100", make_card(backer, "tok_chargeback"))
        assert not Dispute.objects.exists()
        finish_payments(now=timezone.now() + timedelta(seconds=10))
        assert (status(investment), sums(campaign)) == ("committed", (0, 0, 0))
        assert Dispute.objects.get().status == "open"
        assert books_agree()

    def test_a_slow_card(self, api: Api, backer: User, campaign: Campaign) -> None:
        """It was charged; the answer came when nobody waited any more."""
        card = make_card(backer, "tok_slow")
        asked = api.as_user(backer).post(invest_url(campaign), {"amount": "100", "paymentMethodId": str(card.pk)})
        assert (asked.status_code, asked.json()["status"]) == (200, "pending")
        finish_payments(now=timezone.now() + timedelta(minutes=2))
        assert status(Investment.objects.get()) == "committed"
        assert books_agree()

    def test_their_numbers_are_published(self, api: Api, backer: User) -> None:
        for number in ("4000000000000077", "4000000000000259"):
            details = {"number": number, "expiryMonth": 12, "expiryYear": 2030, "cvv": "123"}
            made = api.as_user(backer).post("/api/investments/payment-methods", {"type": "card", "details": details})
            assert (made.status_code, made.json()["last4"]) == (201, number[-4:])


def test_the_deadline_and_an_open_dispute(investment: Investment, campaign: Campaign) -> None:
    """The job does not come back to a campaign that only waits for the end of a dispute."""
    one = dispute(investment)
    settle(campaign)
    assert not list(closing.campaigns_to_close(campaign.ends_at + timedelta(days=1)))
    decide(one, "won")
    close_campaigns(now=campaign.ends_at + timedelta(minutes=2))
    assert status(investment) == "refunded"
    assert books_agree()
