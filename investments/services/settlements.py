"""
Paying the owner of a funded campaign.

The release of the escrow makes a settlement. `advance` brings it as far as it can go without the provider: it waits for
a verified target and, above a sum, for two people (`services.approvals`); then it reserves the owner's money.
`send_payment` asks the provider, with a commit before and after. Silence means asking again with the same key; a clear
no voids the reservation and lets it wait again. The rows say where it stands, so all of it may die anywhere, run twice,
or run beside itself.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import User
from campaigns.errors import OwnCampaign
from campaigns.models import Campaign, Status as CampaignStatus
from core import events
from core.api.errors import NotFound, Refusal, RoleRequired
from core.data import locks, sql
from core.data.ids import derived_id, uuid7
from core.data.transactions import retrying
from core.jobs import outbox
from core.models import OutboxEvent
from core.money import Money
from investments import books
from investments.access import holdings_in
from investments.errors import EvidenceChanged, HolderDecides, SettlementNotWaiting
from investments.models import Approval, Dispute, PayoutTarget, Settlement, SettlementPayment
from investments.permissions import APPROVE_SETTLEMENTS
from investments.services.approvals import TWO, approvals_of, digest_of, give_approval, payout_limit
from investments.services.payout_targets import targets_of
from investments.services.payouts import ASK_AGAIN, ask_for_payout
from ledger.services.reservations import post_reserved, void_reserved

logger = logging.getLogger("vectragrow.payments")

AFTER_REFUSAL = timedelta(hours=1)
LOOK_AGAIN = timedelta(minutes=15)
"""After there was nothing to pay with."""
FINISH_AFTER = timedelta(minutes=1)
"""How long a payment may be under way before the finisher looks after it."""
Status = Settlement.Status
PaymentStatus = SettlementPayment.Status


def open_settlement(campaign: Campaign, *, gross: Money, fees: Money, now: datetime) -> None:
    """Write what a campaign owes its owner, once, in the commit that releases its escrow."""
    settlement = Settlement(
        id=derived_id(campaign.pk, "settlement"),
        campaign=campaign,
        owner_id=campaign.owner_id,
        currency=gross.currency,
        gross_minor=gross.minor,
        fees_minor=fees.minor,
        created_at=now,
        updated_at=now,
    )
    if Settlement.objects.filter(pk=settlement.pk).exists():
        return
    sql.insert(settlement)
    has_target = targets_of(campaign.owner_id).exists()
    _record("settlement.opened", settlement, campaign, now, amount=settlement.net, needs_target=not has_target)


def advance_soon(campaign_id: UUID, *, now: datetime) -> None:
    """Have the outbox advance the settlement of a campaign whose money is settled."""
    outbox.emit("investments.settle", now=now, settlement_id=str(derived_id(campaign_id, "settlement")))


def withhold(campaign_id: UUID, minor: int, *, now: datetime) -> None:
    """
    Lower what is owed to an owner: something of it went back after the release. The caller holds no lock above that of
    a settlement, and books it out of the owner's account in the same commit. Campaigns that were never released owe
    nothing.

    :param minor: minor units; what the owner has been paid already, or is being paid, is not taken back
    """
    settlement = lock_settlement(campaign_id)
    if settlement is None:
        return
    on_the_way = sum(settlement.payments.filter(status=PaymentStatus.PENDING).values_list("amount_minor", flat=True))
    settlement.withheld_minor += min(minor, settlement.remaining_minor - on_the_way)
    settlement.updated_at = now
    sql.update(settlement, "withheld_minor", "updated_at")


def release_more(campaign: Campaign, amount: Money, *, now: datetime) -> None:
    """
    Raise what is owed to the owner of a campaign whose money was released: a dispute was won. The caller has locked the
    settlement, and books it in the same commit.
    """
    settlement = lock_settlement(campaign.pk)
    if settlement is None:  # all that was raised had been disputed
        open_settlement(campaign, gross=amount, fees=Money(0, amount.currency), now=now)
    else:
        settlement.late_minor += amount.minor
        if settlement.status == Status.PAID:
            settlement.status, settlement.paid_at = Status.WAITING_FOR_TARGET, None
        settlement.updated_at = now
        sql.update(settlement, "late_minor", "status", "paid_at", "updated_at")
    advance_soon(campaign.pk, now=now)


def lock_settlement(campaign_id: UUID) -> Settlement | None:
    """That of a campaign, if its money was released."""
    return locks.lock(Settlement.objects).filter(campaign_id=campaign_id).first()


# --- What is decided on, and by whom -------------------------------------------------------------------------------


class Case(NamedTuple):
    """A settlement with everything that decides it, as it is now."""

    settlement: Settlement
    target: PayoutTarget | None
    balance: Money
    """Of the owner's account in the books: what is posted."""
    frozen: Money
    """What of it is on its way out or disputed."""
    disputes: Mapping[str, int]
    """How many payments of the campaign are disputed, by what became of it."""

    @property
    def available(self) -> Money:
        return self.balance - self.frozen

    @property
    def digest(self) -> str:
        """If anything that the people who approve were shown has changed, it is another one."""
        one, target = self.settlement, self.target
        released = (one.gross_minor, one.late_minor, one.fees_minor, one.withheld_minor)
        where = None if target is None else (target.pk, target.status, target.method_id)
        now_there = (self.balance.minor, self.frozen.minor, sorted(self.disputes.items()))
        return digest_of(one.pk, *released, one.paid_minor, one.currency, one.revision, where, *now_there)

    @property
    def needs_two(self) -> bool:
        """By the whole sum: paying it in parts changes nothing."""
        return payout_limit(self.settlement.currency) < self.settlement.net

    @property
    def approvals(self) -> "QuerySet[Approval]":
        return approvals_of(Approval.Subject.SETTLEMENT, self.settlement.pk, self.digest)

    @property
    def waits_for_target(self) -> str:
        """Why its owner cannot be paid anywhere yet, as a code; empty: they can."""
        if self.target is None:
            return "no_payout_target"
        if self.target.status != PayoutTarget.Status.VERIFIED:
            return f"payout_target_{self.target.status}"
        return "" if self.settlement.owner.kyc_verified else "kyc_required"


