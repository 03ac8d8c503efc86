"""Payment methods that cannot be used because of a risk case (docs/velocity.md)."""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from django.db.models import Q

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


def suspended_cards(owner_id: UUID, cards: Iterable[str]) -> set[str]:
    """Those of these cards (`PaymentMethod.card`) that somebody may not use."""
    own = Q(person=owner_id, consequence="suspend_method", status__in=["open", "kept"])
    return set(RiskCase.objects.filter(own | Q(status="banned"), card__in=list(cards)).values_list("card", flat=True))


def suspension_verdict(found: str) -> Verdict:
    """Whether something may be paid with a method that is under this."""
    if found == RiskCase.Consequence.HOLD:
        return Verdict(PaymentsHeld())
    return Verdict(PaymentMethodSuspended()) if found else ALLOWED
