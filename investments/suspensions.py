"""Payment methods that cannot be used because of a risk case (docs/velocity.md)."""

from functools import cache
from uuid import UUID

from campaigns.verdicts import ALLOWED, Verdict
from core.data.statements import fetch
from investments.errors import PaymentMethodSuspended, PaymentsHeld
from investments.models import PaymentMethod, RiskCase


@cache
def suspension(alias: str) -> str:
    """
    SQL of what a payment method is under: `suspend_method`, `hold`, or NULL. A suspended card counts before a hold.

    :param alias: of `investments_paymentmethod` in the statement
    """
    card = f"coalesce(nullif({alias}.fingerprint, ''), {alias}.id::text)"
    return f"""(
        SELECT max(CASE WHEN r.status = 'banned' THEN 'suspend_method' ELSE r.consequence END)
        FROM investments_riskcase r
        WHERE (r.person_id = {alias}.owner_id AND r.status IN ('open', 'kept')
               AND (r.consequence = 'hold' OR r.card = {card}))
           OR (r.status = 'banned' AND r.card = {card}))"""


def suspension_of(method: PaymentMethod) -> str:
    """What a kept payment method is under; empty: nothing."""
    ((found,),) = fetch(_OF_METHOD, [method.pk])
    return found or ""


_OF_METHOD = f"SELECT {suspension('m')} FROM investments_paymentmethod m WHERE m.id = %s"


def is_card_suspended(owner_id: UUID, card: str) -> bool:
    """Whether somebody may not use this card again (`PaymentMethod.card`)."""
    cases = RiskCase.objects.filter(card=card)
    own = cases.filter(person=owner_id, consequence="suspend_method", status__in=["open", "kept"])
    return own.exists() or cases.filter(status="banned").exists()


def suspension_verdict(found: str) -> Verdict:
    """Whether something may be paid with a method that is under this."""
    if found == RiskCase.Consequence.HOLD:
        return Verdict(PaymentsHeld())
    return Verdict(PaymentMethodSuspended()) if found else ALLOWED
