"""Paying people for tests of every app, and a provider that misbehaves on demand."""

from collections import deque
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from accounts.models import User
from campaigns.models import Campaign, CampaignDocument
from campaigns.services.documents import accept_document
from core import clock
from core.testing import Api, commits, run_until_quiet
from investments.jobs import (
    CLOSE_CAMPAIGNS,
    DISTRIBUTE_RETURNS,
    FINISH_DISTRIBUTION_REFUNDS,
    FINISH_DISTRIBUTIONS,
    FINISH_PAYMENTS,
    FINISH_PAYOUTS,
    FINISH_REFUNDS,
    FINISH_SETTLEMENTS,
    SETTLE_CAMPAIGNS,
)
from investments.models import Distribution, Investment, PaymentMethod, PayoutTarget, SandboxDispute, Settlement
from investments.providers.base import OutcomeUnknown, PayoutRefused, RefundRefused, TargetRejected
from investments.providers.sandbox import SandboxGateway, event_about_dispute
from investments.services.distribution_review import approve_distribution, evidence_of, holders_of
from investments.services.methods import add_payment_method, read_instrument
from investments.services.payout_targets import set_payout_target, verify_target
from investments.services.profiles import save_profile
from investments.services.provider_events import apply_event, receive_event
from investments.services.settlements import approve_settlement, read_case
from investments.texts import current_texts, knowledge_test

close_campaigns = partial(run_until_quiet, CLOSE_CAMPAIGNS)
finish_payments = partial(run_until_quiet, FINISH_PAYMENTS)
finish_refunds = partial(run_until_quiet, FINISH_REFUNDS)
distribute_returns = partial(run_until_quiet, DISTRIBUTE_RETURNS)
finish_distributions = partial(run_until_quiet, FINISH_DISTRIBUTIONS)
finish_distribution_refunds = partial(run_until_quiet, FINISH_DISTRIBUTION_REFUNDS)
settle_campaigns = partial(run_until_quiet, SETTLE_CAMPAIGNS)
finish_settlements = partial(run_until_quiet, FINISH_SETTLEMENTS)
finish_payouts = partial(run_until_quiet, FINISH_PAYOUTS)


def make_card(owner: User, token: str = "tok_visa") -> PaymentMethod:
    now = clock.now()
    instrument = read_instrument(owner=owner, type="card", details={"token": token}, now=now)
    return add_payment_method(owner=owner, instrument=instrument, now=now)


def make_bank_account(owner: User, token: str = "tok_bank_account") -> PaymentMethod:
    now = clock.now()
    instrument = read_instrument(owner=owner, type="bank_account", details={"token": token}, now=now)
    return add_payment_method(owner=owner, instrument=instrument, now=now)


def choose_target(owner: User, token: str = "tok_bank_account") -> PayoutTarget:
    """A new bank account as the owner's target, and the provider's answer to it."""
    with commits():
        target = set_payout_target(owner=owner, payment_method_id=make_bank_account(owner, token).pk, now=clock.now())
    verify_target(target.pk, now=clock.now())
    return PayoutTarget.objects.select_related("method").get(pk=target.pk)


def approve_payment(staff: User, settlement: Settlement) -> None:
    """As who has just read the settlement."""
    seen = read_case(Settlement.objects.select_related("owner").get(pk=settlement.pk)).digest
    with commits():
        approve_settlement(staff=staff, settlement_id=settlement.pk, seen=seen, now=clock.now())


def invest(api: Api, investor: User, campaign: Campaign, amount: str, card: PaymentMethod | None = None) -> Investment:
    """Invest through the API, having accepted the key information, and insist that it is committed."""
    method = card or make_card(investor)
    if campaign.rules == "eu_ecspr":
        accept_documents(investor, campaign)
    body = {"amount": amount, "paymentMethodId": str(method.pk)}
    answer = api.as_user(investor).post(f"/api/campaigns/{campaign.pk}/invest", body)
    assert (answer.status_code, answer.json().get("status")) == (200, "committed"), answer.content
    return Investment.objects.select_related("payment").get(pk=answer.json()["id"])


def settle(campaign: Campaign) -> Campaign:
    """Let its deadline pass, and pay its owner or refund everybody."""
    close_campaigns(now=campaign.ends_at + timedelta(seconds=1))
    campaign.refresh_from_db()
    assert campaign.status == "settled"
    return campaign


def propose(api: Api, owner: User, campaign: Campaign, amount: str, card: PaymentMethod | None = None) -> Distribution:
    """Propose a distribution through the API, and insist that it is paid in."""
    method = card or make_card(owner)
    body = {"amount": amount, "kind": "dividend", "note": "A good year.", "paymentMethodId": str(method.pk)}
    answer = api.as_user(owner).post(f"/api/campaigns/{campaign.pk}/distributions", body)
    assert (answer.status_code, answer.json().get("paymentStatus")) == (201, "captured"), answer.content
    return Distribution.objects.select_related("charge").get(pk=answer.json()["id"])


