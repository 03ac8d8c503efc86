"""Payment methods, investments, and every try to move their money (docs/money.md)."""

from investments.models.approvals import Approval, Correction, StaffRefund
from investments.models.disputes import Dispute
from investments.models.distributions import Distribution, DistributionCharge, Payout, Return
from investments.models.fees import FeeLine
from investments.models.investments import (
    HELD,
    HELD_OF_PAYMENT,
    HOLDING,
    UNDER_WAY,
    Investment,
    InvestmentQuerySet,
    Payment,
    Refund,
    Status,
    Step,
    cancellable_until,
)
from investments.models.methods import PaymentMethod, PaymentMethodQuerySet
from investments.models.profiles import Acknowledgement, Figures, InvestorDeclaration, KnowledgeTry
from investments.models.provider_events import ProviderEvent
from investments.models.provider_fees import ProviderFee
from investments.models.provider_records import (
    ProviderAccount,
    ProviderCharge,
    ProviderCustomer,
    ProviderPayout,
    ProviderRefund,
)
from investments.models.reconciliation import Reconciliation
from investments.models.reconfirmations import Answer, Reconfirmation
from investments.models.risk import ChargeOrigin, Decline, RiskCase
from investments.models.sandbox import SandboxCharge, SandboxDispute, SandboxPayout, SandboxRefund, SandboxTarget
from investments.models.settlements import PayoutTarget, Settlement, SettlementPayment
from investments.models.waiting import IN_LIST, WaitingEntry, WaitingQuerySet, WaitingStatus

__all__ = [
    "HELD",
    "HELD_OF_PAYMENT",
    "HOLDING",
    "IN_LIST",
    "UNDER_WAY",
    "Acknowledgement",
    "Answer",
    "Approval",
    "ChargeOrigin",
    "Correction",
    "Decline",
    "Dispute",
    "Distribution",
    "DistributionCharge",
    "FeeLine",
    "Figures",
    "Investment",
    "InvestmentQuerySet",
    "InvestorDeclaration",
    "KnowledgeTry",
    "Payment",
    "PaymentMethod",
    "PaymentMethodQuerySet",
    "Payout",
    "PayoutTarget",
    "ProviderAccount",
    "ProviderCharge",
    "ProviderCustomer",
    "ProviderEvent",
    "ProviderFee",
    "ProviderPayout",
    "ProviderRefund",
    "Reconciliation",
    "Reconfirmation",
    "Refund",
    "Return",
    "RiskCase",
    "SandboxCharge",
    "SandboxDispute",
    "SandboxPayout",
    "SandboxRefund",
    "SandboxTarget",
    "Settlement",
    "SettlementPayment",
    "StaffRefund",
    "Status",
    "Step",
    "WaitingEntry",
    "WaitingQuerySet",
    "WaitingStatus",
    "cancellable_until",
]
