"""Placing an investment, its refusals, and what the provider can do to it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.models import Event, OutboxEvent
from core.money import Money
from core.testing import Api, deliver_events, drain_outbox
from core.testing.exchanges import counted_exchanges
from investments.models import Investment, Payment, PaymentMethod, SandboxCharge
from investments.services.charging import UnexpectedCharge, record_charge
from investments.services.provider_events import receive_event
from investments.testing import StandIn, finish_payments, invest, make_card
from investments.tests.conftest import books_agree, invest_url, minor, refusal
from notifications.models import MailboxMessage, Notification


def ask(api: Api, who: User, campaign: Campaign, amount: Any, card: PaymentMethod, **headers: Any) -> Any:
    body = {"amount": amount, "paymentMethodId": str(card.pk)}
    return api.as_user(who).post(invest_url(campaign), body, **headers)


def kinds(person: User) -> list[Any]:
    deliver_events()
    return list(Notification.objects.filter(user_id=person.pk).order_by("id").values_list("kind", flat=True))


def test_an_investment_is_committed_and_everyone_knows(
    api: Api, founder: User, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    answer = ask(api, backer, campaign, 250, card)
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    assert (body["status"], body["amount"], body["currency"], body["nextAction"]) == (
        "committed",
        "250.00",
        "USD",
        None,
    )
    assert body["reference"].startswith("VG-")
    assert body["campaign"]["raisedAmount"] == "250.00"
    seen = api.as_user(backer).get(f"/api/campaigns/{campaign.pk}").json()
    assert (seen["raisedAmount"], seen["committedAmount"], seen["investorCount"]) == ("250.00", "250.00", 1)
    assert seen["progressPercent"] == 25
    assert seen["myInvestment"]["amount"] == "250.00"
    assert api.as_user(founder).get(f"/api/campaigns/{campaign.pk}").json()["myInvestment"] is None
    assert minor(f"escrow:campaign:{campaign.pk}") == minor("provider:sandbox:USD") == 250_00
    assert kinds(backer) == ["investment_committed"]
    assert "new_backer" in kinds(founder)
    actions = set(Event.objects.values_list("kind", flat=True))
    assert {"investment.placed", "investment.committed"} <= actions
    read = api.as_user(backer).get(f"/api/investments/{body['id']}").json()
    assert [event["kind"] for event in read["events"]] == ["placed", "committed"]
    assert books_agree()


def test_what_cannot_be_invested(
    api: Api, founder: User, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    def refused(amount: Any = "100", who: User = backer, into: Any = campaign, method: PaymentMethod = card) -> Any:
        answer = ask(api, who, into, amount, method)
        assert not Investment.objects.exists()
        return refusal(answer)

    founders_card = make_card(founder)
    assert refused(who=founder, method=founders_card) == (403, "own_campaign")
    assert refused(amount="9.99") == (409, "below_minimum")
    assert refused(amount="1200.01") == (409, "over_cap")
    for amount in ("0", "-5", "1e3", "10.005", True, "NaN", "１００", None):
        assert refused(amount=amount)[0] == 400
    draft = make_campaign(founder, status="draft")
    assert refused(into=draft) == (404, "not_found")
    soon = make_campaign(founder, starts_at=timezone.now() + timedelta(hours=1))
    assert refused(into=soon) == (409, "campaign_not_open")
    euro = api.as_user(backer).post(
        invest_url(campaign), {"amount": "100", "currency": "EUR", "paymentMethodId": str(card.pk)}
    )
    assert refusal(euro) == (409, "currency_mismatch")
    assert ask(api, backer, campaign, "1200", card).status_code == 200
    full = ask(api, backer, campaign, "10", card)
    assert (refusal(full), full.json()["available"], full.json()["currency"]) == ((409, "over_cap"), "0.00", "USD")
    assert books_agree()


@pytest.mark.parametrize(
    ("currency", "goal", "minimum", "asked", "shown", "member"),
    [
        ("CHF", "100", "10", "9.99", "CHF 10.00", "10.00"),
        ("KWD", "100", "5.125", "5", "KWD 5.125", "5.125"),
        ("JPY", "10000", "500", "499", "¥500", "500"),
        ("EUR", "5000", "1000", "999", "€1,000.00", "1000.00"),
    ],
)
def test_amounts_in_words_have_the_form_of_their_currency(
    api: Api,
    founder: User,
    backer: User,
    card: PaymentMethod,
    currency: str,
    goal: str,
    minimum: str,
    asked: str,
    shown: str,
    member: str,
) -> None:
    terms = {"currency": currency, "goal_amount": goal, "min_investment": minimum, "max_amount": goal}
    campaign = make_campaign(founder, **terms)
    below = ask(api, backer, campaign, asked, card).json()
    assert below["detail"] == f"The smallest investment in this campaign is {shown}."
    assert (below["minimum"], below["currency"]) == (member, currency)
    assert ask(api, backer, campaign, minimum, card).status_code == 200
    over = ask(api, backer, campaign, goal, card).json()
    left = Money.of(goal, currency) - Money.of(minimum, currency)
    assert over["detail"] == f"Only {left} can still be invested in this campaign."
    assert (over["available"], over["currency"]) == (left.text, currency)
    drain_outbox()
    mail = MailboxMessage.objects.filter(to=backer.email, subject__startswith="Your ").latest("created_at")
    assert mail.subject == f"Your {shown} for “{campaign.title}”"


def test_the_deadline_holds_by_the_clock(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, time_machine: TimeMachineFixture
) -> None:
    campaign.refresh_from_db()
    time_machine.move_to(campaign.ends_at - timedelta(seconds=1), tick=False)
    client = api.as_user(backer)
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    assert client.post(invest_url(campaign), body).status_code == 200
    time_machine.move_to(campaign.ends_at, tick=False)
    assert refusal(client.post(invest_url(campaign), body)) == (409, "campaign_closed")
    assert Campaign.objects.get(pk=campaign.pk).status == "live"  # no job has run


def test_permissions(api: Api, person: Callable[..., User], campaign: Campaign) -> None:
    nobody, unproven = person("nobody", verified=False), person("unproven")
    body = {"amount": "10", "paymentMethodId": "01900000-0000-7000-8000-000000000000"}
    assert refusal(api.post(invest_url(campaign), body))[0] == 401
    assert refusal(api.as_user(nobody).post(invest_url(campaign), body)) == (403, "email_not_verified")
    assert refusal(api.as_user(unproven).post(invest_url(campaign), body)) == (403, "kyc_required")


def test_an_identity_lost_after_the_permission_check_still_stops_it(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rival decision falls exactly between the permission check and the lock."""
    from investments.services import investing

    def lose_identity(investor_id: UUID, *others: Any) -> Any:
        User.objects.filter(pk=investor_id).update(identity_verified_at=None)
        return lock_investor(investor_id, *others)

    lock_investor = investing._lock_investor
    monkeypatch.setattr(investing, "_lock_investor", lose_identity)
    assert refusal(ask(api, backer, campaign, "100", card)) == (403, "kyc_required")
    assert not Investment.objects.exists()


