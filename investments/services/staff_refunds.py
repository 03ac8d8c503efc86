"""
Refunds that staff propose, outside of what an investor may ask for: of a commitment of a live campaign out of its
escrow, and of a settled campaign out of what its owner is owed. Above a sum a second person approves (ADR 27).
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import User
from campaigns.errors import OwnCampaign
from campaigns.models import Status as CampaignStatus
from campaigns.services.early_close import lock_by_clock
from campaigns.services.funding import lock_backing, lock_campaign, return_settled_funding
from core import events
from core.api.errors import NotFound, Refusal, RoleRequired
from core.data import sql
from core.data.transactions import retrying
from core.money import Money
from investments import books
from investments.errors import EvidenceChanged, NotWaitingForApproval, OwnMoney, StaffRefundOpen, StaffRefundTooLarge
from investments.models import Approval, Payment, Refund, StaffRefund, Status
from investments.permissions import APPROVE_REFUNDS
from investments.services import fees
from investments.services.approvals import TWO, digest_of, give_approval, refund_limit
from investments.services.locks import Locked, lock_payment
from investments.services.refunds import new_refund, put_in_outbox, request_refunds
from investments.services.settlements import withhold

Proposed = StaffRefund.Status


def digest_of_proposal(proposal: StaffRefund, payment: Payment) -> str:
    """What an approval is bound to."""
    investment = payment.investment
    sums = (
        payment.captured_minor,
        payment.refunded_minor,
        payment.disputed_minor,
        investment.status,
        investment.campaign.status,
    )
    return digest_of(proposal.pk, proposal.amount_minor, proposal.currency, proposal.reason, proposal.status, *sums)


def people_needed(amount: Money) -> int:
    """The one who proposes it, and above the limit another one."""
    return 1 if amount <= refund_limit(amount.currency) else TWO


def staff_refusal(payment: Payment, staff: User) -> Refusal | None:
    """Why `staff` may have no part in it; None: they may."""
    if not APPROVE_REFUNDS.held_by(staff):
        return RoleRequired(roles=", ".join(sorted(APPROVE_REFUNDS.roles)))
    if staff.pk == payment.investment.investor_id:
        return OwnMoney()
    return OwnCampaign() if staff.pk == payment.investment.campaign.owner_id else None


def refundable(payment: Payment) -> int:
    """What staff may propose to refund, in minor units: while a campaign ends, nothing."""
    investment = payment.investment
    is_live = investment.status == Status.COMMITTED and investment.campaign.status == CampaignStatus.LIVE
    is_settled = investment.status == Status.INVESTED and investment.campaign.status == CampaignStatus.SETTLED
    return payment.held_minor if is_live or is_settled else 0


@retrying
def propose_refund(*, staff: User, investment_id: UUID, amount: Decimal, reason: str, now: datetime) -> StaffRefund:
    """
    Propose to refund part of an investment, or all of it. Up to the limit it is requested at once.

    :param amount: in major units
    :param reason: why, for the others of the staff
    :raises NotFound: :raises RoleRequired: :raises OwnMoney: :raises OwnCampaign:
    :raises StaffRefundOpen: :raises StaffRefundTooLarge:
    :raises InsufficientFunds: the owner of a settled campaign is owed less
    """
    locked = _lock(staff, Payment.objects.filter(investment_id=investment_id).values_list("pk", flat=True).first())
    _, investment, payment = locked
    if investment.staff_refunds.filter(status=Proposed.PROPOSED).exists():
        raise StaffRefundOpen()
    money = Money.of(amount, investment.currency)
    _refuse_too_large(payment, money)
    proposal = StaffRefund.objects.create(
        investment=investment,
        amount_minor=money.minor,
        currency=money.currency,
        reason=reason,
        proposed_by=staff,
        created_at=now,
    )
    events.record("investment.staff_refund_proposed", investment, actor=staff, now=now, amount=money)
    digest = digest_of_proposal(proposal, payment)
    _approve(proposal, locked, staff, seen=digest, now=now)
    return proposal


@retrying
def approve_staff_refund(*, staff: User, proposal_id: UUID, seen: str, now: datetime) -> StaffRefund:
    """
    Add a second approval, which requests the refund.

    :param seen: the digest of what they were shown
    :raises NotFound: :raises RoleRequired: :raises OwnMoney: :raises OwnCampaign:
    :raises NotWaitingForApproval: :raises EvidenceChanged: :raises AlreadyApproved: :raises StaffRefundTooLarge:
    :raises InsufficientFunds: nothing was changed
    """
    proposal, locked = _access(staff, proposal_id)
    _refuse_too_large(locked.payment, proposal.amount)
    _approve(proposal, locked, staff, seen=seen, now=now)
    return proposal


@retrying
def reject_staff_refund(*, staff: User, proposal_id: UUID, seen: str, answer: str, now: datetime) -> StaffRefund:
    """:raises NotFound: :raises RoleRequired: :raises NotWaitingForApproval: :raises EvidenceChanged:"""
    proposal, locked = _access(staff, proposal_id)
    if seen != digest_of_proposal(proposal, locked.payment):
        raise EvidenceChanged()
    proposal.status, proposal.answer, proposal.decided_at = Proposed.REJECTED, answer, now
    proposal.save(update_fields=["status", "answer", "decided_at"])
    about = {"amount": proposal.amount}
    events.record("investment.staff_refund_rejected", locked.investment, actor=staff, now=now, **about)
    return proposal


def _lock(staff: User, payment_id: UUID | None) -> Locked:
    if payment_id is None:
        raise NotFound()
    locked = lock_payment(payment_id)
    locked.payment.investment = locked.investment
    if refusal := staff_refusal(locked.payment, staff):
        raise refusal
    return locked


def _access(staff: User, proposal_id: UUID) -> tuple[StaffRefund, Locked]:
    proposals = StaffRefund.objects.select_related("proposed_by")
    payment_id = proposals.filter(pk=proposal_id).values_list("investment__payment", flat=True).first()
    locked = _lock(staff, payment_id)
    proposal = proposals.get(pk=proposal_id)  # it changes under the payment's lock only
    if proposal.status != Proposed.PROPOSED:
        raise NotWaitingForApproval(status=proposal.status)
    return proposal, locked


def _refuse_too_large(payment: Payment, money: Money) -> None:
    available = refundable(payment)
    if money.minor > available:
        currency = money.currency
        raise StaffRefundTooLarge(available=Money(available, currency).text, currency=currency)


def _approve(proposal: StaffRefund, locked: Locked, staff: User, *, seen: str, now: datetime) -> None:
    digest = digest_of_proposal(proposal, locked.payment)
    kind = Approval.Subject.STAFF_REFUND
    given = give_approval(kind, proposal.pk, person=staff, seen=seen, digest=digest, now=now)
    if given < people_needed(proposal.amount):
        return
    is_settled = locked.investment.status == Status.INVESTED
    take = _take_from_owner if is_settled else _take_from_escrow
    proposal.refund = take(locked, proposal.amount, now)
    proposal.status, proposal.decided_at = Proposed.APPROVED, now
    proposal.save(update_fields=["status", "decided_at", "refund"])


def _take_from_escrow(locked: Locked, amount: Money, now: datetime) -> Refund:
    investment = locked.investment
    lock_backing(investment.campaign_id, investment.investor_id, now)
    campaign = lock_by_clock(investment.campaign_id, now=now)
    if campaign.status != CampaignStatus.LIVE:
        raise StaffRefundTooLarge(available=Money(0, amount.currency).text, currency=amount.currency)
    (refund,) = request_refunds(
        [locked], Refund.Reason.BY_STAFF, now=now, amount=amount, locked_campaign=campaign, is_approved=True
    )
    return refund


def _take_from_owner(locked: Locked, amount: Money, now: datetime) -> Refund:
    """Out of what the owner is owed and was not paid."""
    _, investment, payment = locked
    withhold(investment.campaign_id, amount.minor, now=now)
    lock_backing(investment.campaign_id, investment.investor_id, now)
    campaign = lock_campaign(investment.campaign_id)
    refund = new_refund(locked, Refund.Reason.BY_STAFF, amount, now)
    given_back = fees.give_back(refund, campaign, fees.paid_with([payment]))
    payment.refunded_minor += amount.minor
    payment.updated_at = now
    sql.update(payment, "refunded_minor", "updated_at")
    return_settled_funding(campaign=campaign, backer_id=investment.investor_id, amount=amount, now=now)
    about = {"amount": amount, "reason": refund.reason}
    events.record("investment.refund_requested", investment, actor=None, now=now, **about)
    put_in_outbox(refund.pk, now=now)
    refund.reservation = books.reserve_refund_by_owner(
        refund_id=refund.pk,
        investment_id=investment.pk,
        owner_id=campaign.owner_id,
        provider=payment.provider,
        amount=amount,
        fees=given_back,
        now=now,
    )
    sql.insert(refund)
    return refund