def read_case(settlement: Settlement) -> Case:
    """As it is now, for a page; nothing is locked."""
    target = targets_of(settlement.owner_id).select_related("method").first()
    return _case(settlement, target)


def _case(settlement: Settlement, target: PayoutTarget | None) -> Case:
    found = Dispute.objects.filter(payment__investment__campaign=settlement.campaign_id).values_list("status")
    disputes = dict(found.annotate(count=Count("pk")).order_by("status"))
    return Case(settlement, target, *books.owed_to(settlement.owner_id, settlement.currency), disputes)


def _lock_case(settlement_id: UUID) -> Case:
    """
    The target and the settlement, locked in that order; the balance as it was read.

    :raises Settlement.DoesNotExist:
    """
    owner_id = Settlement.objects.values_list("owner_id", flat=True).get(pk=settlement_id)
    target = locks.lock(targets_of(owner_id)).select_related("method").first()
    settlement = locks.lock(Settlement.objects.select_related("owner", "campaign")).get(pk=settlement_id)
    return _case(settlement, target)


def decision_refusal(case: Case, staff: User) -> Refusal | None:
    """Why `staff` may not decide on it now; None: they may."""
    settlement = case.settlement
    if not APPROVE_SETTLEMENTS.held_by(staff):
        return RoleRequired(roles=", ".join(sorted(APPROVE_SETTLEMENTS.roles)))
    if staff.pk == settlement.owner_id:
        return OwnCampaign()
    if holdings_in(settlement.campaign_id).filter(investor=staff).exists():
        return HolderDecides()
    if settlement.status != Status.WAITING_FOR_APPROVAL or not case.needs_two:
        return SettlementNotWaiting(status=settlement.status)
    return None


@retrying
def approve_settlement(*, staff: User, settlement_id: UUID, seen: str, now: datetime) -> Settlement:
    """
    Add one person's approval. With the second one the outbox pays.

    :param seen: the digest of the case that they were shown
    :raises NotFound: :raises RoleRequired: :raises OwnCampaign: :raises HolderDecides:
    :raises SettlementNotWaiting: :raises EvidenceChanged: :raises AlreadyApproved: nothing was changed
    """
    case = _access(staff, settlement_id)
    settlement = case.settlement
    given = give_approval(
        Approval.Subject.SETTLEMENT, settlement.pk, person=staff, seen=seen, digest=case.digest, now=now
    )
    _record("settlement.approval_given", settlement, settlement.campaign, now, staff, amount=settlement.remaining)
    if given >= TWO:
        settlement.retry_at = None
        _set(settlement, Status.APPROVED, now)
        _record("settlement.approved", settlement, settlement.campaign, now, amount=settlement.remaining)
        outbox.emit("investments.settle", now=now, settlement_id=str(settlement.pk))
    return settlement


