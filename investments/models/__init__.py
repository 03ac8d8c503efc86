"""Payment methods, investments, and every try to move their money (docs/money.md)."""

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
from investments.models.reconciliation import Reconciliation
from investments.models.sandbox import SandboxCharge, SandboxRefund

__all__ = [
    "HOLDING",
    "UNDER_WAY",
    "Acknowledgement",
    "Figures",
    "Investment",
    "InvestmentQuerySet",
    "InvestorDeclaration",
    "KnowledgeTry",
    "Payment",
    "PaymentMethod",
    "PaymentMethodQuerySet",
    "ProviderEvent",
    "Reconciliation",
    "Refund",
    "SandboxCharge",
    "SandboxRefund",
    "Status",
    "Step",
    "cancellable_until",
]
