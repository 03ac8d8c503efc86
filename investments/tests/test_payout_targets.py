"""Where an owner's money goes: chosen, verified by the provider, changed and removed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from core.models import Event
from core.testing import Api, drain_outbox, run_until_quiet
from investments.jobs import VERIFY_TARGETS
from investments.models import PayoutTarget
from investments.services.payout_targets import verify_target
from investments.testing import StandIn, choose_target, make_bank_account, make_card
from investments.tests.conftest import refusal
from notifications.models import MailboxMessage

pytestmark = pytest.mark.django_db
URL = "/api/investments/payout-target"


def choose(api: Api, owner: User, token: str = "tok_bank_account") -> Any:
    return api.as_user(owner).put(URL, {"paymentMethodId": str(make_bank_account(owner, token).pk)})


def status(api: Api, owner: User) -> Any:
    return api.as_user(owner).get(URL).json()["status"]


def test_chosen_verified_and_removed(api: Api, founder: User) -> None:
    assert refusal(api.as_user(founder).get(URL)) == (404, "no_payout_target")
    made = choose(api, founder)
    assert (made.status_code, made.json()["status"], made.json()["verifiedAt"]) == (200, "unverified", None)
    assert made.json()["paymentMethod"]["last4"] == "6789"
    drain_outbox()
    seen = api.as_user(founder).get(URL).json()
    assert (seen["status"], seen["id"]) == ("verified", made.json()["id"])
    assert seen["verifiedAt"]
    again = {"paymentMethodId": seen["paymentMethod"]["id"]}
    assert api.as_user(founder).put(URL, again).json() == seen, "the same choice changes nothing"
    assert api.as_user(founder).delete(URL).status_code == 200
    assert refusal(api.as_user(founder).delete(URL)) == (404, "no_payout_target")
    kinds = list(Event.objects.filter(kind__startswith="payout_target.").order_by("id").values_list("kind", flat=True))
    assert kinds == ["payout_target.changed", "payout_target.verified", "payout_target.removed"]
    drain_outbox()
    assert MailboxMessage.objects.filter(to=founder.email).count() == 3, "each of them is mailed"


def test_a_bank_account_of_ones_own(api: Api, founder: User, backer: User) -> None:
    card = api.as_user(founder).put(URL, {"paymentMethodId": str(make_card(founder).pk)})
    assert refusal(card) == (400, "payout_target_not_a_bank_account")
    foreign = api.as_user(founder).put(URL, {"paymentMethodId": str(make_bank_account(backer).pk)})
    assert refusal(foreign) == (404, "payment_method_not_found")
    assert not PayoutTarget.objects.exists()


def test_the_provider_refuses(api: Api, founder: User) -> None:
    choose(api, founder, "tok_bank_refused")
    drain_outbox()
    seen = api.as_user(founder).get(URL).json()
    assert (seen["status"], seen["reason"]) == ("rejected", "account_closed")
    again = api.as_user(founder).put(URL, {"paymentMethodId": seen["paymentMethod"]["id"]}).json()
    assert (again["status"], again["id"] != seen["id"]) == ("unverified", True), "another try"


@pytest.mark.parametrize("mishap", ["lost before", "lost after", "reset", "died"])
def test_silence_is_asked_again(api: Api, founder: User, provider: StandIn, mishap: str) -> None:
    provider.plan("verify_target", mishap)
    choose(api, founder)
    try:
        drain_outbox()
    except KeyboardInterrupt:
        pass
    assert status(api, founder) == "unverified"
    later = timezone.now() + timedelta(minutes=6)
    run_until_quiet(VERIFY_TARGETS, now=later)
    verify_target(PayoutTarget.objects.get().pk, now=later)
    assert status(api, founder) == "verified"
    assert len(set(provider.asked("verify_target"))) == 1


def test_a_bank_that_needs_time(api: Api, founder: User) -> None:
    choose(api, founder, "tok_bank_slow")
    drain_outbox()
    target = PayoutTarget.objects.get()
    assert status(api, founder) == "unverified"
    assert verify_target(target.pk, now=timezone.now() + timedelta(seconds=58)) == timedelta(seconds=30)
    assert verify_target(target.pk, now=timezone.now() + timedelta(seconds=61)) is None
    assert status(api, founder) == "verified"


def test_an_answer_that_comes_after_a_change_is_dropped(founder: User) -> None:
    first = choose_target(founder)
    second = choose_target(founder, "tok_bank_slow")
    first.refresh_from_db()
    assert (first.removed_at is not None, second.status) == (True, "unverified")
    assert verify_target(first.pk, now=timezone.now()) is None
    assert PayoutTarget.objects.filter(owner=founder, removed_at=None).get() == second


def test_the_method_behind_it_stays(api: Api, founder: User) -> None:
    target = choose_target(founder)
    path = f"/api/investments/payment-methods/{target.method_id}"
    assert refusal(api.as_user(founder).delete(path)) == (409, "payment_method_in_use")
    assert api.as_user(founder).delete(URL).status_code == 200
    assert api.as_user(founder).delete(path).status_code == 200


def test_it_needs_a_recent_proof_and_an_identity(
    api: Api, founder: User, person: Any, time_machine: TimeMachineFixture
) -> None:
    body = {"paymentMethodId": str(make_bank_account(founder).pk)}
    assert refusal(api.as_user(person("nobody")).put(URL, body)) == (403, "kyc_required")
    client = api.as_user(founder)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    assert refusal(client.put(URL, body)) == (403, "step_up_required")
    assert refusal(client.delete(URL)) == (403, "step_up_required")


def test_the_database_keeps_it(founder: User) -> None:
    target = choose_target(founder)
    rows = PayoutTarget.objects.filter(pk=target.pk)
    other = make_bank_account(founder)
    for wrong in ({"method": other}, {"status": "unverified", "verified_at": None}, {"verified_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