@retrying
def reject_settlement(*, staff: User, settlement_id: UUID, seen: str, reason: str, now: datetime) -> Settlement:
    """
    Keep it from being paid; whoever approved it before has to do so again.

    :param reason: for the owner
    :raises NotFound: :raises RoleRequired: :raises OwnCampaign: :raises HolderDecides:
    :raises SettlementNotWaiting: :raises EvidenceChanged: nothing was changed
    """
    case = _access(staff, settlement_id)
    if seen != case.digest:
        raise EvidenceChanged()
    settlement = case.settlement
    settlement.revision += 1
    settlement.reason = reason
    _set(settlement, Status.WAITING_FOR_APPROVAL, now, "rejected")
    amount = settlement.remaining
    _record("settlement.rejected", settlement, settlement.campaign, now, staff, amount=amount, reason=reason)
    return settlement


def _access(staff: User, settlement_id: UUID) -> Case:
    try:
        case = _lock_case(settlement_id)
    except Settlement.DoesNotExist:
        raise NotFound() from None
    if refusal := decision_refusal(case, staff):
        raise refusal
    return case


# --- How far it can go without the provider -------------------------------------------------------------------------


def settlements_to_advance(now: datetime) -> QuerySet[Settlement, UUID]:
    """Ids of those that something can be done about: neither their owner nor people are waited for."""
    settled = Settlement.objects.filter(campaign__status=CampaignStatus.SETTLED)
    verified = PayoutTarget.objects.filter(
        owner_id=OuterRef("owner_id"), removed_at=None, status=PayoutTarget.Status.VERIFIED
    )
    may_go_on = (
        Q(Exists(verified), status=Status.WAITING_FOR_TARGET, owner__identity_verified_at__isnull=False)
        | Q(status=Status.WAITING_FOR_APPROVAL, retry_at__isnull=False)
        | Q(status=Status.APPROVED)
    )
    due = settled.filter(may_go_on, Q(retry_at=None) | Q(retry_at__lte=now))
    return due.order_by("updated_at", "id").values_list("pk", flat=True)


@retrying
def advance(settlement_id: UUID, *, now: datetime) -> bool:
    """
    Let it wait for what is missing, or reserve what can be paid; the outbox asks the provider then.

    :returns: whether nothing is left for anybody but the provider or people
    """
    case = _lock_case(settlement_id)
    settlement = case.settlement
    if settlement.status in (Status.PAYING, Status.PAID) or settlement.campaign.status != CampaignStatus.SETTLED:
        return True
    if settlement.retry_at is not None and settlement.retry_at > now:
        return False
    if not settlement.remaining_minor:
        _end(settlement, now)
        return True
    if missing := case.waits_for_target:
        _set(settlement, Status.WAITING_FOR_TARGET, now, missing)
        return True
    assert case.target is not None
    provider = case.target.method.provider
    payable, with_provider = books.lock_owed(settlement.owner_id, settlement.currency, provider, now)
    case = case._replace(balance=payable.balance, frozen=payable.balance - payable.available)
    if case.needs_two and case.approvals.count() < TWO:
        settlement.retry_at = None
        _set(settlement, Status.WAITING_FOR_APPROVAL, now, settlement.because)
        return True
    return _begin_payment(case, with_provider.available, now)


def _begin_payment(case: Case, at_provider: Money, now: datetime) -> bool:
    """Reserve what is there; what is not (a dispute may hold some back) remains for later."""
    settlement, target = case.settlement, case.target
    assert target is not None
    provider = target.method.provider
    amount = min(settlement.remaining, case.available)
    if amount.minor <= 0 or at_provider < amount:
        settlement.retry_at = now + LOOK_AGAIN
        _set(settlement, Status.APPROVED, now, "nothing_available" if amount.minor <= 0 else "provider_balance")
        return False
    payment_id = uuid7()
    attempt = settlement.payments.count() + 1
    payment = SettlementPayment(
        id=payment_id,
        settlement=settlement,
        attempt=attempt,
        target=target,
        provider=provider,
        amount_minor=amount.minor,
        currency=amount.currency,
        people_needed=TWO if case.needs_two else 0,
        digest=case.digest,
        created_at=now,
        updated_at=now,
    )
    _set(settlement, Status.PAYING, now)
    with sql.together():
        payment.reservation = books.reserve_settlement(
            key=payment.key,
            campaign_id=settlement.campaign_id,
            owner_id=settlement.owner_id,
            provider=provider,
            amount=amount,
            now=now,
        )
        sql.insert(payment, _own_event(payment_id, now))
        _record("settlement.payment_began", settlement, settlement.campaign, now, amount=amount)
    outbox.enqueue_after_commit([payment_id])
    return True


