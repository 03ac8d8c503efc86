"""Nothing is under way for more than a quarter of an hour after a fault is over (SECURITY-GOALS 11)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from core.jobs.runner import exclusive
from core.models import OutboxEvent
from core.testing import Api, commits, drain_outbox
from investments.jobs import FINISH_REFUNDS, FINISHERS
from investments.models import (
    DistributionCharge,
    Investment,
    Payment,
    Payout,
    ProviderEvent,
    Refund,
    SandboxCharge,
    SandboxPayout,
    SandboxRefund,
)
from investments.providers.sandbox import SIGNATURE_HEADER, event_about, sign
from investments.reconciliation import reconcile
from investments.services.distributing import distribute
from investments.services.distribution_review import evidence_of, holders_of, reject_distribution
from investments.testing import StandIn, approve, invest, make_card, propose, settle
from investments.tests.conftest import books_agree, invest_url

pytestmark = pytest.mark.django_db


class World:
    """Each method brings one thing under way, on a line that is broken; it returns what to count afterwards."""

    def __init__(self, api: Api, campaign: Campaign, people: dict[str, User], provider: StandIn) -> None:
        self.api, self.campaign, self.people, self.provider = api, campaign, people, provider
        self.mishap = ""

    def post(self, who: str, path: str, body: dict[str, Any]) -> None:
        """However it is answered."""
        with suppress(KeyboardInterrupt):
            self.api.as_user(self.people[who]).post(path, body)

    def settled(self) -> Campaign:
        invest(self.api, self.people["backer"], self.campaign, "1000")
        return settle(self.campaign)

    def payment(self) -> None:
        body = {"amount": "100", "paymentMethodId": str(make_card(self.people["backer"]).pk)}
        self.provider.plan("charge", self.mishap)
        self.post("backer", invest_url(self.campaign), body)

    def refund(self) -> None:
        investment = invest(self.api, self.people["backer"], self.campaign, "100")
        self.provider.plan("refund", self.mishap)
        body = {"amount": "100", "paymentMethodId": str(investment.method_id)}
        self.post("backer", f"/api/investments/{investment.pk}/withdraw", body)

    def distribution(self) -> None:
        body = {"amount": "110", "kind": "dividend", "paymentMethodId": str(make_card(self.people["founder"]).pk)}
        settled = self.settled()
        self.provider.plan("charge", self.mishap)
        self.post("founder", f"/api/campaigns/{settled.pk}/distributions", body)

    def distribution_refund(self) -> None:
        proposal = propose(self.api, self.people["founder"], self.settled(), "110")
        seen = evidence_of(proposal, proposal.charge, holders_of(proposal.campaign_id))
        admin, now = self.people["admin"], timezone.now()
        self.provider.plan("refund", self.mishap)
        with suppress(KeyboardInterrupt):
            with commits():
                reject_distribution(staff=admin, distribution_id=proposal.pk, seen=seen, reason="No.", now=now)
            drain_outbox()

    def payout(self) -> None:
        proposal = propose(self.api, self.people["founder"], self.settled(), "110")
        approve(self.people["admin"], proposal)
        distribute(proposal.pk, now=timezone.now())
        investment = Investment.objects.get()
        self.provider.plan("payout", self.mishap)
        body = {"amount": "110", "paymentMethodId": str(investment.method_id)}
        self.post("backer", f"/api/investments/{investment.pk}/withdraw", body)

    def event(self) -> None:
        method = make_card(self.people["backer"], "tok_3ds")
        self.post("backer", invest_url(self.campaign), {"amount": "100", "paymentMethodId": str(method.pk)})
        now = timezone.now()
        charge = self.provider.finish_action(SandboxCharge.objects.get().action_token, approved=True, now=now)
        signed = event_about(charge, now=now)[0]
        self.provider.plan("find", self.mishap)
        headers = {f"HTTP_{SIGNATURE_HEADER.upper().replace('-', '_')}": sign(signed, now)}
        url = "/api/investments/webhooks/sandbox"
        with suppress(KeyboardInterrupt):
            self.api.client.generic("POST", url, signed, content_type="application/json", **headers)
            drain_outbox()


@pytest.fixture
def world(
    api: Api, campaign: Campaign, founder: User, backer: User, person: Callable[..., User], provider: StandIn
) -> World:
    people = {"founder": founder, "backer": backer, "admin": person("ines", role="admin")}
    return World(api, campaign, people, provider)


def under_way() -> list[Any]:
    charges = ["pending", "requires_action", "refunding"]
    return [
        *Payment.objects.filter(status__in=charges),
        *Refund.objects.filter(status="pending"),
        *DistributionCharge.objects.filter(status__in=charges),
        *Payout.objects.filter(status="pending"),
        *ProviderEvent.objects.filter(outcome="received"),
    ]


FAULTS = {
    "the provider is silent": ("lost before", ""),
    "the answer is lost, and the outbox has lost the question": ("lost after", "lost"),
    "the connection breaks, and the question is parked": ("reset", "parked"),
    "the process dies, and the outbox has lost the question": ("died", "lost"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["payment", "refund", "distribution", "distribution_refund", "payout", "event"])
def test_a_quarter_of_an_hour_after_any_fault_nothing_is_under_way(world: World, kind: str, fault: str) -> None:
    world.mishap, outbox_is = FAULTS[fault]
    getattr(world, kind)()
    began = timezone.now()
    assert under_way()
    if outbox_is == "lost":
        OutboxEvent.objects.all().delete()
    elif outbox_is == "parked":
        OutboxEvent.objects.filter(delivered_at=None).update(parked_at=began)
    for minutes in (2, 7, 12, 14):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            call_command("finish_pending", stdout=StringIO())
            drain_outbox()
    assert under_way() == []
    assert SandboxCharge.objects.count() == {"payment": 1, "refund": 1, "event": 1}.get(kind, 2)
    assert SandboxRefund.objects.count() == (1 if "refund" in kind else 0)
    assert SandboxPayout.objects.count() == (1 if kind == "payout" else 0)
    assert reconcile("sandbox", now=timezone.now()).findings == []
    assert books_agree()


def told(*args: str) -> str:
    out = StringIO()
    call_command("finish_pending", *args, stdout=out)
    return out.getvalue()


def test_the_command_says_what_is_due_and_is_safe_twice_and_side_by_side(world: World) -> None:
    world.mishap = "lost before"
    world.payment()
    OutboxEvent.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        assert told("--dry-run").splitlines()[0] == "investments.finish_payments: 1 due"
        assert not OutboxEvent.objects.exists()
        assert "finish_payments: 1 done, 0 left for the next time, 0 failed" in told()
        assert "finish_payments: 0 done" in told()
        with exclusive(FINISH_REFUNDS.name):
            assert "finish_refunds: another copy is at work" in told()
        assert len(told().splitlines()) == len(FINISHERS)
        drain_outbox()
    assert under_way() == []
