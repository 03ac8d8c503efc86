"""The owner of a funded campaign is paid: the target, two people, the provider, and what goes wrong on the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.money import Money
from core.testing import WAIT_LIMIT, Api, commits, drain_outbox, together
from investments import books
from investments.errors import AlreadyApproved, EvidenceChanged
from investments.models import Approval, Investment, PayoutTarget, SandboxPayout, Settlement, SettlementPayment
from investments.reconciliation import reconcile
from investments.services import settlements
from investments.services.approvals import check_settings, payout_limit
from investments.services.payout_targets import set_payout_target
from investments.services.settlements import advance, approve_settlement, read_case, send_payment, withhold
from investments.testing import (
    StandIn,
    approve_payment,
    choose_target,
    close_campaigns,
    decide as close_dispute,
    dispute,
    finish_refunds,
    finish_settlements,
    invest,
    make_bank_account,
    settle,
    settle_campaigns,
)
from investments.tests.conftest import books_agree, minor, refusal
from investments.tests.test_money_model import scratch
from ledger import oracle
from ledger.errors import InsufficientFunds, PostingKeyReused
from ledger.models import LedgerAccount
from ledger.services.accounts import open_account
from ledger.services.postings import credit, debit
from ledger.services.reservations import reserve
from ledger.tests.test_commands import guards_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled(api: Api, backer: User, campaign: Campaign) -> Campaign:
    """Funded with 1,100.00 of backer, whose owner has no target."""
    invest(api, backer, campaign, "1100")
    return settle(campaign)


@pytest.fixture
def ines(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


@pytest.fixture
def otto(person: Callable[..., User]) -> User:
    return person("otto", role="admin")


@pytest.fixture
def two(settings: Settings) -> None:
    """Any sum above 1,000.00 takes two people."""
    settings.TWO_PERSON_ABOVE = {"*": "1000"}


def of(campaign: Campaign) -> Settlement:
    return Settlement.objects.select_related("owner", "campaign").get(campaign=campaign)


def is_sound() -> bool:
    return books_agree() and not reconcile("sandbox", now=timezone.now()).findings


def owed(person: User) -> int:
    return minor(f"payable:user:{person.pk}:USD")


def shown(api: Api, owner: User, campaign: Campaign) -> Any:
    answer = api.as_user(owner).get(f"/api/campaigns/{campaign.pk}/settlement")
    assert answer.status_code == 200, answer.content
    return answer.json()


def notices(api: Api, person: User) -> list[str]:
    return [one["kind"] for one in api.as_user(person).get("/api/notifications").json()["items"]]


def paid_out() -> int:
    return sum(SandboxPayout.objects.filter(reason="").values_list("amount_minor", flat=True))


def test_below_the_sum_the_rules_approve(api: Api, founder: User, settled: Campaign) -> None:
    before = shown(api, founder, settled)
    assert (before["status"], before["because"], before["target"]) == ("waiting_for_target", "no_payout_target", None)
    assert (before["gross"], before["fees"], before["net"], before["currency"]) == ("1100.00", "0.00", "1100.00", "USD")
    drain_outbox()
    assert "settlement_needs_target" in notices(api, founder)
    choose_target(founder)
    drain_outbox()
    after = shown(api, founder, settled)
    assert (after["status"], after["paid"], after["remaining"], after["because"]) == ("paid", "1100.00", "0.00", None)
    assert after["target"]["paymentMethod"]["last4"] == "6789"
    assert after["paidAt"]
    assert (owed(founder), paid_out()) == (0, 1100_00)
    assert "settlement_paid" in notices(api, founder)
    settle_campaigns(now=timezone.now() + timedelta(days=1))
    assert (SettlementPayment.objects.count(), paid_out()) == (1, 1100_00), "once"
    assert is_sound()


def test_a_target_that_was_chosen_before(api: Api, founder: User, backer: User, campaign: Campaign) -> None:
    choose_target(founder)
    invest(api, backer, campaign, "1000")
    settle(campaign)
    drain_outbox()
    assert shown(api, founder, campaign)["status"] == "paid"
    assert "settlement_needs_target" not in notices(api, founder)
    assert is_sound()


def test_who_sees_it(
    api: Api, founder: User, backer: User, stranger: User, ines: User, campaign: Campaign, moderator: User
) -> None:
    path = f"/api/campaigns/{campaign.pk}/settlement"
    assert refusal(api.as_user(founder).get(path)) == (404, "no_settlement")
    invest(api, backer, campaign, "1000")
    settle(campaign)
    for who in (backer, stranger, moderator):
        assert refusal(api.as_user(who).get(path)) == (403, "not_the_owner")
    assert api.as_user(ines).get(path).status_code == 200
    hidden = make_campaign(founder, status="draft")
    assert api.as_user(stranger).get(f"/api/campaigns/{hidden.pk}/settlement").status_code == 404


def test_a_failed_campaign_owes_nothing(api: Api, founder: User, backer: User, campaign: Campaign) -> None:
    invest(api, backer, campaign, "20")
    late = campaign.ends_at + timedelta(hours=1)
    close_campaigns(now=late)
    drain_outbox()
    finish_refunds(now=late + timedelta(hours=1))
    drain_outbox()
    assert not Settlement.objects.exists()


def test_without_an_identity_nothing_is_paid(founder: User, settled: Campaign) -> None:
    choose_target(founder)
    User.objects.filter(pk=founder.pk).update(identity_verified_at=None)
    drain_outbox()
    one = of(settled)
    assert (one.status, one.because) == ("waiting_for_target", "kyc_required")
    User.objects.filter(pk=founder.pk).update(identity_verified_at=timezone.now())
    settle_campaigns(now=timezone.now())
    drain_outbox()
    assert of(settled).status == "paid"
    assert is_sound()


# --- Two people -----------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(founder: User, settled: Campaign, two: None) -> Settlement:
    """Above the sum, with a verified target."""
    choose_target(founder)
    drain_outbox()
    settlement = of(settled)
    assert settlement.status == "waiting_for_approval"
    return settlement


def decide(staff: User, settlement: Settlement, seen: str | None = None, **form: str) -> Any:
    """On the page of the admin."""
    browser = Client()
    browser.force_login(staff)
    page = reverse("admin:investments_settlement_change", args=[settlement.pk])
    answer = browser.get(page)
    assert answer.status_code == 200
    with commits():
        return browser.post(page, {"seen": answer.context["seen"] if seen is None else seen, **form})


def test_two_people_approve(api: Api, founder: User, ines: User, otto: User, waiting: Settlement) -> None:
    assert decide(ines, waiting, decision="approve").status_code == 302
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out()) == ("waiting_for_approval", 0)
    assert decide(ines, waiting, decision="approve").status_code == 409, "the same person counts once"
    assert decide(otto, waiting, decision="approve").status_code == 302
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out()) == ("paid", 1100_00)
    assert decide(otto, waiting, decision="approve").status_code == 409, "decided"
    assert "settlement_approved" in notices(api, founder)
    assert is_sound()


def test_a_rejection_voids_approvals(
    api: Api, founder: User, ines: User, otto: User, person: Callable[..., User], waiting: Settlement
) -> None:
    assert decide(otto, waiting, decision="approve").status_code == 302
    assert decide(ines, waiting, decision="reject").status_code == 400, "without a reason"
    assert decide(ines, waiting, decision="reject", reason="The contract is missing.").status_code == 302
    seen = shown(api, founder, waiting.campaign)
    assert (seen["status"], seen["because"], seen["reason"]) == (
        "waiting_for_approval",
        "rejected",
        "The contract is missing.",
    )
    approve_payment(ines, waiting)
    drain_outbox()
    assert of(waiting.campaign).status == "waiting_for_approval", "the first approval was void"
    approve_payment(otto, waiting)
    drain_outbox()
    assert of(waiting.campaign).status == "paid"
    assert is_sound()


def test_what_has_changed_since_is_not_decided(founder: User, ines: User, otto: User, waiting: Settlement) -> None:
    seen = read_case(waiting).digest
    approve_payment(otto, waiting)
    choose_target(founder)
    for decision in ("approve", "reject"):
        answer = decide(ines, waiting, seen, decision=decision, reason="x")
        assert answer.status_code == 409
    drain_outbox()
    assert of(waiting.campaign).status == "waiting_for_approval"
    with pytest.raises(EvidenceChanged):
        approve_settlement(staff=ines, settlement_id=waiting.pk, seen=seen, now=timezone.now())
    approve_payment(ines, waiting)
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out()) == ("waiting_for_approval", 0), "of otto's nothing is left"
    assert is_sound()


def test_a_freeze_after_the_approvals_voids_them(ines: User, otto: User, waiting: Settlement) -> None:
    approve_payment(ines, waiting)
    freeze(waiting, "100")
    approve_payment(otto, waiting)
    drain_outbox()
    assert of(waiting.campaign).status == "waiting_for_approval"
    approve_payment(ines, waiting)
    freeze(waiting, "50", "later")
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out()) == ("waiting_for_approval", 0), "between approval and payment"


def test_a_dispute_voids_approvals_and_once_lost_is_not_owed(
    founder: User, backer: User, ines: User, otto: User, waiting: Settlement
) -> None:
    approve_payment(ines, waiting)
    opened = dispute(Investment.objects.get(investor=backer), 50_00)
    approve_payment(otto, waiting)
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out()) == ("waiting_for_approval", 0)
    close_dispute(opened, "lost")
    assert read_case(of(waiting.campaign)).disputes == {"lost": 1}
    for who in (ines, otto):
        approve_payment(who, waiting)
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out(), owed(founder)) == ("paid", 1050_00, 0)
    assert is_sound()


def test_not_by_its_owner_nor_by_a_holder(founder: User, backer: User, moderator: User, waiting: Settlement) -> None:
    for who in (founder, backer):
        User.objects.filter(pk=who.pk).update(role="admin")
        who.refresh_from_db()
        assert decide(who, waiting, decision="approve").status_code == 403
    browser = Client()
    browser.force_login(moderator)
    page = reverse("admin:investments_settlement_change", args=[waiting.pk])
    assert browser.get(page).status_code == browser.post(page, {"decision": "approve"}).status_code == 403
    assert not Approval.objects.exists()


def test_approvals_only_grow(ines: User, waiting: Settlement) -> None:
    approve_payment(ines, waiting)
    for change in (lambda: Approval.objects.update(digest="0" * 64), lambda: Approval.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(AlreadyApproved):
        approve_payment(ines, waiting)


def test_one_campaign_of_many_owes_above_the_sum(
    api: Api, founder: User, friend: User, ines: User, otto: User, waiting: Settlement
) -> None:
    """The owner's account holds the money of another campaign too; each gets its own and no more."""
    other = make_campaign(founder, goal_amount="500")
    invest(api, friend, other, "500")
    settle(other)
    drain_outbox()
    assert (of(other).status, paid_out(), owed(founder)) == ("paid", 500_00, 1100_00)
    approve_payment(ines, waiting)
    approve_payment(otto, waiting)
    drain_outbox()
    assert (owed(founder), paid_out()) == (0, 1600_00)
    assert is_sound()


