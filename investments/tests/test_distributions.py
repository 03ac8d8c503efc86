"""An owner pays money back to those who hold the campaign: proposed, paid in, decided by staff, credited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.models import Event
from core.money import Money
from core.testing import Api, drain_outbox
from investments.models import Distribution, DistributionCharge, Investment, Return, SandboxCharge
from investments.reconciliation import reconcile
from investments.services import distributing
from investments.services.charging import UnexpectedCharge, record_charge
from investments.services.distributing import distribute
from investments.testing import (
    StandIn,
    approve,
    distribute_returns,
    finish_distribution_refunds,
    finish_distributions,
    invest,
    make_card,
    propose,
    settle,
)
from investments.tests.conftest import books_agree, minor, refusal
from investments.tests.test_money_model import scratch

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled(api: Api, backer: User, friend: User, campaign: Campaign) -> Campaign:
    """Funded with 700.00 of backer and 400.00 of friend, and paid to its owner."""
    invest(api, backer, campaign, "700")
    invest(api, friend, campaign, "400")
    return settle(campaign)


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


def url(campaign: Campaign) -> str:
    return f"/api/campaigns/{campaign.pk}/distributions"


def body(owner: User, amount: Any = "110", token: str = "tok_visa", **changes: Any) -> dict[str, Any]:
    return {"amount": amount, "kind": "dividend", "paymentMethodId": str(make_card(owner, token).pk), **changes}


def is_sound() -> bool:
    return books_agree() and not reconcile("sandbox", now=timezone.now()).findings


def returned(person: User) -> int:
    return minor(f"returns:user:{person.pk}:USD")


def test_from_the_proposal_to_the_holders(
    api: Api, founder: User, backer: User, friend: User, stranger: User, admin: User, settled: Campaign
) -> None:
    answer = api.as_user(founder).post(url(settled), body(founder, note="A good year."))
    made = answer.json()
    assert (answer.status_code, made["status"], made["paymentStatus"]) == (201, "proposed", "captured")
    assert (made["amount"], made["currency"], made["note"], made["perHolder"]) == (
        "110.00",
        "USD",
        "A good year.",
        None,
    )
    distribution = Distribution.objects.get(pk=made["id"])
    assert minor(f"distribution:{distribution.pk}") == 110_00
    assert api.as_user(backer).get(url(settled)).json()["items"] == [], "nobody has approved it"
    assert refusal(api.as_user(stranger).get(url(settled))) == (403, "investors_only")

    approve(admin, distribution)
    assert distribute_returns(now=timezone.now()).failed == 0
    distribution.refresh_from_db()
    assert (distribution.status, distribution.holder_count, distribution.decided_by) == ("paid", 2, admin)
    assert (returned(backer), returned(friend)) == (70_00, 40_00)
    assert minor(f"distribution:{distribution.pk}") == 0

    [seen] = api.as_user(backer).get(url(settled)).json()["items"]
    assert (seen["status"], seen["perHolder"], seen["amount"], seen["creditedAmount"]) == (
        "paid",
        "70.00",
        "110.00",
        None,
    )
    for who in (founder, admin):
        [seen] = api.as_user(who).get(url(settled)).json()["items"]
        assert (seen["perHolder"], seen["creditedAmount"], seen["holderCount"]) == (None, "110.00", 2)
    page = api.as_user(backer).get("/api/investments/returns").json()
    assert page["totals"] == [{"currency": "USD", "amount": "70.00", "available": "70.00"}]
    [item] = page["items"]
    investment = Investment.objects.get(investor=backer)
    assert (item["investmentId"], item["amount"], item["kind"]) == (str(investment.pk), "70.00", "dividend")
    assert item["campaign"]["id"] == str(settled.pk)
    one = api.as_user(backer).get(f"/api/investments/{investment.pk}").json()
    assert [(r["amount"], r["kind"]) for r in one["returns"]] == [("70.00", "dividend")]
    assert one["events"][-1]["kind"] == "returned"
    assert api.as_user(backer).get("/api/profile/investments").json()["totals"][0]["returned"] == "70.00"
    notices = api.as_user(backer).get("/api/notifications").json()["items"]
    assert "investment_returned" in [notice["kind"] for notice in notices]
    assert is_sound()


def test_who_may_propose_and_what(
    api: Api, founder: User, backer: User, campaign: Campaign, settled: Campaign, person: Callable[..., User]
) -> None:
    other = make_campaign(founder)
    assert refusal(api.as_user(founder).post(url(other), body(founder))) == (409, "campaign_not_settled")
    assert refusal(api.as_user(backer).post(url(settled), body(backer))) == (403, "not_the_owner")
    foreign = {**body(founder), "paymentMethodId": str(make_card(backer).pk)}
    assert refusal(api.as_user(founder).post(url(settled), foreign)) == (404, "payment_method_not_found")
    for wrong in ({"amount": "0"}, {"amount": "1.001"}, {"amount": "-5"}, {"kind": "gift"}, {"note": "x" * 501}):
        answer = api.as_user(founder).post(url(settled), {**body(founder), **wrong})
        assert answer.status_code == 400, wrong
    failed = settle(make_campaign(founder))
    assert refusal(api.as_user(founder).post(url(failed), body(founder))) == (409, "campaign_not_settled")
    assert not Distribution.objects.exists()


def test_a_decline_is_an_outcome(api: Api, founder: User, settled: Campaign) -> None:
    asked = body(founder, token="tok_declined")
    first = api.as_user(founder).post(url(settled), asked, idempotency_key="k")
    assert (refusal(first), first.json()["reason"]) == ((409, "distribution_declined"), "card_declined")
    again = api.as_user(founder).post(url(settled), asked, idempotency_key="k")
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    [seen] = api.as_user(founder).get(url(settled)).json()["items"]
    assert (seen["status"], seen["paymentStatus"], seen["failureCode"]) == ("rejected", "failed", "card_declined")
    assert is_sound()


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "reset"])
def test_silence_is_pending_and_a_repeat_goes_on(
    api: Api, founder: User, settled: Campaign, provider: StandIn, mishap: str
) -> None:
    provider.plan("charge", mishap)
    asked = body(founder)
    first = api.as_user(founder).post(url(settled), asked, idempotency_key="k")
    assert (first.status_code, first.json()["paymentStatus"]) == (201, "pending")
    assert refusal(api.as_user(founder).post(url(settled), asked)) == (409, "distribution_under_way")
    again = api.as_user(founder).post(url(settled), asked, idempotency_key="k")
    assert (again.json()["id"], again.json()["paymentStatus"]) == (first.json()["id"], "captured")
    assert SandboxCharge.objects.filter(amount_minor=110_00).count() == 1
    assert is_sound()


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "died"])
def test_the_finisher_finds_out(api: Api, founder: User, settled: Campaign, provider: StandIn, mishap: str) -> None:
    provider.plan("charge", mishap)
    try:
        api.as_user(founder).post(url(settled), body(founder))
    except KeyboardInterrupt:
        pass
    finish_distributions(now=timezone.now() + timedelta(minutes=2))
    assert DistributionCharge.objects.get().status == "captured"
    assert is_sound()


def test_3d_secure_is_answered_at_the_provider(api: Api, founder: User, settled: Campaign) -> None:
    made = api.as_user(founder).post(url(settled), body(founder, token="tok_3ds")).json()
    assert (made["paymentStatus"], made["status"]) == ("requires_action", "proposed")
    page = made["nextAction"]["url"].partition("/sandbox/")[2]
    Client().post(f"/sandbox/{page}", {"answer": "approve"})
    drain_outbox()
    charge = DistributionCharge.objects.get()
    assert (charge.status, minor(f"distribution:{charge.distribution_id}")) == ("captured", 110_00)
    assert is_sound()


def test_3d_secure_that_nobody_answers_is_given_up(api: Api, founder: User, settled: Campaign) -> None:
    api.as_user(founder).post(url(settled), body(founder, token="tok_3ds"))
    finish_distributions(now=timezone.now() + timedelta(minutes=16))
    distribution = Distribution.objects.get()
    assert (distribution.status, distribution.charge.status) == ("rejected", "failed")
    assert is_sound()


def test_another_amount_is_not_booked(api: Api, founder: User, settled: Campaign, provider: StandIn) -> None:
    from dataclasses import replace

    provider.plan("charge", "lost after")
    api.as_user(founder).post(url(settled), body(founder))
    charge = DistributionCharge.objects.get()
    answer = replace(provider.find(key=charge.key), amount=Money(1, "USD"))
    with pytest.raises(UnexpectedCharge):
        record_charge(charge, answer, now=timezone.now())
    charge.refresh_from_db()
    assert charge.status == "pending"


class TestDecision:
    """On the admin's page, bound to what it showed."""

    @pytest.fixture
    def distribution(self, api: Api, founder: User, settled: Campaign) -> Distribution:
        return propose(api, founder, settled, "110")

    def decide(self, staff: User, distribution: Distribution, seen: str | None = None, **form: str) -> Any:
        browser = Client()
        browser.force_login(staff)
        page = reverse("admin:investments_distribution_change", args=[distribution.pk])
        shown = browser.get(page)
        assert shown.status_code == 200
        return browser.post(page, {"seen": shown.context["seen"] if seen is None else seen, **form})

    def test_approved(self, backer: User, admin: User, distribution: Distribution) -> None:
        assert self.decide(admin, distribution, decision="approve").status_code == 302
        drain_outbox()
        assert returned(backer) == 70_00
        assert self.decide(admin, distribution, decision="approve").status_code == 409, "decided already"
        assert is_sound()

    def test_rejected_and_its_money_goes_back_once(
        self, founder: User, admin: User, distribution: Distribution, provider: StandIn
    ) -> None:
        assert self.decide(admin, distribution, decision="reject").status_code == 400, "without a reason"
        provider.plan("refund", "lost after", "lost before")
        answer = self.decide(admin, distribution, decision="reject", reason="The accounts are missing.")
        assert answer.status_code == 302
        drain_outbox()
        distribution.refresh_from_db()
        assert (distribution.status, distribution.reason) == ("rejected", "The accounts are missing.")
        for minutes in (6, 12, 18):
            finish_distribution_refunds(now=timezone.now() + timedelta(minutes=minutes))
        charge = DistributionCharge.objects.get()
        assert (charge.status, SandboxCharge.objects.get(key=charge.key).refunded_minor) == ("refunded", 110_00)
        assert minor(f"distribution:{distribution.pk}") == 0
        assert Event.objects.filter(kind="distribution.refunded").count() == 1
        distribute(distribution.pk, now=timezone.now())
        assert not Return.objects.exists()
        assert is_sound()

    def test_a_refused_refund_is_asked_again_under_a_new_key(
        self, admin: User, distribution: Distribution, provider: StandIn
    ) -> None:
        provider.plan("refund", "refused")
        self.decide(admin, distribution, decision="reject", reason="No.")
        drain_outbox()
        charge = DistributionCharge.objects.get()
        assert (charge.status, charge.refund_attempt, charge.failure_code) == (
            "refunding",
            2,
            "insufficient_provider_balance",
        )
        finish_distribution_refunds(now=timezone.now() + timedelta(hours=2))
        charge.refresh_from_db()
        assert (charge.status, len(set(provider.asked("refund")))) == ("refunded", 2)
        assert is_sound()

    def test_what_has_changed_since_is_not_decided(self, admin: User, distribution: Distribution) -> None:
        browser = Client()
        browser.force_login(admin)
        page = reverse("admin:investments_distribution_change", args=[distribution.pk])
        seen = browser.get(page).context["seen"]
        Distribution.objects.filter(pk=distribution.pk).update(note="Something else.")
        for decision in ("approve", "reject"):
            assert browser.post(page, {"seen": seen, "decision": decision, "reason": "x"}).status_code == 409
        distribution.refresh_from_db()
        assert distribution.status == "proposed"

    def test_not_by_its_owner_nor_by_a_holder(self, founder: User, backer: User, distribution: Distribution) -> None:
        for who in (founder, backer):
            User.objects.filter(pk=who.pk).update(role="admin")
            who.refresh_from_db()
            assert self.decide(who, distribution, decision="approve").status_code == 403
        distribution.refresh_from_db()
        assert distribution.status == "proposed"

    def test_not_before_it_is_paid_in(self, api: Api, founder: User, admin: User, settled: Campaign) -> None:
        api.as_user(founder).post(url(settled), body(founder, token="tok_3ds"))
        assert self.decide(admin, Distribution.objects.get(), decision="approve").status_code == 409

    def test_a_moderator_has_no_place_here(self, moderator: User, distribution: Distribution) -> None:
        browser = Client()
        browser.force_login(moderator)
        page = reverse("admin:investments_distribution_change", args=[distribution.pk])
        assert browser.get(page).status_code == browser.post(page, {"decision": "approve"}).status_code == 403

    def test_the_database_knows_who_may_not(self, founder: User, distribution: Distribution) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Distribution.objects.filter(pk=distribution.pk).update(
                status="approved", decided_by=founder, decided_at=timezone.now()
            )


