"""The waiting list of a full campaign: in order, never above the cap, passed on by whoever frees a place."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core import clock
from core.jobs.runner import run
from core.testing import Api, deliver_events
from investments.jobs import MOVE_WAITING_LISTS
from investments.models import Investment, WaitingEntry
from investments.services.waiting import leave_every_list
from investments.testing import accept_documents, close_campaigns, declare_profile, invest, make_card
from investments.tests.conftest import books_agree, invest_url, refusal
from investments.texts import current_texts
from notifications.models import Notification

OFFER = timedelta(hours=72)


@pytest.fixture
def full(api: Api, founder: User, friend: User, time_machine: TimeMachineFixture) -> Campaign:
    """Goal 1,000.00, cap 1,200.00, at least 10.00 each; the friend has put in 300.00 and 900.00."""
    time_machine.move_to(datetime.fromisoformat("2027-03-01T09:00:00Z"), tick=False)
    campaign = make_campaign(founder, max_amount="1200", min_investment="10")
    for amount in ("300", "900"):
        invest(api, friend, campaign, amount)
    return campaign


def url(campaign: Campaign, then: str = "") -> str:
    return f"/api/campaigns/{campaign.pk}/waitlist{then}"


def wait(api: Api, who: User, campaign: Campaign, amount: str, token: str = "tok_visa", **headers: Any) -> Any:
    body = {"amount": amount, "paymentMethodId": str(make_card(who, token).pk)}
    return api.as_user(who).post(url(campaign), body, **headers)


def accept(api: Api, who: User, campaign: Campaign, **headers: Any) -> Any:
    return api.as_user(who).post(url(campaign, "/accept"), {}, **headers)


def entry(api: Api, who: User, campaign: Campaign) -> Any:
    shown = api.as_user(who).get(url(campaign)).json()
    return shown["status"], shown["offeredAmount"], shown["ahead"]


def free(api: Api, investor: User, campaign: Campaign, placed: str, amount: str) -> None:
    """Somebody takes a part of an investment back."""
    investment = Investment.objects.get(campaign=campaign, investor=investor, amount_minor=int(placed) * 100)
    body = {"amount": amount, "paymentMethodId": str(investment.method_id)}
    answer = api.as_user(investor).post(f"/api/investments/{investment.pk}/withdraw", body)
    assert answer.status_code == 200, answer.content


def test_a_freed_place_is_offered_accepted_and_charged(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign
) -> None:
    joined = wait(api, backer, full, "100")
    assert (joined.status_code, joined.json()["status"], joined.json()["position"]) == (201, "waiting", 1)
    assert wait(api, stranger, full, "50").json()["ahead"] == 1
    assert Investment.objects.count() == 2, "nobody is charged"
    assert refusal(accept(api, backer, full)) == (409, "no_offer")
    free(api, friend, full, "900", "120")
    assert entry(api, backer, full) == ("offered", "100.00", 0)
    assert entry(api, stranger, full) == ("offered", "20.00", 0), "a part, which grows"
    body = {"amount": "20", "paymentMethodId": str(make_card(friend).pk)}
    newcomer = api.as_user(friend).post(invest_url(full), body)
    assert (refusal(newcomer), newcomer.json()["available"]) == ((409, "over_cap"), "0.00")
    answer = accept(api, backer, full)
    assert (answer.status_code, answer.json()["status"], answer.json()["amount"]) == (200, "committed", "100.00")
    assert entry(api, backer, full) == ("accepted", None, 0)
    assert refusal(accept(api, backer, full)) == (404, "not_waiting")
    full.refresh_from_db()
    assert (full.raised_minor, full.offered_minor, full.waiting_count) == (1180_00, 20_00, 0)
    assert books_agree()
    deliver_events()
    kinds = Notification.objects.filter(user_id=backer.pk).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["waiting_list_offered", "investment_committed"]


def test_what_becomes_free_later_is_added_to_an_offer_of_a_part(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign, time_machine: TimeMachineFixture
) -> None:
    wait(api, backer, full, "100")
    wait(api, stranger, full, "100")
    free(api, friend, full, "900", "9.99")
    assert entry(api, backer, full) == ("waiting", None, 0), "less than the smallest investment"
    free(api, friend, full, "900", "30.01")
    assert entry(api, backer, full) == ("offered", "40.00", 0)
    time_machine.shift(OFFER - timedelta(seconds=1))
    free(api, friend, full, "900", "65")
    assert entry(api, backer, full) == ("offered", "100.00", 0)
    assert entry(api, stranger, full) == ("waiting", None, 1), "5.00 is below the smallest investment"
    time_machine.shift(OFFER - timedelta(seconds=1))
    assert accept(api, backer, full).json()["amount"] == "100.00"
    last_piece = {"amount": "5", "paymentMethodId": str(make_card(friend).pk)}
    assert api.as_user(friend).post(invest_url(full), last_piece).status_code == 200, "the last piece is for anybody"
    assert books_agree()


def test_an_offer_runs_out_by_the_clock(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign, time_machine: TimeMachineFixture
) -> None:
    wait(api, backer, full, "50")
    wait(api, stranger, full, "50")
    free(api, friend, full, "900", "50")
    time_machine.shift(OFFER)
    assert entry(api, backer, full) == ("expired", None, 0)
    assert refusal(accept(api, backer, full)) == (409, "offer_expired")
    assert refusal(api.as_user(backer).delete(url(full))) == (404, "not_waiting")
    assert accept(api, stranger, full).json()["amount"] == "50.00", "no job has passed it on"
    assert refusal(accept(api, backer, full)) == (409, "offer_expired")
    assert books_agree()


def test_the_job_passes_offers_on_and_newcomers_get_what_nobody_waits_for(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign, time_machine: TimeMachineFixture
) -> None:
    wait(api, backer, full, "50")
    wait(api, stranger, full, "50")
    free(api, friend, full, "900", "50")
    time_machine.shift(OFFER)
    assert run(MOVE_WAITING_LISTS, now=clock.now()).done == 1
    assert run(MOVE_WAITING_LISTS, now=clock.now()).due == 0
    assert entry(api, stranger, full)[0] == "offered"
    deliver_events()
    assert Notification.objects.filter(user_id=backer.pk, kind="waiting_list_expired").count() == 1
    time_machine.shift(OFFER)
    invest(api, friend, full, "50")
    assert entry(api, stranger, full)[0] == "expired"
    assert books_agree()


def test_leaving_and_failing_pass_the_place_on(
    api: Api, backer: User, friend: User, stranger: User, founder: User, full: Campaign
) -> None:
    wait(api, backer, full, "50", "tok_declined")
    wait(api, stranger, full, "50")
    free(api, friend, full, "900", "50")
    assert refusal(accept(api, backer, full)) == (409, "payment_declined")
    assert entry(api, stranger, full)[0] == "offered"
    assert wait(api, backer, full, "70").json()["position"] == 3
    left = api.as_user(stranger).delete(url(full))
    assert (left.status_code, left.json()["status"]) == (200, "left")
    assert entry(api, backer, full) == ("offered", "50.00", 0)
    assert refusal(api.as_user(stranger).delete(url(full))) == (404, "not_waiting")
    listed = api.as_user(founder).get(url(full)).json()["items"]
    assert [(one["investor"]["id"], one["status"], one["offeredAmount"]) for one in listed] == [
        (str(backer.pk), "offered", "50.00")
    ]
    assert books_agree()


def test_who_cannot_wait(api: Api, founder: User, backer: User, friend: User, full: Campaign) -> None:
    roomy = make_campaign(founder, max_amount="1200", min_investment="10")
    answer = wait(api, backer, roomy, "2000")
    assert refusal(answer) == (409, "over_cap")
    answer = wait(api, backer, roomy, "100")
    assert (refusal(answer), answer.json()["available"]) == ((409, "room_available"), "1200.00")
    assert refusal(wait(api, founder, full, "100")) == (403, "own_campaign")
    assert refusal(wait(api, backer, full, "9.99")) == (409, "below_minimum")
    assert refusal(api.as_user(backer).get(url(full))) == (404, "not_waiting")
    assert refusal(accept(api, backer, full)) == (404, "not_waiting")
    assert wait(api, backer, full, "100").status_code == 201
    assert refusal(wait(api, backer, full, "100")) == (409, "already_waiting")
    close_campaigns(now=full.ends_at)
    assert WaitingEntry.objects.get().status == "expired"
    full.refresh_from_db()
    assert (full.offered_minor, full.waiting_count) == (0, 0)
    assert refusal(wait(api, backer, full, "100")) == (409, "campaign_closed")


def test_the_list_ends_with_the_campaign_by_the_clock(
    api: Api, backer: User, friend: User, full: Campaign, time_machine: TimeMachineFixture
) -> None:
    wait(api, backer, full, "50")
    time_machine.move_to(full.ends_at - timedelta(hours=49), tick=False)
    free(api, friend, full, "900", "50")
    time_machine.move_to(full.ends_at, tick=False)
    assert entry(api, backer, full) == ("expired", None, 0)
    assert refusal(accept(api, backer, full)) == (409, "campaign_closed")
    close_campaigns(now=full.ends_at)
    assert WaitingEntry.objects.get().status == "expired"
    full.refresh_from_db()
    assert (full.status, full.offered_minor) == ("settled", 0)
    assert books_agree()


def test_one_key_accepts_once(api: Api, backer: User, friend: User, full: Campaign) -> None:
    wait(api, backer, full, "50")
    free(api, friend, full, "900", "50")
    first, again = (accept(api, backer, full, idempotency_key="k") for _ in range(2))
    assert (first.json(), again["Idempotent-Replayed"]) == (again.json(), "true")
    assert Investment.objects.filter(investor=backer).count() == 1


def test_an_erased_account_leaves_its_lists(
    api: Api, backer: User, friend: User, stranger: User, full: Campaign, person: Callable[..., User]
) -> None:
    wait(api, backer, full, "50")
    wait(api, stranger, full, "50")
    free(api, friend, full, "900", "50")
    leave_every_list(backer.pk, now=clock.now())
    assert entry(api, stranger, full)[0] == "offered"
    leave_every_list(backer.pk, now=clock.now())
    assert books_agree()


def test_large_offers_need_the_consent_that_large_investments_need(
    api: Api, founder: User, backer: User, friend: User
) -> None:
    """Under `eu_ecspr` above 1,000.00 or a share of net worth: when joining, and again when accepting."""
    campaign = make_campaign(
        founder, rules="eu_ecspr", country="DE", currency="EUR", goal_amount="9000", max_amount="9000"
    )
    friend.badges = ["accredited_investor"]
    friend.save(update_fields=["badges"])
    for who in (backer, friend):
        declare_profile(who, currency="EUR")
        accept_documents(who, campaign)
    held = invest(api, friend, campaign, "4000")
    invest(api, friend, campaign, "5000")
    Investment.objects.filter(pk=held.pk).update(reflection_ends_at=campaign.ends_at)
    method = str(make_card(backer).pk)
    consent = [{"id": "large_investment", "version": current_texts()["large_investment"].version}]

    def ask(then: str, **body: Any) -> Any:
        return api.as_user(backer).post(url(campaign, then), body)

    asked = {"amount": "4000", "paymentMethodId": method}
    assert refusal(ask("", **asked)) == (403, "warning_consent_required")
    assert ask("", **asked, acceptedWarnings=consent).status_code == 201
    free(api, friend, campaign, "4000", "4000")
    assert refusal(ask("/accept")) == (403, "warning_consent_required")
    accepted = ask("/accept", acceptedWarnings=consent)
    assert (accepted.status_code, accepted.json()["status"]) == (200, "committed"), accepted.content
    assert books_agree()