# --- What is there, and what the provider says ----------------------------------------------------------------------


def freeze(settlement: Settlement, amount: str, key: str = "frozen") -> Any:
    """As a dispute does: a reservation out of what the owner is owed."""
    now = timezone.now()
    payable = open_account(f"payable:user:{settlement.owner_id}:USD", kind="liability", currency="USD", now=now)
    held = open_account("held:back", kind="liability", currency="USD", now=now)
    money = Money.of(amount, "USD")
    with transaction.atomic():
        return reserve(key=key, kind="t.frozen", lines=[debit(payable, money), credit(held, money)], now=now)


def test_what_is_frozen_remains(api: Api, founder: User, settled: Campaign) -> None:
    from ledger.services.reservations import void_reserved

    held = freeze(of(settled), "300")
    choose_target(founder)
    drain_outbox()
    seen = shown(api, founder, settled)
    assert (seen["status"], seen["paid"], seen["remaining"]) == ("waiting_for_approval", "800.00", "300.00")
    assert seen["because"] == "partly_paid"
    assert "settlement_partly_paid" in notices(api, founder)
    settle_campaigns(now=timezone.now() + timedelta(hours=1))
    assert (of(settled).because, paid_out()) == ("nothing_available", 800_00)
    with transaction.atomic():
        void_reserved(held, now=timezone.now())
    settle_campaigns(now=timezone.now() + timedelta(hours=2))
    drain_outbox()
    assert (of(settled).status, paid_out(), owed(founder)) == ("paid", 1100_00, 0)
    keys = list(SandboxPayout.objects.order_by("id").values_list("key", flat=True))
    assert [key.rpartition("-")[2] for key in keys] == ["1", "2"]
    assert is_sound()