# --- Splitting ------------------------------------------------------------------------------------------------------


def hold(campaign: Campaign, weights: list[int], person: Callable[..., User]) -> list[Investment]:
    """Holders of a settled campaign as closing leaves them, in the order of their investments."""
    from core.data.ids import uuid7
    from investments.models import Payment
    from ledger.services.accounts import open_accounts
    from ledger.services.postings import credit, debit, post

    now = timezone.now()
    investor = person("holder", identity=True)
    method = make_card(investor)
    Investment.objects.bulk_create(
        made := [
            Investment(
                id=uuid7(),
                campaign=campaign,
                investor=investor,
                method=method,
                amount_minor=weight,
                currency="USD",
                status="invested",
                reference=f"VG-{number:09d}"[:14],
                created_at=now,
                updated_at=now,
            )
            for number, weight in enumerate(weights)
        ]
    )
    with transaction.atomic():
        bank, other = open_accounts(*_two(), now=now)
        cent = Money(1, "USD")
        postings = [
            post(key=f"t:{one.pk}", kind="t", lines=[debit(bank, cent), credit(other, cent)], now=now) for one in made
        ]
    Payment.objects.bulk_create(
        Payment(
            investment=one,
            provider="sandbox",
            key=f"t-{one.pk}",
            status="captured",
            captured_minor=one.amount_minor,
            reservation=posting,
            expires_at=now,
            updated_at=now,
        )
        for one, posting in zip(made, postings, strict=True)
    )
    return made


