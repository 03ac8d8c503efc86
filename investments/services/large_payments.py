"""
Refunds and payouts of returns above a sum wait for two people (ADR 27). Their money is reserved meanwhile; with the
last approval the outbox sends them.
"""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from core import events
from core.api.errors import NotFound, Refusal, RoleRequired
from core.data import locks, sql
from core.data.transactions import retrying
from investments.errors import EvidenceChanged, NotWaitingForApproval, OwnMoney
from investments.models import Approval, Investment, Payout, Refund
from investments.permissions import APPROVE_REFUNDS
from investments.services import payouts, refunds
from investments.services.approvals import digest_of, give_approval
from investments.services.locks import lock_refunds

Held = Refund | Payout


def investment_of(held: Held) -> Investment:
    return held.investment if isinstance(held, Payout) else held.payment.investment


def digest_of_held(held: Held) -> str:
    """What an approval is bound to: the amount, where it goes, and what the investment holds."""
    investment = investment_of(held)
    payment = investment.payment
    goes_to = held.method_id if isinstance(held, Payout) else payment.key
    sums = (payment.captured_minor, payment.refunded_minor, payment.disputed_minor, investment.status)
    return digest_of(held.pk, held.amount_minor, held.currency, held.status, goes_to, *sums)


def decision_refusal(held: Held, staff: User) -> Refusal | None:
    """Why `staff` may not decide on it now; None: they may."""
    if not APPROVE_REFUNDS.held_by(staff):
        return RoleRequired(roles=", ".join(sorted(APPROVE_REFUNDS.roles)))
    if staff.pk == investment_of(held).investor_id:
        return OwnMoney()
    if held.status != "pending" or not held.is_held:
        return NotWaitingForApproval(status=held.status)
    return None


@retrying
def approve_refund(*, staff: User, refund_id: UUID, seen: str, now: datetime) -> Refund:
    """
    Add one person's approval. With the last one the outbox sends the refund.

    :param seen: the digest of what they were shown
    :raises NotFound: :raises RoleRequired: :raises OwnMoney: :raises NotWaitingForApproval:
    :raises EvidenceChanged: :raises AlreadyApproved: nothing was changed
    """
    payment_id = Refund.objects.filter(pk=refund_id).values_list("payment_id", flat=True).first()
    if payment_id is None:
        raise NotFound()
    _, investment, payment, found = lock_refunds(payment_id)
    (refund,) = (one for one in found if one.pk == refund_id)
    payment.investment, investment.payment, refund.payment = investment, payment, payment
    if _approve(refund, Approval.Subject.REFUND, staff, seen, now):
        refunds.put_in_outbox(refund_id, now=now)
    return refund


@retrying
def approve_payout(*, staff: User, payout_id: UUID, seen: str, now: datetime) -> Payout:
    """As `approve_refund`."""
    payout = _lock_payout(payout_id)
    if _approve(payout, Approval.Subject.PAYOUT, staff, seen, now):
        payouts.put_in_outbox(payout_id, now=now)
    return payout


@retrying
def reject_payout(*, staff: User, payout_id: UUID, seen: str, now: datetime) -> Payout:
    """
    End a payout that waits for people: its money is available again, and its investor is told.

    :raises NotFound: :raises RoleRequired: :raises OwnMoney: :raises NotWaitingForApproval: :raises EvidenceChanged:
    """
    payout = _lock_payout(payout_id)
    if refusal := decision_refusal(payout, staff):
        raise refusal
    if seen != digest_of_held(payout):
        raise EvidenceChanged()
    payouts.record_payout(payout_id, "", "not_approved", now)
    return payout


def _lock_payout(payout_id: UUID) -> Payout:
    found = Payout.objects.select_related("investment__payment", "investment__campaign", "method")
    payout = locks.lock(found).filter(pk=payout_id).first()
    if payout is None:
        raise NotFound()
    return payout


def _approve(held: Held, kind: str, staff: User, seen: str, now: datetime) -> bool:
    """Returns whether it was the last approval that it takes."""
    if refusal := decision_refusal(held, staff):
        raise refusal
    given = give_approval(kind, held.pk, person=staff, seen=seen, digest=digest_of_held(held), now=now)
    investment = investment_of(held)
    about = {"amount": held.amount, "reason": kind}
    events.record("investment.approval_given", investment, actor=staff, now=now, **about)
    if given < held.people_needed:
        return False
    held.approved_at = held.updated_at = now
    sql.update(held, "approved_at", "updated_at")
    events.record("investment.approved", investment, actor=None, now=now, **about)
    return True
