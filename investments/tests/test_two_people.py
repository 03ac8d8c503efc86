"""Large refunds and payouts, refunds that staff propose, and corrections of the books: two people decide."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.money import Money
from core.testing import Api, commits, drain_outbox, together
from investments.errors import (
    EvidenceChanged,
    NotCorrectable,
    NotWaitingForApproval,
    OwnMoney,
    StaffRefundOpen,
)
from investments.models import (
    Approval,
    Correction,
    Investment,
    Payment,
    Payout,
    Refund,
    SandboxRefund,
    Settlement,
    StaffRefund,
)
from investments.reconciliation import reconcile
from investments.services import staff_refunds
from investments.services.corrections import approve_correction, digest_of_correction, propose_correction
from investments.services.distributing import distribute
from investments.services.locks import Locked
from investments.services.staff_refunds import approve_staff_refund, digest_of_proposal, propose_refund
from investments.statements import statement_of
from investments.testing import (
    approve,
    choose_target,
    close_campaigns,
    finish_refunds,
    invest,
    propose,
    settle,
)
from investments.tests.conftest import books_agree, minor, refusal
from ledger.errors import InsufficientFunds
from ledger.models import Posting
from ledger.services.accounts import open_account
from ledger.services.postings import credit, debit, post
from ledger.tests.test_commands import guards_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


@pytest.fixture
def otto(person: Callable[..., User]) -> User:
    return person("otto", role="admin")


@pytest.fixture
def low_limits(settings: Settings) -> None:
    settings.TWO_PERSON_ABOVE = {"*": "50"}
    settings.TWO_PERSON_REFUND_ABOVE = {"*": "500"}


def is_sound(minutes: int = 0) -> bool:
    return books_agree() and not reconcile("sandbox", now=timezone.now() + timedelta(minutes=minutes)).findings


def page(staff: User, name: str, pk: Any) -> tuple[Client, str, Any]:
    browser = Client()
    browser.force_login(staff)
    address = reverse(f"admin:investments_{name}_change", args=[pk])
    return browser, address, browser.get(address)


def decide(staff: User, name: str, pk: Any, decision: str = "approve", seen: str | None = None, **form: str) -> Any:
    browser, address, shown = page(staff, name, pk)
    assert shown.status_code == 200
    with commits():
        found = shown.context["seen"] if seen is None else seen
        return browser.post(address, {"seen": found, "decision": decision, **form})


def withdraw(api: Api, who: User, investment: Investment, amount: str, **headers: Any) -> Any:
    body = {"amount": amount, "paymentMethodId": str(investment.method_id)}
    return api.as_user(who).post(f"/api/investments/{investment.pk}/withdraw", body, **headers)


def kinds(api: Api, who: User, investment: Investment) -> list[str]:
    return [event["kind"] for event in api.as_user(who).get(f"/api/investments/{investment.pk}").json()["events"]]


def refunded() -> int:
    return sum(SandboxRefund.objects.values_list("amount_minor", flat=True))


# --- Large refunds --------------------------------------------------------------------------------------------------


def test_a_large_withdrawal_waits_for_two_people(
    api: Api, backer: User, campaign: Campaign, ines: User, otto: User, low_limits: None
) -> None:
    investment = invest(api, backer, campaign, "900")
    assert withdraw(api, backer, investment, "100").json()["status"] == "refunded", "a small one does not"
    first = withdraw(api, backer, investment, "800", idempotency_key="k")
    assert first.json()["status"] == "pending"
    drain_outbox()
    finish_refunds(now=timezone.now() + timedelta(hours=1))
    assert kinds(api, backer, investment)[-2:] == ["withdrawal_requested", "awaiting_approval"]
    assert (refunded(), is_sound(60)) == (100_00, True), "not late: people are waited for"
    held = Refund.objects.get(status="pending")
    User.objects.filter(pk=backer.pk).update(role="admin")
    assert decide(backer, "refund", held.pk).status_code == 403, "not the one who gets it"
    assert decide(ines, "refund", held.pk).status_code == 302
    assert decide(ines, "refund", held.pk).status_code == 409
    drain_outbox()
    assert refunded() == 100_00
    assert decide(otto, "refund", held.pk, seen="0" * 64).status_code == 409
    assert decide(otto, "refund", held.pk).status_code == 302
    drain_outbox()
    assert withdraw(api, backer, investment, "800", idempotency_key="k").json()["status"] == "refunded"
    assert refunded() == 900_00
    assert decide(otto, "refund", held.pk).status_code == 409, "done"
    assert kinds(api, backer, investment)[-2:] == ["approved", "refunded"]
    assert is_sound()


def test_closing_waits_for_them(
    api: Api, backer: User, friend: User, campaign: Campaign, ines: User, otto: User, low_limits: None
) -> None:
    invest(api, backer, campaign, "600")
    invest(api, friend, campaign, "300")
    late = campaign.ends_at + timedelta(seconds=1)
    close_campaigns(now=late)
    drain_outbox()
    close_campaigns(now=late)
    campaign.refresh_from_db()
    assert (campaign.status, refunded()) == ("failed", 300_00)
    held = Refund.objects.get(status="pending")
    assert held.is_held
    for who in (ines, otto):
        assert decide(who, "refund", held.pk).status_code == 302
    drain_outbox()
    close_campaigns(now=late)
    campaign.refresh_from_db()
    assert (campaign.status, refunded()) == ("settled", 900_00)
    assert is_sound()


def test_the_database_sends_nothing_that_waits(api: Api, backer: User, campaign: Campaign, low_limits: None) -> None:
    investment = invest(api, backer, campaign, "900")
    withdraw(api, backer, investment, "900")
    rows = Refund.objects.all()
    for wrong in ({"status": "refunded"}, {"people_needed": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)


# --- Large payouts of returns ---------------------------------------------------------------------------------------


@pytest.fixture
def returned(api: Api, founder: User, backer: User, campaign: Campaign, ines: User) -> Investment:
    investment = invest(api, backer, campaign, "1000")
    settle(campaign)
    distribution = propose(api, founder, campaign, "120")
    approve(ines, distribution)
    assert distribute(distribution.pk, now=timezone.now())
    return Investment.objects.get(pk=investment.pk)


def test_a_large_payout_waits_for_two_people(
    api: Api, backer: User, returned: Investment, ines: User, otto: User, low_limits: None
) -> None:
    assert withdraw(api, backer, returned, "50").json()["status"] == "paid"
    first = withdraw(api, backer, returned, "70", idempotency_key="k")
    assert first.json()["status"] == "pending"
    assert refusal(withdraw(api, backer, returned, "0.01")) == (409, "withdrawal_too_large"), "it is reserved"
    held = Payout.objects.get(status="pending")
    for who in (ines, otto):
        assert decide(who, "payout", held.pk).status_code == 302
    drain_outbox()
    assert withdraw(api, backer, returned, "70", idempotency_key="k").json()["status"] == "paid"
    assert is_sound()
    with guards_off("investments_approval"):
        Approval.objects.filter(person=otto).update(digest="0" * 64)
    findings = reconcile("sandbox", now=timezone.now()).findings
    assert [(one.check.value, one.about) for one in findings] == [("unapproved", "payout")]


def test_a_large_payout_that_is_rejected(
    api: Api, backer: User, returned: Investment, ines: User, low_limits: None
) -> None:
    withdraw(api, backer, returned, "70", idempotency_key="k")
    held = Payout.objects.get(status="pending")
    assert decide(ines, "payout", held.pk, "reject").status_code == 302
    again = withdraw(api, backer, returned, "70", idempotency_key="k")
    assert (refusal(again), again.json()["reason"]) == ((409, "payout_declined"), "not_approved")
    assert minor(f"returns:user:{backer.pk}:USD") == 120_00
    assert is_sound()


# --- Refunds that staff propose -------------------------------------------------------------------------------------


def test_staff_refund_a_commitment_of_a_live_campaign(
    api: Api, backer: User, founder: User, campaign: Campaign, ines: User, low_limits: None
) -> None:
    investment = invest(api, backer, campaign, "900")
    browser = Client()
    browser.force_login(ines)
    shown = browser.get(reverse("admin:investments_investment_change", args=[investment.pk]))
    address = reverse("admin:investments_staffrefund_propose", args=[investment.pk])
    assert address in shown.content.decode()
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"amount": "1.001", "reason": "x"}).status_code == 400
    assert browser.post(address, {"amount": "100"}).status_code == 400, "without a reason"
    assert browser.post(address, {"amount": "900.01", "reason": "x"}).status_code == 409
    with commits():
        assert browser.post(address, {"amount": "100", "reason": "They have paid twice."}).status_code == 302
    drain_outbox()
    campaign.refresh_from_db()
    assert (refunded(), campaign.raised_minor) == (100_00, 800_00)
    assert StaffRefund.objects.get().status == "approved"
    assert kinds(api, backer, investment)[-1] == "refunded"
    User.objects.filter(pk__in=[backer.pk, founder.pk]).update(role="admin")
    for who in (backer, founder):
        browser.force_login(User.objects.get(pk=who.pk))
        assert browser.post(address, {"amount": "1", "reason": "x"}).status_code == 403
    assert is_sound()


def seen_of(proposal: StaffRefund) -> str:
    payment = Payment.objects.select_related("investment__campaign").get(investment=proposal.investment_id)
    return digest_of_proposal(StaffRefund.objects.get(pk=proposal.pk), payment)


def test_above_the_sum_a_second_person_approves(
    api: Api, backer: User, campaign: Campaign, ines: User, otto: User, low_limits: None
) -> None:
    investment = invest(api, backer, campaign, "900")
    about: Any = {"investment_id": investment.pk, "reason": "Asked by a court.", "now": timezone.now()}
    proposal = propose_refund(staff=ines, amount=Decimal(600), **about)
    assert (proposal.status, Refund.objects.count()) == ("proposed", 0)
    with pytest.raises(StaffRefundOpen):
        propose_refund(staff=otto, amount=Decimal(1), **about)
    assert decide(ines, "staffrefund", proposal.pk).status_code == 409, "the same person counts once"
    withdraw(api, backer, investment, "500")
    assert decide(otto, "staffrefund", proposal.pk).status_code == 409, "less is left"
    assert decide(otto, "staffrefund", proposal.pk, "reject").status_code == 400
    assert decide(otto, "staffrefund", proposal.pk, "reject", reason="Too late.").status_code == 302
    with pytest.raises(NotWaitingForApproval):
        approve_staff_refund(staff=otto, proposal_id=proposal.pk, seen=seen_of(proposal), now=timezone.now())
    assert is_sound()


def test_out_of_what_the_owner_is_owed(
    api: Api, backer: User, friend: User, founder: User, campaign: Campaign, ines: User, otto: User, low_limits: None
) -> None:
    investment = invest(api, backer, campaign, "700")
    invest(api, friend, campaign, "400")
    settle(campaign)
    about: Any = {"investment_id": investment.pk, "reason": "Fraud.", "now": timezone.now()}
    proposal = propose_refund(staff=ines, amount=Decimal(700), **about)
    assert decide(otto, "staffrefund", proposal.pk).status_code == 302
    drain_outbox()
    campaign.refresh_from_db()
    investment.refresh_from_db()
    assert (refunded(), campaign.raised_minor, investment.status) == (700_00, 400_00, "refunded")
    assert Settlement.objects.get().net_minor == 400_00
    statement = api.as_user(backer).get("/api/investments/statement", {"year": str(timezone.now().year)}).json()
    assert set(statement["totals"][0]["closing"].values()) == {"0.00"}
    choose_target(founder)
    settlement = Settlement.objects.select_related("owner").get()
    assert minor(f"payable:user:{founder.pk}:USD") == 400_00
    assert settlement.remaining_minor == 400_00
    assert is_sound()


def test_the_fee_of_its_investor_goes_back_too(
    api: Api, founder: User, backer: User, ines: User, settings: Settings
) -> None:
    """While the campaign is live out of what is held, after the release out of what was earned."""
    settings.FEE_SCHEDULE = "standard"
    campaign = make_campaign(founder)
    investment = invest(api, backer, campaign, "1100")
    about: Any = {"investment_id": investment.pk, "reason": "Asked for by the bank.", "now": timezone.now()}
    with commits():
        propose_refund(staff=ines, amount=Decimal(100), **about)
    drain_outbox()
    assert (minor(f"fees:held:campaign:{campaign.pk}"), minor("fees:provider:USD")) == (15_27, 0)  # of 16.80
    settle(campaign)
    assert minor("fees:provider:USD") == 15_27
    with commits():
        propose_refund(staff=ines, amount=Decimal("333.33"), **about)
    drain_outbox()
    assert sorted(Refund.objects.values_list("amount_minor", "fee_minor")) == [(100_00, 1_53), (333_33, 5_09)]
    assert (minor("fees:provider:USD"), refunded()) == (10_18, 100_00 + 1_53 + 333_33 + 5_09)
    kept = api.as_user(founder).get(f"/api/campaigns/{campaign.pk}").json()["proceeds"]
    assert (kept["raised"], kept["net"]) == ("1000.00", "940.00"), "as it was released"
    year = campaign.ends_at.year
    sums = [statement_of(backer, one, most=99, now=campaign.ends_at).sums for one in range(year - 1, year + 1)]
    assert sums[-1][0].closing["fees"] == 10_18
    assert is_sound()


def test_what_the_owner_was_paid_is_not_taken_back(
    api: Api, backer: User, founder: User, campaign: Campaign, ines: User
) -> None:
    investment = invest(api, backer, campaign, "1000")
    settle(campaign)
    choose_target(founder)
    drain_outbox()
    about: Any = {"investment_id": investment.pk, "reason": "Fraud.", "now": timezone.now()}
    with pytest.raises(InsufficientFunds):
        propose_refund(staff=ines, amount=Decimal(10), **about)
    assert not StaffRefund.objects.exists()
    assert is_sound()


@pytest.mark.django_db(transaction=True)
def test_two_staff_at_once_refund_no_more_than_is_held(
    api: Api, backer: User, campaign: Campaign, ines: User, otto: User
) -> None:
    investment = invest(api, backer, campaign, "100")

    def ask(staff: User) -> Callable[[], Any]:
        about: Any = {"investment_id": investment.pk, "reason": "x", "now": timezone.now()}
        return lambda: propose_refund(staff=staff, amount=Decimal(80), **about)

    outcomes = together(ask(ines), ask(otto))
    assert sorted(type(one).__name__ for one in outcomes) == ["StaffRefund", "StaffRefundTooLarge"]
    assert Refund.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_staff_at_once_twin(
    api: Api, backer: User, campaign: Campaign, ines: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the payment's lock the second one decides by what was there before, and takes another investment's."""
    investment = invest(api, backer, campaign, "100")
    invest(api, backer, campaign, "200")
    payment = Payment.objects.select_related("investment__campaign", "investment__investor").get(investment=investment)
    about: Any = {"investment_id": investment.pk, "reason": "x", "now": timezone.now()}
    stale = Locked(payment.investment.campaign, payment.investment, payment)
    propose_refund(staff=ines, amount=Decimal(40), **about)
    propose_refund(staff=ines, amount=Decimal(40), **about)
    monkeypatch.setattr(staff_refunds, "lock_payment", lambda _: stale)
    propose_refund(staff=ines, amount=Decimal(80), **about)
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 160_00


