"""Payment methods, investments, and every try to move their money (docs/money.md)."""

from investments.models.distributions import Distribution, DistributionCharge, Payout, Return
from investments.models.investments import (
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
from investments.models.provider_records import ProviderCharge, ProviderCustomer, ProviderRefund
from investments.models.reconciliation import Reconciliation
from investments.models.reconfirmations import Answer, Reconfirmation
from investments.models.risk import ChargeOrigin, Decline, RiskCase
from investments.models.sandbox import SandboxCharge, SandboxPayout, SandboxRefund
from investments.models.waiting import IN_LIST, WaitingEntry, WaitingQuerySet, WaitingStatus

__all__ = [
    "HOLDING",
    "IN_LIST",
    "UNDER_WAY",
    "Acknowledgement",
    "Answer",
    "ChargeOrigin",
    "Decline",
    "Distribution",
    "DistributionCharge",
    "Figures",
    "Investment",
    "InvestmentQuerySet",
    "InvestorDeclaration",
    "KnowledgeTry",
    "Payment",
    "PaymentMethod",
    "PaymentMethodQuerySet",
    "Payout",
    "ProviderCharge",
    "ProviderCustomer",
    "ProviderEvent",
    "ProviderRefund",
    "Reconciliation",
    "Reconfirmation",
    "Refund",
    "Return",
    "RiskCase",
    "SandboxCharge",
    "SandboxPayout",
    "SandboxRefund",
    "Status",
    "Step",
    "WaitingEntry",
    "WaitingQuerySet",
    "WaitingStatus",
    "cancellable_until",
]
