"""Too many declined payments suspend a payment method or hold a person's payments, and open a case for staff."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.services import history
from accounts.testing import sign_in
from campaigns.models import Campaign
from core.data import locks
from core.models import Event
from core.money import Money
from core.privacy.erasure import erase_person
from core.testing import WAIT_LIMIT, Api, deliver_events, run_retention, together
from investments import velocity
from investments.models import ChargeOrigin, Decline, Investment, Payment, PaymentMethod, RiskCase
from investments.providers.base import Charge, State
from investments.services import declines
from investments.services.charging import record_charge
from investments.services.declines import hashed_address
from investments.services.distributing import distribute
from investments.services.risk_review import decide_risk_case
from investments.testing import StandIn, approve, finish_payments, invest, make_card, propose, settle
from investments.tests.conftest import books_agree, invest_url, refusal
from notifications.models import Notification

pytestmark = pytest.mark.django_db

RULES = """
version = "test"
[[rules]]
id = "card"
counts = "card"
failures = {card}
window_minutes = 10
consequence = "suspend_method"
text = "One card."
[[rules]]
id = "person"
counts = "person"
failures = {person}
window_minutes = 60
consequence = "hold"
text = "One person."
[[rules]]
id = "address"
counts = "address"
failures = {address}
window_minutes = 60
consequence = "suspend_method"
text = "One address."
[[rules]]
id = "campaign"
counts = "campaign"
failures = {campaign}
window_minutes = 60
consequence = "suspend_method"
text = "One campaign."
"""


@pytest.fixture
def rules(settings: Settings, tmp_path: Path) -> Callable[..., None]:
    """Sets the numbers of declines that are too many; whatever is not named takes 1,000."""

    def rules(**failures: int) -> None:
        file = tmp_path / ("-".join(f"{name}{number}" for name, number in failures.items()) + ".toml")
        file.write_text(RULES.format(**{"card": 1000, "person": 1000, "address": 1000, "campaign": 1000, **failures}))
        settings.VELOCITY_RULES_FILE = str(file)

    return rules


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


def ask(api: Api, who: User, campaign: Campaign, method: PaymentMethod, address: str = "") -> Any:
    body = {"amount": "10", "paymentMethodId": str(method.pk)}
    return Api(sign_in(who), address).post(invest_url(campaign), body)


def decline(api: Api, who: User, campaign: Campaign, method: PaymentMethod | None = None, **more: Any) -> None:
    answer = ask(api, who, campaign, method or make_card(who, "tok_declined"), **more)
    assert refusal(answer) == (409, "payment_declined")


def notices_of(who: User) -> list[str]:
    deliver_events()
    return list(Notification.objects.filter(user_id=who.pk).order_by("id").values_list("kind", flat=True))


# --- Hits -----------------------------------------------------------------------------------------------------------


def test_the_decline_too_many_suspends_the_card_and_tells_everybody(
    api: Api, backer: User, admin: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(card=3)
    bad, good = make_card(backer, "tok_declined"), make_card(backer)
    for _ in range(2):
        decline(api, backer, campaign, bad)
    assert not RiskCase.objects.exists()
    decline(api, backer, campaign, bad)
    case = RiskCase.objects.get()
    assert (case.rule, case.failures, case.limit, case.status) == ("card", 3, 3, "open")
    assert (case.person, case.method, case.consequence) == (backer, bad, "suspend_method")
    assert case.charges == [payment.key for payment in Payment.objects.order_by("-created_at")]
    refused = ask(api, backer, campaign, bad)
    assert refusal(refused) == (409, "payment_method_suspended")
    assert "Use another payment method" in refused.json()["detail"]
    assert ask(api, backer, campaign, good).json()["status"] == "committed"
    assert "payment_method_suspended" in notices_of(backer)
    assert "risk_case_opened" in notices_of(admin)
    assert Event.objects.get(kind="risk_case.opened").subject_id == case.pk
    assert books_agree()


def test_a_suspended_card_stays_suspended_when_it_is_added_again(
    api: Api, backer: User, friend: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(card=1)
    bad = make_card(backer, "tok_declined")
    decline(api, backer, campaign, bad)
    client = api.as_user(backer)
    assert client.delete(f"/api/investments/payment-methods/{bad.pk}").status_code == 200
    body = {"type": "card", "details": {"token": "tok_declined"}}
    assert refusal(client.post("/api/investments/payment-methods", body)) == (409, "payment_method_suspended")
    assert api.as_user(friend).post("/api/investments/payment-methods", body).status_code == 201, "a card of their own"


def test_a_person_who_is_declined_with_many_cards_is_held(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(person=3)
    good = make_card(backer)
    for number in range(3):
        bad = make_card(backer, "tok_declined")
        PaymentMethod.objects.filter(pk=bad.pk).update(fingerprint=f"sandbox:{number}")
        decline(api, backer, campaign, bad)
    assert RiskCase.objects.get().consequence == "hold"
    refused = ask(api, backer, campaign, good)
    assert refusal(refused) == (409, "payments_held")
    assert refusal(ask(api, backer, campaign, make_card(backer))) == (409, "payments_held"), "a new card, too"


def test_declines_from_one_address_are_counted_whoever_pays(
    api: Api, backer: User, friend: User, stranger: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    """An IPv6 address counts as its /64."""
    rules(address=3)
    decline(api, backer, campaign, address="2001:db8:1:2::1")
    decline(api, friend, campaign, address="2001:db8:1:2:ffff::7")
    decline(api, backer, campaign, address="2001:db8:1:3::1")
    assert not RiskCase.objects.exists()
    decline(api, stranger, campaign, address="2001:db8:1:2::9")
    case = RiskCase.objects.get()
    assert (case.person, case.rule, case.failures) == (stranger, "address", 3)
    kept = {*Decline.objects.values_list("address", flat=True), *ChargeOrigin.objects.values_list("address", flat=True)}
    assert kept == {hashed_address("2001:db8:1:2::1"), hashed_address("2001:db8:1:3::1")}
    assert not any("2001" in one for one in kept)


def test_behind_a_trusted_proxy_the_client_counts(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None], settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    body = {"amount": "10", "paymentMethodId": str(make_card(backer, "tok_declined").pk)}
    for sent in ("198.51.100.7", "203.0.113.1, 198.51.100.7"):
        Api(sign_in(backer), "10.0.0.1").post(invest_url(campaign), body, X_Forwarded_For=sent)
    assert set(Decline.objects.values_list("address", flat=True)) == {hashed_address("198.51.100.7")}


def test_declines_in_one_campaign_are_counted_whoever_pays(
    api: Api, backer: User, friend: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(campaign=2)
    decline(api, backer, campaign)
    decline(api, friend, campaign)
    assert RiskCase.objects.get().person == friend


def test_silence_and_giving_up_are_no_declines(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn, rules: Callable[..., None]
) -> None:
    rules(card=1, person=1)
    provider.plan("charge", "lost before", "lost after", "reset")
    for _ in range(3):
        assert ask(api, backer, campaign, card).json()["status"] == "pending"
    finish_payments(now=timezone.now() + timedelta(minutes=2))
    three_d = make_card(backer, "tok_3ds")
    assert ask(api, backer, campaign, three_d).json()["status"] == "requires_action"
    finish_payments(now=timezone.now() + timedelta(minutes=20))
    assert not Decline.objects.exists()


def test_a_decline_that_is_recorded_twice_counts_once(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(card=2)
    decline(api, backer, campaign)
    payment = Payment.objects.get()
    record_charge(payment, Charge(State.DECLINED, "x", Money.of("10", "USD"), "card_declined"), now=timezone.now())
    assert (Decline.objects.count(), RiskCase.objects.count()) == (1, 0)


# --- The edges of a window, one second each side --------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "hits"), [(599, True), (600, False), (601, False)])
def test_a_window_ends_to_the_second(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None], seconds: int, hits: bool
) -> None:
    rules(card=3)
    bad, begin = make_card(backer, "tok_declined"), timezone.now()
    for after in (0, 300, seconds):
        with time_machine.travel(begin + timedelta(seconds=after), tick=False):
            decline(api, backer, campaign, bad)
    assert RiskCase.objects.exists() is hits


def test_what_was_lifted_is_done_with(
    api: Api, backer: User, admin: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    """The declines before the decision do not count again; new ones do."""
    rules(card=2)
    bad, begin = make_card(backer, "tok_declined"), timezone.now()

    def at(seconds: int) -> Any:
        return time_machine.travel(begin + timedelta(seconds=seconds), tick=False)

    for after in (0, 1):
        with at(after):
            decline(api, backer, campaign, bad)
    with at(2):
        _decide(admin, RiskCase.objects.get(), "lifted", timezone.now())
    with at(3):
        decline(api, backer, campaign, bad)
    assert RiskCase.objects.count() == 1
    with at(4):
        decline(api, backer, campaign, bad)
    assert list(RiskCase.objects.order_by("id").values_list("status", "failures")) == [("lifted", 2), ("open", 2)]


# --- Decisions ------------------------------------------------------------------------------------------------------


def _decide(staff: User, case: RiskCase, decision: str, now: datetime | None = None) -> RiskCase:
    status = RiskCase.Status(decision)
    return decide_risk_case(
        staff=staff, case_id=case.pk, decision=status, seen=case.status, note="Called.", now=now or timezone.now()
    )


class TestDecision:
    """On the admin's page."""

    @pytest.fixture
    def case(self, api: Api, backer: User, campaign: Campaign, rules: Callable[..., None]) -> RiskCase:
        rules(card=1)
        decline(api, backer, campaign)
        return RiskCase.objects.get()

    def page(self, staff: User, case: RiskCase) -> tuple[Client, str]:
        browser = Client()
        browser.force_login(staff)
        return browser, reverse("admin:investments_riskcase_change", args=[case.pk])

    def decide(self, staff: User, case: RiskCase, decision: str, note: str = "Called.", seen: str = "") -> Any:
        browser, page = self.page(staff, case)
        return browser.post(page, {"decision": decision, "note": note, "seen": seen or case.status})

    def test_the_page_shows_the_evidence(self, admin: User, case: RiskCase) -> None:
        browser, page = self.page(admin, case)
        shown = browser.get(page).content.decode()
        investment = Investment.objects.get()
        assert investment.reference in shown
        assert reverse("admin:investments_investment_change", args=[investment.pk]) in shown
        assert "One card." in shown and "card_declined" in shown

    def test_lifted(self, api: Api, backer: User, admin: User, campaign: Campaign, case: RiskCase) -> None:
        assert self.decide(admin, case, "lift", note=" ").status_code == 400, "without a note"
        assert self.decide(admin, case, "lift").status_code == 302
        case.refresh_from_db()
        assert (case.status, case.decided_by, case.note) == ("lifted", admin, "Called.")
        decline(api, backer, campaign, case.method)

        assert "payment_method_reviewed" in notices_of(backer)
        assert Event.objects.get(kind="risk_case.decided").actor_id == admin.pk
        assert self.decide(admin, case, "keep", seen="open").status_code == 409

    def test_kept_and_lifted_later(
        self, api: Api, backer: User, admin: User, campaign: Campaign, case: RiskCase
    ) -> None:
        assert self.decide(admin, case, "keep").status_code == 302
        assert refusal(ask(api, backer, campaign, case.method)) == (409, "payment_method_suspended")
        case.refresh_from_db()
        assert self.decide(admin, case, "lift").status_code == 302
        assert refusal(ask(api, backer, campaign, case.method)) == (409, "payment_declined")

    def test_a_banned_card_is_of_no_use_to_anybody(
        self, api: Api, friend: User, admin: User, campaign: Campaign, case: RiskCase
    ) -> None:
        assert self.decide(admin, case, "ban").status_code == 302
        same = make_card(friend)
        PaymentMethod.objects.filter(pk=same.pk).update(fingerprint=case.card)
        assert refusal(ask(api, friend, campaign, same)) == (409, "payment_method_suspended")
        assert ask(api, friend, campaign, make_card(friend)).json()["status"] == "committed"

    def test_a_hold_may_end_with_a_ban_of_the_card(
        self, api: Api, backer: User, admin: User, campaign: Campaign, rules: Callable[..., None]
    ) -> None:
        rules(person=1)
        decline(api, backer, campaign)
        good = make_card(backer)
        assert refusal(ask(api, backer, campaign, good)) == (409, "payments_held")
        case = RiskCase.objects.get()
        _decide(admin, case, "banned")
        assert ask(api, backer, campaign, good).json()["status"] == "committed"
        assert refusal(ask(api, backer, campaign, case.method)) == (409, "payment_method_suspended")

    def test_what_has_changed_since_is_not_decided(self, admin: User, case: RiskCase) -> None:
        _decide(admin, case, "kept")
        assert self.decide(admin, case, "ban", seen="open").status_code == 409
        case.refresh_from_db()
        assert case.status == "kept"

    def test_never_by_the_person_concerned(self, backer: User, case: RiskCase) -> None:
        User.objects.filter(pk=backer.pk).update(role="admin")
        backer.refresh_from_db()
        assert self.decide(backer, case, "lift").status_code == 403
        with pytest.raises(IntegrityError, match="risk_case_is_not_decided_by_its_person"), transaction.atomic():
            RiskCase.objects.update(status="lifted", decided_by=backer, decided_at=timezone.now())

    @pytest.mark.parametrize("role", ["moderator", "reviewer"])
    def test_by_nobody_else(self, person: Callable[..., User], case: RiskCase, role: str) -> None:
        assert self.decide(person("mo", role=role), case, "lift").status_code == 403