# --- Corrections ----------------------------------------------------------------------------------------------------


@pytest.fixture
def mistake() -> Posting:
    """10.00 booked on the wrong account."""
    now = timezone.now()
    wrong = open_account("t:wrong", kind="liability", currency="USD", now=now)
    right = open_account("t:right", kind="liability", currency="USD", now=now)
    with transaction.atomic():
        bank = open_account("t:bank", kind="asset", currency="USD", now=now)
        ten = Money(10_00, "USD")
        post(key="t:other", kind="t", lines=[debit(bank, ten), credit(right, ten)], now=now)
        return post(key="t:mistake", kind="t", lines=[debit(bank, ten), credit(wrong, ten)], reference="t:1", now=now)


def test_a_reverse_is_proposed_and_approved_by_another(mistake: Posting, ines: User, otto: User) -> None:
    browser = Client()
    browser.force_login(ines)
    address = reverse("admin:investments_correction_propose", args=[mistake.pk])
    assert address in browser.get(reverse("admin:ledger_posting_change", args=[mistake.pk])).content.decode()
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"reason": "Booked twice."}).status_code == 302
    correction = Correction.objects.get()
    assert browser.post(address, {"reason": "Again."}).status_code == 409
    assert decide(ines, "correction", correction.pk).status_code == 403, "not by who proposed it"
    assert minor("t:wrong") == 10_00
    assert decide(otto, "correction", correction.pk).status_code == 302
    correction.refresh_from_db()
    assert correction.posting is not None
    assert (minor("t:wrong"), correction.posting.reverses, correction.decided_by) == (0, mistake, otto)
    assert decide(otto, "correction", correction.pk).status_code == 409
    with pytest.raises(NotCorrectable):
        propose_correction(staff=otto, posting_id=mistake.pk, lines=[], reason="x", now=timezone.now())
    assert books_agree()