def _set(settlement: Settlement, status: str, now: datetime, because: str = "") -> None:
    settlement.status, settlement.because, settlement.updated_at = status, because, now
    if status in (Status.PAYING, Status.WAITING_FOR_TARGET):
        settlement.retry_at = None
    sql.update(settlement, "status", "because", "reason", "revision", "retry_at", "paid_minor", "updated_at")


def _end(settlement: Settlement, now: datetime) -> None:
    settlement.status, settlement.because, settlement.paid_at = Status.PAID, "", now
    settlement.retry_at, settlement.updated_at = None, now
    sql.update(settlement, "status", "because", "paid_at", "paid_minor", "revision", "retry_at", "updated_at")
    paid = settlement.paid
    _record("settlement.paid", settlement, settlement.campaign, now, amount=paid, was_anything=paid.minor > 0)


def _record(
    kind: str, settlement: Settlement, campaign: Campaign, now: datetime, staff: User | None = None, **facts: object
) -> None:
    events.record(
        kind,
        settlement,
        actor=staff,
        now=now,
        campaign_id=campaign.pk,
        campaign_title=campaign.title,
        owner_id=settlement.owner_id,
        **facts,
    )


# --- The provider ---------------------------------------------------------------------------------------------------


def _own_event(payment_id: UUID, now: datetime) -> OutboxEvent:
    return outbox.row("investments.pay_owner", id=payment_id, now=now, payment_id=str(payment_id))


def send_payment(payment_id: UUID, *, now: datetime) -> timedelta | None:
    """
    Ask the provider to pay an owner, and record its answer.

    :returns: None when nothing is left to do, otherwise after how long to ask again
    """
    pending = SettlementPayment.objects.filter(pk=payment_id, status=PaymentStatus.PENDING)
    payment = pending.select_related("target__method").first()
    if payment is None:
        return None
    answer = ask_for_payout(payment, payment.target.method.token, now=now)
    if answer is None:
        return ASK_AGAIN
    _record_payment(payment.settlement_id, payment_id, *answer, now)
    return None


@retrying
def _record_payment(settlement_id: UUID, payment_id: UUID, provider_id: str, refused: str, now: datetime) -> None:
    """:param refused: the provider's code; empty: it has paid"""
    settlement = locks.lock(Settlement.objects.select_related("campaign")).get(pk=settlement_id)
    payment = SettlementPayment.objects.select_related("reservation").get(pk=payment_id)
    if payment.status != PaymentStatus.PENDING:
        logger.info("paid before", extra={"paymentId": payment_id})
        return
    payment.status = PaymentStatus.FAILED if refused else PaymentStatus.PAID
    payment.provider_id, payment.failure_code, payment.updated_at = provider_id, refused[:40], now
    settlement.revision += 1
    about = (settlement, settlement.campaign, now)
    with sql.together():
        sql.update(payment, "status", "provider_id", "failure_code", "updated_at")
        if refused:
            settlement.retry_at = now + AFTER_REFUSAL
            _set(settlement, Status.WAITING_FOR_APPROVAL, now, refused[:40])
            _record("settlement.payment_failed", *about, amount=payment.amount, reason=refused[:40])
        else:
            settlement.paid_minor += payment.amount_minor
            if settlement.remaining_minor:
                settlement.retry_at = now + LOOK_AGAIN
                _set(settlement, Status.WAITING_FOR_APPROVAL, now, "partly_paid")
                remaining = settlement.remaining
                _record("settlement.partly_paid", *about, amount=payment.amount, remaining=remaining)
            else:
                _end(settlement, now)
        outbox.done(payment_id, now=now)
        resolve = void_reserved if refused else post_reserved
        resolve(payment.reservation, now=now)  # last, see docs/ledger.md on locks


def quiet_payments(now: datetime) -> QuerySet[SettlementPayment, UUID]:
    """Ids of payments that have been under way for a minute, and of which the outbox knows nothing any more."""
    pending = SettlementPayment.objects.filter(status=PaymentStatus.PENDING, created_at__lte=now - FINISH_AFTER)
    return pending.exclude(outbox.is_waiting(now)).order_by("created_at", "id").values_list("pk", flat=True)


@retrying
def send_payment_again(payment_id: UUID, *, now: datetime) -> None:
    """Put a payment back into the outbox, which calls `send_payment`."""
    outbox.put_back(_own_event(payment_id, now))