def test_what_is_withheld_is_not_owed(founder: User, settled: Campaign) -> None:
    now = timezone.now()
    payable = open_account(f"payable:user:{founder.pk}:USD", kind="liability", currency="USD", now=now)
    lost = open_account("t:lost", kind="liability", currency="USD", now=now)
    from ledger.services.postings import post

    with transaction.atomic():
        withhold(settled.pk, 100_00, now=now)
        money = Money.of("100", "USD")
        post(key="t:lost", kind="t.lost", lines=[debit(payable, money), credit(lost, money)], now=now)
    choose_target(founder)
    drain_outbox()
    assert (of(settled).status, of(settled).net_minor, paid_out(), owed(founder)) == ("paid", 1000_00, 1000_00, 0)


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "reset", "died"])
def test_silence_is_asked_again_with_the_same_key(
    api: Api, founder: User, settled: Campaign, provider: StandIn, mishap: str
) -> None:
    provider.plan("payout", mishap)
    choose_target(founder)
    try:
        drain_outbox()
    except KeyboardInterrupt:
        pass
    assert shown(api, founder, settled)["status"] == "paying"
    settle_campaigns(now=timezone.now() + timedelta(hours=2))
    payment = SettlementPayment.objects.get()
    finish_settlements(now=timezone.now() + timedelta(minutes=2))
    send_payment(payment.pk, now=timezone.now() + timedelta(minutes=2))
    assert shown(api, founder, settled)["status"] == "paid"
    assert set(provider.asked("payout")) == {f"settlement-{of(settled).pk}-1"}
    assert paid_out() == 1100_00
    assert is_sound()