def test_lines_of_its_own(mistake: Posting, ines: User, otto: User) -> None:
    browser = Client()
    browser.force_login(ines)
    address = reverse("admin:investments_correction_propose", args=[mistake.pk])
    for wrong in (
        "t:wrong debit 10.00",
        "t:wrong debit 10.00\nt:right credit 9.99",
        "t:wrong debit 10.00\nt:nowhere credit 10.00",
        "t:wrong debit 10.00\nt:wrong credit 10.00",
        "t:wrong both 10.00\nt:right credit 10.00",
        "t:wrong debit 1e3\nt:right credit 1e3",
    ):
        assert browser.post(address, {"lines": wrong, "reason": "x"}).status_code == 400, wrong
    lines = "t:wrong debit 4.00\nt:right credit 4.00\n"
    assert browser.post(address, {"lines": lines, "reason": "Another account."}).status_code == 302
    correction = Correction.objects.get()
    assert decide(otto, "correction", correction.pk).status_code == 302
    correction.refresh_from_db()
    assert correction.posting is not None
    assert (minor("t:wrong"), minor("t:right")) == (6_00, 14_00)
    assert (correction.posting.reference, str(mistake.pk) in correction.posting.description) == ("t:1", True)
    assert books_agree()


def test_what_the_books_refuse_is_not_booked(mistake: Posting, ines: User, otto: User) -> None:
    now = timezone.now()
    wrong = open_account("t:wrong", kind="liability", currency="USD", now=now)
    right = open_account("t:right", kind="liability", currency="USD", now=now)
    correction = propose_correction(staff=ines, posting_id=mistake.pk, lines=[], reason="x", now=now)
    seen = digest_of_correction(correction)
    with transaction.atomic():
        ten = Money(10_00, "USD")
        post(key="t:gone", kind="t", lines=[debit(wrong, ten), credit(right, ten)], now=now)
    with pytest.raises(EvidenceChanged):
        approve_correction(staff=otto, correction_id=correction.pk, seen=seen, now=now)
    seen = digest_of_correction(correction)
    with pytest.raises(InsufficientFunds):
        approve_correction(staff=otto, correction_id=correction.pk, seen=seen, now=now)
    assert Correction.objects.get().status == "proposed"
    assert decide(otto, "correction", correction.pk, "reject", reason="It has moved on.").status_code == 302
    assert Correction.objects.get().answer == "It has moved on."
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.update(status="proposed")


