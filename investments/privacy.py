"""Personal data in investments (core.privacy): how people pay, and where their money went."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.errors import MoneyInFlight
from accounts.services import history
from core import events
from core.jobs import outbox
from core.privacy import Delete, DeleteAfter, Kept, Withheld, blocks_erasure, declare, declare_impersonal
from investments.models import (
    UNDER_WAY,
    Acknowledgement,
    Approval,
    ChargeOrigin,
    Correction,
    Decline,
    Dispute,
    Distribution,
    DistributionCharge,
    FeeLine,
    Investment,
    InvestorDeclaration,
    KnowledgeTry,
    Payment,
    PaymentMethod,
    Payout,
    PayoutTarget,
    ProviderAccount,
    ProviderCharge,
    ProviderCustomer,
    ProviderEvent,
    ProviderFee,
    ProviderPayout,
    ProviderRefund,
    Reconciliation,
    Reconfirmation,
    Refund,
    Return,
    RiskCase,
    SandboxCharge,
    SandboxDispute,
    SandboxPayout,
    SandboxRefund,
    SandboxTarget,
    Settlement,
    SettlementPayment,
    StaffRefund,
    Status,
    WaitingEntry,
)
from ledger.models import LedgerAccount


@blocks_erasure(MoneyInFlight)
def block_while_money_moves(person_id: UUID) -> None:
    """:raises MoneyInFlight: a payment or refund is not done, money waits for a campaign's end, or we owe them some"""
    moving = Investment.objects.filter(investor_id=person_id, status__in=[*UNDER_WAY, Status.COMMITTED])
    refunds = Refund.objects.filter(payment__investment__investor_id=person_id, status=Refund.Status.PENDING)
    own_accounts = Q(code__startswith=f"payable:user:{person_id}:") | Q(code__startswith=f"returns:user:{person_id}:")
    owed = LedgerAccount.objects.filter(own_accounts).exclude(posted=0)
    disputed = Dispute.objects.filter(payment__investment__investor_id=person_id, status=Dispute.Status.OPEN)
    paying = DistributionCharge.objects.filter(
        Q(status__in=["pending", "requires_action", "refunding"]) | Q(distribution__status="proposed"),
        distribution__proposed_by_id=person_id,
    )
    if any(rows.exists() for rows in (moving, refunds, disputed, owed, paying)):
        raise MoneyInFlight()


def blank_methods(*, person_id: UUID, now: datetime) -> None:
    """How the person paid goes, but for the last four digits, by which a refund is found at the provider."""
    methods = PaymentMethod.objects.filter(owner_id=person_id)
    methods.filter(removed_at__isnull=True).update(removed_at=now)
    methods.update(token="", brand="", fingerprint="", is_default=False, expiry_month=None, expiry_year=None)


def leave_waiting_lists(*, person_id: UUID, now: datetime) -> None:
    """After the erasure, which holds locks that come behind those of campaigns."""
    outbox.emit("investments.leave_waiting_lists", person_id=str(person_id))


def forget_customers(*, person_id: UUID, now: datetime) -> None:
    """The providers delete what they keep of the person, too."""
    customers = ProviderCustomer.objects.filter(person_id=person_id)
    for provider, customer_id in customers.values_list("provider", "customer_id"):
        outbox.emit("investments.forget_customer", now=now, provider=provider, customer_id=customer_id)
    customers.delete()


def forget_accounts(*, person_id: UUID, now: datetime) -> None:
    """What they were paid to, likewise: nothing is owed to them any more."""
    accounts = ProviderAccount.objects.filter(person_id=person_id)
    for provider, account_id in accounts.values_list("provider", "account_id"):
        outbox.emit("investments.forget_customer", now=now, provider=provider, customer_id=account_id)
    accounts.delete()


def remove_targets(*, person_id: UUID, now: datetime) -> None:
    """Nothing is owed to them any more (`block_while_money_moves`)."""
    PayoutTarget.objects.filter(owner_id=person_id, removed_at=None).update(removed_at=now, updated_at=now)