# --- What a suspended method is of no use for -----------------------------------------------------------------------


def test_distributions_are_counted_and_refused(
    api: Api, founder: User, backer: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(card=1)
    invest(api, backer, campaign, "1000")
    settled = settle(campaign)
    bad = make_card(founder, "tok_declined")
    body = {"amount": "110", "kind": "dividend", "paymentMethodId": str(bad.pk)}
    url = f"/api/campaigns/{settled.pk}/distributions"
    assert refusal(api.as_user(founder).post(url, body)) == (409, "distribution_declined")
    assert RiskCase.objects.get().person == founder
    assert refusal(api.as_user(founder).post(url, body)) == (409, "payment_method_suspended")


def test_money_is_not_paid_out_to_a_suspended_card_but_in_spite_of_a_hold(
    api: Api, founder: User, backer: User, admin: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    investment = invest(api, backer, campaign, "1000")
    distribution = propose(api, founder, settle(campaign), "110")
    approve(admin, distribution)
    assert distribute(distribution.pk, now=timezone.now())
    bad, good = make_card(backer, "tok_declined"), make_card(backer)
    for consequence in ("suspend_method", "hold"):
        RiskCase.objects.create(
            rule="x",
            counted="card",
            subject=bad.card,
            failures=1,
            limit=1,
            window_seconds=60,
            consequence=consequence,
            person=backer,
            method=bad,
            card=bad.card,
        )

    def withdraw(method: PaymentMethod) -> Any:
        body = {"amount": "50", "paymentMethodId": str(method.pk)}
        return api.as_user(backer).post(f"/api/investments/{investment.pk}/withdraw", body)

    assert refusal(withdraw(bad)) == (409, "payment_method_suspended")
    assert withdraw(good).json()["status"] == "paid"
    assert books_agree()


def test_the_page_of_a_campaign_says_so_when_nothing_can_be_paid_with(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    def invest_action() -> Any:
        actions = api.as_user(backer).get(f"/api/campaigns/{campaign.pk}").json()["allowedActions"]
        found = next(action for action in actions if action["action"] == "invest")
        return found["allowed"], found["because"]

    assert invest_action()[0], "without any method, too"
    rules(card=1, person=2)
    decline(api, backer, campaign)
    assert invest_action() == (False, "payment_method_suspended")
    good = make_card(backer)
    assert invest_action()[0]
    other = make_card(backer, "tok_3ds")
    PaymentMethod.objects.filter(pk=other.pk).update(token="tok_declined")
    decline(api, backer, campaign, other)
    assert invest_action() == (False, "payments_held")
    assert refusal(ask(api, backer, campaign, good)) == (409, "payments_held")


# --- What is kept ---------------------------------------------------------------------------------------------------


def test_declines_and_origins_are_kept_as_long_as_the_login_history(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(card=1)
    begin = timezone.now()
    with time_machine.travel(begin, tick=False):
        decline(api, backer, campaign, address="198.51.100.7")
    run_retention(now=begin + history.KEPT - timedelta(seconds=2))
    assert (Decline.objects.count(), ChargeOrigin.objects.count()) == (1, 1)
    run_retention(now=begin + history.KEPT + timedelta(seconds=2))
    assert (Decline.objects.count(), ChargeOrigin.objects.count(), RiskCase.objects.count()) == (0, 0, 1)


def test_a_person_who_is_erased_leaves_the_case(
    api: Api, backer: User, campaign: Campaign, rules: Callable[..., None]
) -> None:
    rules(card=1)
    decline(api, backer, campaign, address="198.51.100.7")
    with transaction.atomic():
        erase_person(person_id=backer.pk, now=timezone.now())
    assert (Decline.objects.count(), ChargeOrigin.objects.count(), RiskCase.objects.count()) == (0, 0, 1)
    assert PaymentMethod.objects.get().fingerprint == ""


# --- Rules as data --------------------------------------------------------------------------------------------------


def test_the_rules_of_this_release_count_everything_and_leave_honest_people_alone() -> None:
    found = velocity.rule_set()
    assert {rule.counts for rule in found.rules} == set(velocity.Counts)
    assert all(rule.failures >= 10 and rule.window < history.KEPT and rule.text for rule in found.rules)


@pytest.mark.parametrize(
    "text",
    [
        "version = ",
        'version = "x"',
        RULES.format(card=0, person=1, address=1, campaign=1),
        RULES.format(card="'many'", person=1, address=1, campaign=1),
        RULES.format(card=1, person=1, address=1, campaign=1).replace('"hold"', '"shrug"'),
        RULES.format(card=1, person=1, address=1, campaign=1).replace('"address"', '"planet"'),
        RULES.format(card=1, person=1, address=1, campaign=1).replace("= 10\n", "= 44000\n"),
        RULES.format(card=1, person=1, address=1, campaign=1).replace('id = "person"', 'id = "card"'),
    ],
)
def test_rules_that_are_none_stop_the_start(settings: Settings, tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    settings.VELOCITY_RULES_FILE = str(file)
    with pytest.raises(ImproperlyConfigured, match="velocity rules"):
        velocity.rule_set()


def test_a_file_that_is_not_there_stops_the_start(settings: Settings) -> None:
    settings.VELOCITY_RULES_FILE = "/nonexistent/rules.toml"
    with pytest.raises(ImproperlyConfigured, match=r"/nonexistent/rules\.toml"):
        velocity.rule_set()


# --- Side by side ---------------------------------------------------------------------------------------------------


def answers(api: Api, backer: User, campaign: Campaign, provider: StandIn) -> list[partial[Any]]:
    """Four charges of one card are under way; each call records a decline of one."""
    card = make_card(backer, "tok_declined")
    provider.plan("charge", *["lost before"] * 4)
    for _ in range(4):
        assert ask(api, backer, campaign, card).json()["status"] == "pending"
    no = Charge(State.DECLINED, "x", Money.of("10", "USD"), "card_declined")
    return [partial(record_charge, payment, no, now=timezone.now()) for payment in Payment.objects.all()]


@pytest.mark.django_db(transaction=True)
def test_declines_side_by_side_count_all(
    api: Api, backer: User, campaign: Campaign, provider: StandIn, rules: Callable[..., None]
) -> None:
    rules(card=4, person=4, campaign=4)
    together(*answers(api, backer, campaign, provider))
    assert Decline.objects.count() == 4
    assert sorted(RiskCase.objects.values_list("consequence", "failures")) == [("hold", 4), ("suspend_method", 4)]


@pytest.mark.django_db(transaction=True)
def test_declines_side_by_side_twin(
    api: Api,
    backer: User,
    campaign: Campaign,
    provider: StandIn,
    rules: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the locks each sees only itself, and four declines open no case."""
    rules(card=4, person=4, campaign=4)
    barrier, judge = Barrier(4), declines._judge

    def judge_together(*args: Any) -> None:
        barrier.wait(WAIT_LIMIT)
        judge(*args)

    calls = answers(api, backer, campaign, provider)
    monkeypatch.setattr(locks, "lock_names", lambda *names: None)
    monkeypatch.setattr(declines, "_judge", judge_together)
    outcomes = together(*calls)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert (Decline.objects.count(), RiskCase.objects.count()) == (4, 0)