def test_a_declined_card_leaves_nothing_behind(api: Api, backer: User, campaign: Campaign) -> None:
    card = make_card(backer, "tok_declined")
    answer = ask(api, backer, campaign, "100", card)
    assert (refusal(answer), answer.json()["reason"]) == ((409, "payment_declined"), "card_declined")
    campaign.refresh_from_db()
    assert (campaign.raised_minor, campaign.reserved_minor) == (0, 0)
    (investment,) = api.as_user(backer).get("/api/investments").json()["items"]
    assert (investment["status"], investment["failureCode"]) == ("failed", "card_declined")
    assert kinds(backer) == ["investment_failed"]
    assert books_agree()


# --- Retries --------------------------------------------------------------------------------------------------------


def test_one_key_one_investment_one_answer(api: Api, backer: User, campaign: Campaign, card: PaymentMethod) -> None:
    client = api.as_user(backer)
    body = {"amount": "100", "paymentMethodId": str(card.pk)}
    first = client.post(invest_url(campaign), body, idempotency_key="k1")
    again = client.post(invest_url(campaign), body, idempotency_key="k1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = client.post(invest_url(campaign), {**body, "amount": "101"}, idempotency_key="k1")
    assert refusal(other) == (422, "idempotency_key_reused")
    assert (Investment.objects.count(), SandboxCharge.objects.count()) == (1, 1)
    second = client.post(invest_url(campaign), body, idempotency_key="k2")
    assert second.json()["id"] != first.json()["id"]
    assert books_agree()


def test_a_decline_is_an_outcome_and_is_replayed(api: Api, backer: User, campaign: Campaign) -> None:
    declined = make_card(backer, "tok_declined")
    key = {"idempotency_key": "k1"}
    first = ask(api, backer, campaign, "100", declined, **key)
    assert refusal(first) == (409, "payment_declined")
    again = ask(api, backer, campaign, "100", declined, **key)
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replayed"] == "true"
    assert Investment.objects.count() == 1
    assert refusal(ask(api, backer, campaign, "100", make_card(backer), **key)) == (422, "idempotency_key_reused")
    assert ask(api, backer, campaign, "100", make_card(backer), idempotency_key="k2").status_code == 200


def test_a_refusal_before_the_first_commit_frees_the_key(
    api: Api, backer: User, friend: User, campaign: Campaign, card: PaymentMethod
) -> None:
    rival = invest(api, friend, campaign, "1200")
    key = {"idempotency_key": "k1"}
    assert refusal(ask(api, backer, campaign, "100", card, **key)) == (409, "over_cap")
    body = {"amount": "1200", "paymentMethodId": str(rival.method_id)}
    assert api.as_user(friend).post(f"/api/investments/{rival.pk}/withdraw", body).status_code == 200
    assert ask(api, backer, campaign, "100", card, **key).status_code == 200


def test_a_repeat_after_a_crash_goes_on_where_it_stopped(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    """The process dies between the first commit and the provider's answer; the client tries the same key again."""
    provider.plan("charge", "died")
    with pytest.raises(KeyboardInterrupt):
        ask(api, backer, campaign, "100", card, idempotency_key="k1")
    (investment,) = Investment.objects.all()
    assert investment.status == "pending"
    again = ask(api, backer, campaign, "100", card, idempotency_key="k1")
    assert (again.status_code, again.json()["id"]) == (200, str(investment.pk))
    assert again.json()["status"] == "committed"
    assert Investment.objects.count() == SandboxCharge.objects.count() == 1
    assert len(set(provider.asked("charge"))) == 1
    assert books_agree()


def test_the_first_commit_holds_everything_at_once(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    provider.plan("charge", "died")
    with pytest.raises(KeyboardInterrupt):
        ask(api, backer, campaign, "100", card)
    campaign.refresh_from_db()
    assert (campaign.raised_minor, campaign.reserved_minor) == (0, 100_00)
    payment = Payment.objects.get()
    assert payment.reservation.phase == "reserved"
    assert OutboxEvent.objects.filter(topic="investments.charge", facts__payment_id=str(payment.pk)).exists()
    assert books_agree()


# --- A provider that does not answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "reset"])
def test_silence_means_unknown_and_is_cleared_up_later(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn, mishap: str
) -> None:
    provider.plan("charge", mishap)
    answer = ask(api, backer, campaign, "100", card)
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    campaign.refresh_from_db()
    assert (campaign.raised_minor, campaign.reserved_minor) == (0, 100_00)
    assert books_agree()
    drain_outbox(now=timezone.now() + timedelta(minutes=1))
    read = api.as_user(backer).get(f"/api/investments/{answer.json()['id']}").json()
    assert read["status"] == "committed"
    assert SandboxCharge.objects.count() == 1
    assert len(set(provider.asked("charge"))) == 1
    assert books_agree()


def test_a_silent_provider_is_asked_until_it_answers(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    provider.plan("charge", "lost before", "lost after", "lost before", "lost after")
    ask(api, backer, campaign, "100", card)
    now = timezone.now()
    for minutes in (2, 4, 6, 8):
        finish_payments(now=now + timedelta(minutes=minutes))
    assert Investment.objects.get().status == "committed"
    assert SandboxCharge.objects.count() == 1
    assert Event.objects.filter(kind="investment.committed").count() == 1
    assert books_agree()


def test_saying_it_twice_changes_nothing(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    investment = invest(api, backer, campaign, "100", card)
    answer = provider.find(key=investment.payment.key)
    record_charge(investment.payment, answer, now=timezone.now())
    assert kinds(backer) == ["investment_committed"]
    assert books_agree()


def test_an_amount_that_is_not_ours_is_not_booked(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, provider: StandIn
) -> None:
    from dataclasses import replace

    from core.money import Money

    provider.plan("charge", "lost after")
    ask(api, backer, campaign, "100", card)
    payment = Payment.objects.get()
    wrong = replace(provider.find(key=payment.key), amount=Money(1, "USD"))
    with pytest.raises(UnexpectedCharge):
        record_charge(payment, wrong, now=timezone.now())
    assert Investment.objects.get().status == "pending"
    assert books_agree()


# --- 3-D Secure -----------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(api: Api, backer: User, campaign: Campaign) -> dict[str, Any]:
    """An investment of 100.00 that waits for its investor."""
    answer = ask(api, backer, campaign, "100", make_card(backer, "tok_3ds"))
    assert (answer.status_code, answer.json()["status"]) == (200, "requires_action")
    return answer.json()


def page_of(waiting: dict[str, Any]) -> Any:
    assert waiting["nextAction"]["type"] == "redirect"
    return waiting["nextAction"]["url"].removeprefix("http://localhost:8000")


@pytest.mark.parametrize(
    ("answer", "status", "page_says"),
    [("approve", "committed", b"Payment approved"), ("decline", "failed", b"Payment not approved")],
)
def test_the_investor_answers(
    client: Client,
    api: Api,
    backer: User,
    campaign: Campaign,
    waiting: dict[str, Any],
    answer: str,
    status: str,
    page_says: bytes,
) -> None:
    page = client.get(page_of(waiting))
    assert page.status_code == 200
    assert b"$100.00" in page.content
    assert b"<script" not in page.content
    done = client.post(page_of(waiting), {"answer": answer}, follow=True)
    assert page_says in done.content
    drain_outbox()
    read = api.as_user(backer).get(f"/api/investments/{waiting['id']}").json()
    assert (read["status"], read["nextAction"]) == (status, None)
    other = {"approve": "decline", "decline": "approve"}[answer]
    assert page_says in client.post(page_of(waiting), {"answer": other}, follow=True).content
    assert api.as_user(backer).get(f"/api/investments/{waiting['id']}").json()["status"] == status
    assert books_agree()


def test_the_page_asks_for_its_own_token_and_form(waiting: dict[str, Any]) -> None:
    from django.test import Client

    assert Client().get("/sandbox/3ds/nothing-like-it").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(page_of(waiting), {"answer": "approve"}).status_code == 403
    assert Investment.objects.get().status == "requires_action"


def test_a_lost_event_is_found_by_asking(
    api: Api, backer: User, campaign: Campaign, waiting: dict[str, Any], provider: StandIn
) -> None:
    charge = SandboxCharge.objects.get()
    provider.finish_action(charge.action_token, approved=True, now=timezone.now())
    finish_payments(now=timezone.now() + timedelta(minutes=2))
    assert Investment.objects.get().status == "committed"
    assert books_agree()


def test_an_unanswered_question_gives_its_room_back(
    api: Api, backer: User, campaign: Campaign, waiting: dict[str, Any], client: Client
) -> None:
    finish_payments(now=timezone.now() + timedelta(minutes=14))
    assert Investment.objects.get().status == "requires_action"
    finish_payments(now=timezone.now() + timedelta(minutes=16))
    investment = Investment.objects.get()
    assert (investment.status, investment.payment.failure_code) == ("failed", "expired")
    campaign.refresh_from_db()
    assert campaign.reserved_minor == 0
    late = client.post(page_of(waiting), {"answer": "approve"}, follow=True)
    assert b"Payment not approved" in late.content
    assert Investment.objects.get().status == "failed"
    assert books_agree()


def test_an_event_without_the_right_signature_is_not_heard(waiting: dict[str, Any]) -> None:
    from investments.errors import InvalidSignature

    with pytest.raises(InvalidSignature):
        receive_event(provider="sandbox", body=b"{}", headers={}, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_an_investment_needs_few_exchanges_with_the_database(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    """However many rows it writes: docs/performance.md has what it was before."""
    client = api.as_user(backer)
    body = {"amount": "10", "paymentMethodId": str(card.pk)}
    assert client.post(invest_url(campaign), body).status_code == 200  # opens the accounts of the books
    with counted_exchanges() as asked:
        assert client.post(invest_url(campaign), body, idempotency_key="k").json()["status"] == "committed"
    assert asked.count <= 18