def forget_origins(*, person_id: UUID, now: datetime) -> None:
    """From where the person's charges were asked for."""
    payments = Payment.objects.filter(investment__investor_id=person_id).values("pk")
    charges = DistributionCharge.objects.filter(distribution__proposed_by_id=person_id).values("pk")
    ChargeOrigin.objects.filter(Q(pk__in=payments) | Q(pk__in=charges)).delete()


BOOKS = Kept("the books are kept to the cent, for an account without a name")

declare(
    PaymentMethod,
    person="owner_id",
    export=("id", "type", "brand", "last4", "expiry_month", "expiry_year", "is_default", "created_at", "removed_at"),
    erase=blank_methods,
    retention=Kept("payments name it"),
)


def investments_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """Each investment with its timeline."""
    own = Investment.objects.filter(investor_id=person_id).order_by("pk").select_related("campaign")
    steps = events.timelines(Investment, list(own.values_list("pk", flat=True)))
    for investment in own:
        yield {
            "id": investment.pk,
            "campaignId": investment.campaign_id,
            "campaignTitle": investment.campaign.title,
            "amountMinor": investment.amount_minor,
            "currency": investment.currency,
            "status": investment.status,
            "reference": investment.reference,
            "cancellableUntil": investment.cancellable_until,
            "createdAt": investment.created_at,
            "updatedAt": investment.updated_at,
            "events": [
                {"kind": step.kind, "facts": step.facts, "createdAt": step.created_at}
                for step in steps.get(investment.pk, [])
            ],
        }