def test_a_clear_no_waits_again_with_its_reason(api: Api, founder: User, settled: Campaign, provider: StandIn) -> None:
    provider.plan("payout", "refused")
    choose_target(founder)
    drain_outbox()
    seen = shown(api, founder, settled)
    assert (seen["status"], seen["because"]) == ("waiting_for_approval", "insufficient_provider_balance")
    assert (owed(founder), paid_out()) == (1100_00, 0)
    assert "settlement_failed" in notices(api, founder)
    settle_campaigns(now=timezone.now() + timedelta(minutes=50))
    assert SettlementPayment.objects.count() == 1, "not before an hour"
    settle_campaigns(now=timezone.now() + timedelta(minutes=70))
    drain_outbox()
    assert (of(settled).status, paid_out()) == ("paid", 1100_00)
    assert len(set(provider.asked("payout"))) == 2, "another key"
    assert is_sound()


def test_a_new_target_after_a_no_is_paid_at_once(founder: User, settled: Campaign, provider: StandIn) -> None:
    provider.plan("payout", "refused")
    choose_target(founder)
    drain_outbox()
    choose_target(founder)
    drain_outbox()
    assert (of(settled).status, paid_out()) == ("paid", 1100_00)
    assert is_sound()


def test_after_a_no_two_people_look_again(ines: User, otto: User, waiting: Settlement, provider: StandIn) -> None:
    provider.plan("payout", "refused")
    for who in (ines, otto):
        approve_payment(who, waiting)
    drain_outbox()
    settle_campaigns(now=timezone.now() + timedelta(hours=2))
    assert (of(waiting.campaign).status, paid_out()) == ("waiting_for_approval", 0)
    for who in (ines, otto):
        approve_payment(who, waiting)
    drain_outbox()
    assert (of(waiting.campaign).status, paid_out()) == ("paid", 1100_00)
    assert is_sound()