def approve(staff: User, distribution: Distribution) -> None:
    """As who has just read it."""
    distribution = Distribution.objects.select_related("charge").get(pk=distribution.pk)
    seen = evidence_of(distribution, distribution.charge, holders_of(distribution.campaign_id))
    with commits():
        approve_distribution(staff=staff, distribution_id=distribution.pk, seen=seen, now=clock.now())


def dispute(investment: Investment, amount_minor: int | None = None) -> SandboxDispute:
    """Its payment is contested at the bank, all of it if no amount is given, and the provider tells us."""
    return contest(investment.payment.key, amount_minor)


def contest(key: str, amount_minor: int | None = None) -> SandboxDispute:
    """The charge of a key is contested at the bank, and the provider tells us."""
    return _tell(SandboxGateway().open_dispute(key, amount_minor=amount_minor, now=clock.now()))


def decide(dispute: SandboxDispute, outcome: str) -> None:
    """The bank has decided: won or lost."""
    _tell(SandboxGateway().close_dispute(dispute, won=outcome == "won", now=clock.now()))


def _tell(dispute: SandboxDispute) -> SandboxDispute:
    body, headers = event_about_dispute(dispute, now=clock.now())
    received_id = receive_event(provider="sandbox", body=body, headers=headers, now=clock.now())
    assert received_id is not None
    with commits():
        apply_event(received_id, now=clock.now())
    return dispute


class StandIn(SandboxGateway):
    """
    The sandbox with planned faults. `plan("charge", "lost after")` breaks the next charge; other calls succeed.

    `lost before`: the question never arrives. `lost after`: it is done and the answer is lost. `reset`: the same, as a
    broken connection. `refused`: a refund or payout is clearly refused. `died`: our own process ends before it can ask.
    """

    def __init__(self) -> None:
        self.plans: dict[str, deque[str]] = {}
        self.calls: list[tuple[str, str]] = []

    def plan(self, call: str, *mishaps: str) -> None:
        self.plans.setdefault(call, deque()).extend(mishaps)

    def asked(self, call: str) -> list[str]:
        """The keys that a call was made with, in order."""
        return [key for name, key in self.calls if name == call]

    def charge(self, **question: Any) -> Any:
        return self._call("charge", question)

    def cancel(self, **question: Any) -> Any:
        return self._call("cancel", question)

    def find(self, **question: Any) -> Any:
        return self._call("find", question)

    def refund(self, **question: Any) -> Any:
        return self._call("refund", question)

    def payout(self, **question: Any) -> Any:
        return self._call("payout", question)

    def verify_target(self, **question: Any) -> Any:
        return self._call("verify_target", question)

    def _call(self, name: str, question: dict[str, Any]) -> Any:
        self.calls.append((name, question["key"]))
        planned = self.plans.get(name)
        mishap = planned.popleft() if planned else ""
        if mishap == "died":
            raise KeyboardInterrupt
        if mishap == "refused":
            refusals = {"payout": PayoutRefused, "verify_target": TargetRejected}
            raise refusals.get(name, RefundRefused)("insufficient_provider_balance")
        if mishap == "lost before":
            raise OutcomeUnknown("timed out")
        answer = getattr(super(), name)(**question)
        if mishap == "lost after":
            raise OutcomeUnknown("timed out")
        if mishap == "reset":
            raise OutcomeUnknown("connection reset") from ConnectionResetError()
        return answer


def declare_profile(
    person: User, *, currency: str = "USD", net_worth: str = "50000", invested_elsewhere: str = "0"
) -> None:
    """
    Figures with which 2,500 may be invested in twelve months, a knowledge test that is passed, and all that is read
    before the first commitment.
    """
    texts = [{"id": text.id, "version": text.version} for text in current_texts().values()]
    save_profile(
        person=person,
        annual_income=Decimal(0),
        net_worth=Decimal(net_worth),
        invested_elsewhere=Decimal(invested_elsewhere),
        currency=currency,
        answers={question.id: question.right for question in knowledge_test().questions},
        acknowledgements=[one for one in texts if one["id"] != "large_investment"],
        now=clock.now(),
    )


def accept_documents(person: User, campaign: Campaign) -> None:
    """The newest documents of a campaign, all of them."""
    for document in CampaignDocument.objects.filter(campaign=campaign).order_by("kind", "-version").distinct("kind"):
        accept_document(person=person, campaign_id=campaign.pk, document_id=document.pk, now=clock.now())