def test_reconcile_explains_a_correction(api: Api, backer: User, campaign: Campaign, ines: User, otto: User) -> None:
    """The provider's money was booked a second time by hand; its reverse is no finding."""
    invest(api, backer, campaign, "20")
    now = timezone.now()
    bank = open_account("provider:sandbox:USD", kind="asset", currency="USD", now=now)
    other = open_account("t:other", kind="liability", currency="USD", now=now)
    with transaction.atomic():
        ten = Money(10_00, "USD")
        posting = post(key="t:twice", kind="t", lines=[debit(bank, ten), credit(other, ten)], now=now)
    assert {one.check.value for one in reconcile("sandbox", now=now).findings} == {"unexplained", "sum"}
    correction = propose_correction(staff=ines, posting_id=posting.pk, lines=[], reason="Booked twice.", now=now)
    seen = digest_of_correction(correction)
    approve_correction(staff=otto, correction_id=correction.pk, seen=seen, now=now)
    assert is_sound()


def test_nobody_corrects_their_own_account(mistake: Posting, ines: User, otto: User) -> None:
    now = timezone.now()
    for who in (ines, otto):
        open_account(f"returns:user:{who.pk}:USD", kind="liability", currency="USD", now=now)
    about: Any = {"posting_id": mistake.pk, "reason": "For me.", "now": now}
    to_ines = [("t:wrong", 10_00), (f"returns:user:{ines.pk}:USD", -10_00)]
    with pytest.raises(OwnMoney):
        propose_correction(staff=ines, lines=to_ines, **about)
    correction = propose_correction(staff=otto, lines=to_ines, **about)
    with pytest.raises(OwnMoney):
        approve_correction(staff=ines, correction_id=correction.pk, seen=digest_of_correction(correction), now=now)
    assert Correction.objects.get().status == "proposed"


def test_a_moderator_corrects_nothing(mistake: Posting, moderator: User) -> None:
    browser = Client()
    browser.force_login(moderator)
    assert browser.get(reverse("admin:investments_correction_propose", args=[mistake.pk])).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_book_it_once(ines: User, otto: User, person: Callable[..., User]) -> None:
    now = timezone.now()
    wrong = open_account("t:wrong", kind="liability", currency="USD", now=now)
    bank = open_account("t:bank", kind="asset", currency="USD", now=now)
    with transaction.atomic():
        ten = Money(10_00, "USD")
        posting = post(key="t:m", kind="t", lines=[debit(bank, ten), credit(wrong, ten)], now=now)
    correction = propose_correction(staff=ines, posting_id=posting.pk, lines=[], reason="x", now=now)
    seen, third = digest_of_correction(correction), person("third", role="admin")

    def approve_as(staff: User) -> Callable[[], Any]:
        return lambda: approve_correction(staff=staff, correction_id=correction.pk, seen=seen, now=now)

    outcomes = together(approve_as(otto), approve_as(third), approve_as(ines))
    assert sorted(type(one).__name__ for one in outcomes) == ["Correction", "NotWaitingForApproval", "ProposerDecides"]
    assert minor("t:wrong") == 0