def test_the_provider_of_the_target_holds_too_little(founder: User, settled: Campaign) -> None:
    target = choose_target(founder)
    type(target.method).objects.filter(pk=target.method_id).update(provider="stripe")
    drain_outbox()
    assert (of(settled).status, of(settled).because) == ("approved", "provider_balance")
    assert is_sound()


def test_the_command(founder: User, settled: Campaign, capsys: Any) -> None:
    choose_target(founder)
    call_command("settle_campaign", "--dry-run")
    call_command("settle_campaign", "--dry-run", "--campaign", str(settled.pk))
    assert capsys.readouterr().out.count("1 due") == 2
    assert not SettlementPayment.objects.exists()
    call_command("settle_campaign", "--campaign", str(settled.pk))
    assert "1 done, 0 left" in capsys.readouterr().out
    call_command("settle_campaign")
    assert "0 done, 0 left" in capsys.readouterr().out
    for wrong in ("7", str(founder.pk)):
        with pytest.raises(CommandError):
            call_command("settle_campaign", "--campaign", wrong, stdout=StringIO())
    drain_outbox()
    assert (SettlementPayment.objects.count(), paid_out()) == (1, 1100_00)


def test_the_database_keeps_it(founder: User, settled: Campaign) -> None:
    rows = Settlement.objects.filter(campaign=settled)
    wrong: dict[str, Any]
    for wrong in (
        {"gross_minor": 1200_00},
        {"paid_minor": 1100_01},
        {"status": "paid"},
        {"owner": settled.owner_id, "fees_minor": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    choose_target(founder)
    drain_outbox()
    for wrong in ({"status": "approved", "paid_at": None}, {"paid_minor": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        SettlementPayment.objects.update(status="pending")


class TestReconcile:
    """What it calls faults of settlements."""

    @pytest.fixture
    def paid(self, founder: User, settled: Campaign) -> Settlement:
        choose_target(founder)
        drain_outbox()
        assert self.found() == []
        return of(settled)

    def found(self, minutes: int = 0) -> list[tuple[str, str]]:
        result = reconcile("sandbox", now=timezone.now() + timedelta(minutes=minutes))
        return sorted((one.check.value, one.about) for one in result.findings)

    def test_the_provider_does_not_have_it(self, paid: Settlement) -> None:
        SandboxPayout.objects.all().delete()
        assert self.found() == [("missing", "payout"), ("sum", "provider")]

    def test_another_amount(self, paid: Settlement) -> None:
        SandboxPayout.objects.update(amount_minor=1100_01)
        assert self.found() == [("differing", "payout"), ("sum", "provider")]

    def test_one_that_never_ends(self, founder: User, settled: Campaign, provider: StandIn) -> None:
        provider.plan("payout", "lost before")
        choose_target(founder)
        drain_outbox()
        assert self.found(14) == []
        assert self.found(16) == [("late", "payout")]

    def test_sums_that_were_changed(self, paid: Settlement) -> None:
        with guards_off("investments_settlement"):
            Settlement.objects.update(gross_minor=1100_01, paid_minor=1099_99)
        assert self.found() == [("sum", "settlement")] * 3

    def test_a_payment_that_nobody_approved(self, ines: User, otto: User, waiting: Settlement) -> None:
        for who in (ines, otto):
            approve_payment(who, waiting)
        drain_outbox()
        assert self.found() == []
        with guards_off("investments_approval"):
            Approval.objects.filter(person=otto).delete()
        assert self.found() == [("unapproved", "settlement")]

    def test_a_release_without_a_settlement(self, paid: Settlement) -> None:
        with guards_off("investments_settlementpayment"):
            SettlementPayment.objects.all().delete()
        Settlement.objects.all().delete()
        assert self.found() == [("extra", "payout"), ("sum", "settlement"), ("unexplained", "provider")]

    def test_the_oracle_sees_more_paid_than_was_released(self, paid: Settlement) -> None:
        books = StringIO()
        call_command("ledger_export", stdout=books)
        lines = [line for line in books.getvalue().splitlines() if '"key":"release:' not in line]
        faults, _ = oracle.check(lines)
        assert any("was paid 110000 minor units more than was released" in fault for fault in faults)


# --- Dying, running beside itself -----------------------------------------------------------------------------------


class Death(BaseException):
    """The process ends here."""


def test_killed_before_any_statement_it_goes_on(founder: User, settled: Campaign) -> None:
    """Dies before its first statement that writes, in another try before the second, and so on to the last one."""
    choose_target(founder)
    died = 0
    while _dies_before(died, settled):
        died += 1
    assert died >= 4


def _dies_before(number: int, campaign: Campaign) -> bool:
    """Whether there is such a statement; whatever it leaves is brought to the same end, then all is undone."""
    left = [number]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            left[0] -= 1
            if left[0] < 0:
                raise Death
        return execute(sql, params, many, context)

    def pay() -> None:
        advance(of(campaign).pk, now=timezone.now())
        for payment_id in SettlementPayment.objects.values_list("pk", flat=True):
            send_payment(payment_id, now=timezone.now())

    with scratch():
        died = False
        try:
            with connection.execute_wrapper(count):
                pay()
        except Death:
            died = True
        pay()
        pay()
        assert (of(campaign).status, owed(campaign.owner), paid_out()) == ("paid", 0, 1100_00)
        assert SettlementPayment.objects.count() == 1
        transaction.set_rollback(True)
    return died


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_pay_once(founder: User, settled: Campaign) -> None:
    choose_target(founder)
    pk, now = of(settled).pk, timezone.now()

    def one(number: int) -> None:
        try:
            advance(pk, now=now)
            for payment_id in SettlementPayment.objects.values_list("pk", flat=True):
                send_payment(payment_id, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(one, range(100)))
    assert (of(settled).status, SettlementPayment.objects.count(), paid_out()) == ("paid", 1, 1100_00)
    assert is_sound()


@pytest.mark.django_db(transaction=True)
def test_two_commands_side_by_side_pay_once(founder: User, settled: Campaign) -> None:
    choose_target(founder)
    together(*[lambda: call_command("settle_campaign", stdout=StringIO())] * 2)
    drain_outbox()
    assert (of(settled).status, SettlementPayment.objects.count(), paid_out()) == ("paid", 1, 1100_00)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_twin(founder: User, settled: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the settlement's lock both find it unpaid; only the table keeps it from being reserved twice."""
    choose_target(founder)
    barrier, lock_owed = Barrier(2), books.lock_owed

    def only_read(settlement_id: Any) -> settlements.Case:
        return read_case(of(settled))

    def after_both_have_read(*about: Any) -> Any:
        barrier.wait(timeout=WAIT_LIMIT)
        return lock_owed(*about)

    monkeypatch.setattr(settlements, "_lock_case", only_read)
    monkeypatch.setattr(books, "lock_owed", after_both_have_read)
    pk, now = of(settled).pk, timezone.now()
    outcomes = together(*[lambda: advance(pk, now=now)] * 2)
    assert sum(isinstance(one, IntegrityError | PostingKeyReused | InsufficientFunds) for one in outcomes) == 1


@pytest.mark.django_db(transaction=True)
def test_a_payment_against_a_freeze(api: Api, founder: User, settled: Campaign) -> None:
    """Whoever comes first: what is frozen is not paid, what is paid is not frozen."""
    choose_target(founder)
    settlement, now = of(settled), timezone.now()
    together(lambda: advance(settlement.pk, now=now), lambda: freeze(settlement, "300"))
    drain_outbox()
    frozen = LedgerAccount.objects.get(code=f"payable:user:{founder.pk}:USD").pending_out
    assert (paid_out(), frozen) in ((1100_00, 0), (800_00, 300_00))
    assert books_agree()


@pytest.mark.django_db(transaction=True)
def test_a_payment_against_a_freeze_twin(
    api: Api, founder: User, friend: User, ines: User, otto: User, waiting: Settlement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock of the owner's account, what was frozen after two people looked is not noticed."""
    other = make_campaign(founder, goal_amount="1100")
    invest(api, friend, other, "1100")
    settle(other)  # waits for two people as well: its money lies on the same account, so that the books have enough
    for who in (ines, otto):
        approve_payment(who, waiting)

    def freeze_after_reading(owner_id: Any, currency: str, provider: str, now: Any) -> Any:
        codes = (f"payable:user:{owner_id}:USD", "provider:sandbox:USD")
        read = [LedgerAccount.objects.get(code=code) for code in codes]
        together(lambda: freeze(waiting, "100"))
        return read

    monkeypatch.setattr(books, "lock_owed", freeze_after_reading)
    advance(waiting.pk, now=timezone.now())
    assert SettlementPayment.objects.filter(settlement=waiting).exists(), "approved as it was before"


@pytest.mark.django_db(transaction=True)
def test_an_approval_against_a_change_of_target(founder: User, ines: User, otto: User, waiting: Settlement) -> None:
    """Whoever comes first: the money goes to no account that two people have not seen."""
    approve_payment(otto, waiting)
    seen, now = read_case(waiting).digest, timezone.now()
    method = make_bank_account(founder)

    def approve() -> Any:
        return approve_settlement(staff=ines, settlement_id=waiting.pk, seen=seen, now=now)

    def change() -> Any:
        return set_payout_target(owner=founder, payment_method_id=method.pk, now=now)

    together(approve, change)
    advance(waiting.pk, now=now)
    target = PayoutTarget.objects.get(owner=founder, removed_at=None)
    assert target.method_id == method.pk
    assert not SettlementPayment.objects.filter(target=target).exists()
    drain_outbox()
    assert SettlementPayment.objects.count() == paid_out() == 0
    assert of(waiting.campaign).status in ("waiting_for_target", "waiting_for_approval")


@pytest.mark.django_db(transaction=True)
def test_an_approval_against_a_change_of_target_twin(
    founder: User, ines: User, otto: User, waiting: Settlement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock of the target, a payment goes to an account that was replaced before it began."""
    for who in (ines, otto):
        approve_payment(who, waiting)
    read = settlements._lock_case

    def change_after_read(settlement_id: Any) -> Any:
        case = read_case(of(waiting.campaign))
        together(lambda: set_payout_target(owner=founder, payment_method_id=method.pk, now=timezone.now()))
        return case._replace(settlement=of(waiting.campaign))

    method = make_bank_account(founder)
    old = PayoutTarget.objects.get(owner=founder, removed_at=None)
    monkeypatch.setattr(settlements, "_lock_case", change_after_read)
    advance(waiting.pk, now=timezone.now())
    monkeypatch.setattr(settlements, "_lock_case", read)
    assert SettlementPayment.objects.get().target == old
    old.refresh_from_db()
    assert old.removed_at is not None


@pytest.mark.django_db(transaction=True)
def test_one_person_approving_twice_at_once_counts_once(ines: User, waiting: Settlement) -> None:
    seen, now = read_case(waiting).digest, timezone.now()

    def approve() -> Any:
        return approve_settlement(staff=ines, settlement_id=waiting.pk, seen=seen, now=now)

    outcomes = together(*[approve] * 5)
    assert sum(isinstance(one, AlreadyApproved) for one in outcomes) == 4
    assert (Approval.objects.count(), of(waiting.campaign).status) == (1, "waiting_for_approval")


@pytest.mark.parametrize("wrong", [{"USD": "5"}, {"*": "nothing"}, {"*": "10.00"}, {"*": "5", "EUR": "-1"}])
def test_limits_that_are_no_amounts_stop_the_start(settings: Settings, wrong: dict[str, str]) -> None:
    settings.TWO_PERSON_ABOVE = wrong
    with pytest.raises(ImproperlyConfigured, match="TWO_PERSON_ABOVE"):
        check_settings()


def test_limits_by_currency(settings: Settings) -> None:
    settings.TWO_PERSON_ABOVE = {"*": "10000", "JPY": "1500000"}
    check_settings()
    assert (payout_limit("JPY"), payout_limit("KWD")) == (Money(1500000, "JPY"), Money(10_000_000, "KWD"))