declare(Investment, export=investments_of, erase=BOOKS, retention=BOOKS)
declare(
    Reconfirmation,
    person="investment__investor_id",
    export=("investment_id", "from_version", "terms_version", "answer", "created_at"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    WaitingEntry,
    person="investor_id",
    export=(
        *("campaign_id", "campaign__title", "amount_minor", "currency", "position", "status"),
        *("offered_minor", "offer_ends_at", "investment_id", "created_at", "updated_at"),
    ),
    erase=leave_waiting_lists,
    retention=Kept("says in which order places were given"),
)
declare(
    Payment,
    person="investment__investor_id",
    export=(
        "investment_id",
        "provider",
        "status",
        "fee_minor",
        "captured_minor",
        "refunded_minor",
        "disputed_minor",
        "created_at",
        "updated_at",
    ),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    FeeLine,
    person="payment__investment__investor_id",
    export=("payment__investment_id", "fee", "kind", "amount_minor", "refunded_minor", "currency", "created_at"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    Refund,
    person="payment__investment__investor_id",
    export=(
        "payment__investment_id",
        "reason",
        "amount_minor",
        "fee_minor",
        "currency",
        "status",
        "created_at",
        "updated_at",
    ),
    erase=BOOKS,
    retention=BOOKS,
)


def declarations_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """Every declaration, opened."""
    for one in InvestorDeclaration.objects.filter(person_id=person_id).order_by("pk"):
        figures = one.open()
        yield {
            "id": one.pk,
            "currency": one.currency,
            "annualIncomeMinor": figures and figures.annual_income,
            "netWorthMinor": figures and figures.net_worth,
            "investedElsewhereMinor": figures and figures.invested_elsewhere,
            "createdAt": one.created_at,
        }


def delete_declarations(*, person_id: UUID, now: datetime) -> None:
    InvestorDeclaration.objects.filter(person_id=person_id).delete()


declare(
    InvestorDeclaration,
    export=declarations_of,
    erase=delete_declarations,
    retention=Kept("what limits were computed from, until the person is erased"),
)
declare(
    KnowledgeTry,
    person="person_id",
    export=("id", "version", "answers", "score", "passed", "created_at"),
    erase=Delete(),
    retention=Kept("what rights were computed from, until the person is erased"),
)
declare(
    Acknowledgement,
    person="person_id",
    export=("id", "text_id", "version", "sha256", "investment_id", "created_at"),
    erase=Kept("proves what was said before money moved, for an account without a name"),
    retention=Kept("proves what was said before money moved"),
)
declare(
    Distribution,
    person="proposed_by_id",
    export=(
        *("id", "campaign_id", "kind", "note", "amount_minor", "currency", "status", "reason"),
        *("created_at", "decided_at", "paid_at", "updated_at"),
    ),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    DistributionCharge,
    person="distribution__proposed_by_id",
    export=("distribution_id", "provider", "status", "created_at", "updated_at"),
    erase=BOOKS,
    retention=BOOKS,
)


def disputes_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """Of payments for investments and for distributions."""
    paid_by = Q(payment__investment__investor_id=person_id) | Q(
        distribution_charge__distribution__proposed_by_id=person_id
    )
    for one in Dispute.objects.filter(paid_by).order_by("pk").select_related("payment", "distribution_charge"):
        yield {
            "investmentId": one.payment and one.payment.investment_id,
            "distributionId": one.distribution_charge and one.distribution_charge.distribution_id,
            "provider": one.provider,
            "amountMinor": one.amount_minor,
            "currency": one.currency,
            "reason": one.reason,
            "status": one.status,
            "openedAt": one.opened_at,
            "closedAt": one.closed_at,
        }


declare(Dispute, export=disputes_of, erase=BOOKS, retention=BOOKS)
declare(
    Return,
    person="investor_id",
    export=("id", "investment_id", "distribution__kind", "amount_minor", "currency", "credited_at"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    Payout,
    person="investment__investor_id",
    export=("id", "investment_id", "amount_minor", "currency", "status", "created_at", "updated_at"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    PayoutTarget,
    person="owner_id",
    export=("id", "method_id", "status", "verified_at", "created_at", "removed_at"),
    erase=remove_targets,
    retention=BOOKS,
)
declare(
    Settlement,
    person="owner_id",
    export=(
        *("id", "campaign_id", "currency", "gross_minor", "fees_minor", "withheld_minor", "paid_minor", "status"),
        *("because", "reason", "created_at", "paid_at", "updated_at"),
    ),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    SettlementPayment,
    person="settlement__owner_id",
    export=("settlement_id", "attempt", "amount_minor", "currency", "status", "created_at", "updated_at"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    Approval,
    person="person_id",
    export=Withheld("what staff approved of other people's money"),
    erase=Kept("proves who approved what, for an account without a name"),
    retention=Kept("proves who approved what"),
)
declare(
    StaffRefund,
    person="investment__investor_id",
    export=("id", "investment_id", "amount_minor", "currency", "status", "created_at", "decided_at"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    Correction,
    person="proposed_by_id",
    export=Withheld("how staff corrected the books"),
    erase=BOOKS,
    retention=BOOKS,
)
declare(
    ProviderEvent,
    export=Withheld("what a payment provider reported; its effect is exported with the payment"),
    erase=Kept("holds keys of payments and no name"),
    retention=Kept("compared with the provider's statement"),
)
declare(
    ProviderCustomer,
    person="person_id",
    export=("provider", "customer_id", "created_at"),
    erase=forget_customers,
    retention=Kept("payment methods belong to it"),
)
declare(
    ProviderAccount,
    person="person_id",
    export=("provider", "account_id", "created_at"),
    erase=forget_accounts,
    retention=Kept("payment methods belong to it"),
)
declare(
    ChargeOrigin,
    export=Withheld("a keyed hash of a network address, by which declined payments are counted"),
    erase=forget_origins,
    retention=DeleteAfter(history.KEPT, since="pk"),
)
declare(
    Decline,
    person="person_id",
    export=("key", "campaign_id", "reason", "created_at"),
    erase=Delete(),
    retention=DeleteAfter(history.KEPT, since="pk"),
)
declare(
    RiskCase,
    person="person_id",
    export=("id", "rule", "consequence", "status", "created_at", "decided_at"),
    erase=Kept("a card that was banned stays banned, for an account without a name"),
    retention=Kept("a card that was banned stays banned"),
)
for record in (ProviderCharge, ProviderPayout, ProviderRefund):
    declare_impersonal(record, about="what a provider calls a payment", retention=Kept("payments are found by it"))
declare_impersonal(
    Reconciliation,
    about="references and amounts that differ from a provider's statement",
    retention=Kept("the books' proof"),
)
declare_impersonal(ProviderFee, about="what a provider has taken for itself", retention=Kept("part of the books"))
for sandbox in (SandboxCharge, SandboxDispute, SandboxPayout, SandboxRefund, SandboxTarget):
    declare_impersonal(sandbox, about="what the sandbox provider plays", retention=Kept("part of the sandbox"))