def _two() -> Any:
    from ledger.services.accounts import Nature

    return Nature("t:bank", "asset", "USD"), Nature("t:other", "liability", "USD")


@pytest.fixture
def empty(founder: User) -> Campaign:
    """Settled, with holders to come."""
    campaign = make_campaign(founder)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE campaigns_campaign SET status = 'settled', outcome = 'funded', raised_minor = goal_minor, "
            "settled_minor = goal_minor, closed_at = now(), settled_at = now() WHERE id = %s",
            [campaign.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize("holders", [3, 7, 997])
def test_a_hundred_adds_up(
    api: Api, founder: User, admin: User, empty: Campaign, person: Callable[..., User], holders: int
) -> None:
    made = hold(empty, [10_00] * holders, person)
    distribution = propose(api, founder, empty, "100")
    approve(admin, distribution)
    assert distribute(distribution.pk, now=timezone.now())
    parts = dict(Return.objects.values_list("investment_id", "amount_minor"))
    in_order = [parts[one.pk] for one in made]
    whole, rest = divmod(100_00, holders)
    assert in_order == [whole + 1] * rest + [whole] * (holders - rest), "ties go to the earliest"
    assert minor(f"distribution:{distribution.pk}") == 0
    assert distribute(distribution.pk, now=timezone.now()), "again changes nothing"
    assert returned(made[0].investor) == 100_00
    assert Return.objects.exclude(credited_at=None).count() == Event.objects.filter(kind="investment.returned").count()


def test_less_than_a_cent_each_is_nobody(
    api: Api, founder: User, admin: User, empty: Campaign, person: Callable[..., User]
) -> None:
    made = hold(empty, [10_00, 30_00, 10_00, 20_00], person)
    distribution = propose(api, founder, empty, "0.02")
    approve(admin, distribution)
    assert distribute(distribution.pk, now=timezone.now())
    parts = dict(Return.objects.values_list("investment_id", "amount_minor"))
    assert parts == {made[1].pk: 1, made[3].pk: 1}
    distribution.refresh_from_db()
    assert (distribution.status, distribution.holder_count) == ("paid", 2)


def test_refunds_count_and_the_command_says_what_it_did(
    api: Api, founder: User, admin: User, empty: Campaign, person: Callable[..., User], capsys: Any
) -> None:
    from investments.models import Payment

    made = hold(empty, [30_00, 10_00, 10_00], person)
    Payment.objects.filter(investment=made[0]).update(refunded_minor=20_00)
    Payment.objects.filter(investment=made[1]).update(refunded_minor=10_00)
    distribution = propose(api, founder, empty, "10")
    approve(admin, distribution)
    call_command("distribute_returns", "--dry-run")
    assert "1 due" in capsys.readouterr().out
    assert not Return.objects.exists()
    call_command("distribute_returns")
    assert "1 done, 0 left" in capsys.readouterr().out
    assert dict(Return.objects.values_list("investment_id", "amount_minor")) == {made[0].pk: 5_00, made[2].pk: 5_00}


# --- Dying, running twice, running beside itself --------------------------------------------------------------------


class Death(BaseException):
    """The process ends here."""


def test_killed_before_any_statement_it_goes_on(
    api: Api, founder: User, admin: User, empty: Campaign, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dies before its first statement that writes, in another try before the second, and so on to the last one."""
    monkeypatch.setattr(distributing, "BATCH", 2)
    hold(empty, [10_00, 20_00, 30_00, 40_00, 50_00], person)
    distribution = propose(api, founder, empty, "7.77")
    approve(admin, distribution)
    died = 0
    while _dies_before(died, distribution):
        died += 1
    assert died >= 8


def _dies_before(number: int, distribution: Distribution) -> bool:
    """Whether there is such a statement; whatever it leaves is brought to the same end, then all is undone."""
    left = [number]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            left[0] -= 1
            if left[0] < 0:
                raise Death
        return execute(sql, params, many, context)

    with scratch():
        died = False
        try:
            with connection.execute_wrapper(count):
                distribute(distribution.pk, now=timezone.now())
        except Death:
            died = True
        credited = sum(Return.objects.exclude(credited_at=None).values_list("amount_minor", flat=True))
        assert minor(f"distribution:{distribution.pk}") == 7_77 - credited
        assert distribute(distribution.pk, now=timezone.now())
        assert (Distribution.objects.get().status, minor(f"distribution:{distribution.pk}")) == ("paid", 0)
        assert Event.objects.filter(kind="investment.returned").count() == 5
        assert sorted(Return.objects.values_list("amount_minor", flat=True)) == [52, 104, 155, 207, 259]
        transaction.set_rollback(True)
    return died


def test_no_more_than_was_paid_in(
    api: Api, founder: User, admin: User, empty: Campaign, person: Callable[..., User]
) -> None:
    """Whatever a bug makes of the parts, the books do not pay more than they hold."""
    from ledger.errors import InsufficientFunds

    made = hold(empty, [10_00, 10_00], person)
    distribution = propose(api, founder, empty, "1")
    approve(admin, distribution)
    Return.objects.create(
        distribution=distribution, investment=made[0], investor=made[0].investor, amount_minor=1_01, currency="USD"
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE investments_distribution SET split_at = now(), holder_count = 1")
    with pytest.raises(InsufficientFunds):
        distribute(distribution.pk, now=timezone.now())
    assert minor(f"distribution:{distribution.pk}") == 1_00


def test_time_moves_nothing_by_itself(
    api: Api, founder: User, settled: Campaign, time_machine: TimeMachineFixture
) -> None:
    propose(api, founder, settled, "110")
    time_machine.move_to(timezone.now() + timedelta(days=400))
    distribute_returns(now=timezone.now())
    assert not Return.objects.exists()


def test_lists_take_the_same_number_of_queries_for_one_row_and_for_three(
    api: Api,
    founder: User,
    backer: User,
    admin: User,
    settled: Campaign,
) -> None:
    clients = api.as_user(backer), api.as_user(founder)
    paths = "/api/investments/returns", url(settled)

    def counts() -> list[int]:
        found = []
        for client, path in ((clients[0], paths[0]), (clients[0], paths[1]), (clients[1], paths[1])):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            found.append(len(queries))
        return found

    def pay(amount: str) -> None:
        distribution = propose(api, founder, settled, amount)
        approve(admin, distribution)
        assert distribute(distribution.pk, now=timezone.now())

    pay("10")
    counts()
    once = counts()
    pay("20")
    pay("30")
    assert counts() == once
    page = clients[0].get(paths[0], {"limit": "2"}).json()
    rest = clients[0].get(paths[0], {"limit": "2", "cursor": page["nextCursor"]}).json()
    assert [item["amount"] for item in (*page["items"], *rest["items"])] == ["19.09", "12.73", "6.36"]
