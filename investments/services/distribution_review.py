"""
Staff approve a distribution or reject it, bound to what they saw. The money of a rejected one goes back to the method
that paid it in, once: reserved in the commit of the decision, sent by the outbox, booked when the provider says yes.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from accounts.models import User
from campaigns.errors import OwnCampaign
from core import events
from core.api.errors import NotFound, Refusal, RoleRequired
from core.data import sql
from core.data.ids import derived_id
from core.data.transactions import retrying
from core.jobs import outbox
from core.models import OutboxEvent
from investments import books
from investments.access import holdings_in, is_disputed
from investments.errors import (
    DistributionChanged,
    DistributionDecided,
    DistributionNotPaidIn,
    HolderDecides,
    PaymentDisputed,
)
from investments.models import HELD_OF_PAYMENT, Dispute, Distribution, DistributionCharge
from investments.permissions import REVIEW_DISTRIBUTIONS
from investments.providers.base import LeftAlone, OutcomeUnknown
from investments.services.approvals import digest_of
from investments.services.locks import lock_distribution
from investments.services.refunds import AFTER_REFUSAL, ASK_AGAIN, FINISH_AFTER, ask_for_refund
from ledger.services.reservations import post_reserved

logger = logging.getLogger("vectragrow.payments")

ChargeStatus = DistributionCharge.Status


class Holders(NamedTuple):
    """How many investments hold a campaign, and what they hold together (minor units)."""

    investments: int
    held_minor: int


def holders_of(campaign_id: UUID) -> Holders:
    sums = holdings_in(campaign_id).aggregate(count=Count("pk"), held=Sum(HELD_OF_PAYMENT))
    return Holders(sums["count"], int(sums["held"] or 0))


def evidence_of(distribution: Distribution, charge: DistributionCharge, holders: Holders) -> str:
    """What a decision is bound to, as a digest: if anything that the reviewer saw has changed, it is another one."""
    about = (distribution.kind, distribution.note, distribution.amount_minor, distribution.currency)
    return digest_of(*about, distribution.status, charge.status, *holders)


def decision_refusal(
    distribution: Distribution, charge: DistributionCharge, staff: User, *, is_holder: bool
) -> Refusal | None:
    """Why `staff` may not decide on it now; None: they may."""
    if not REVIEW_DISTRIBUTIONS.held_by(staff):
        return RoleRequired(roles=", ".join(sorted(REVIEW_DISTRIBUTIONS.roles)))
    if staff.pk in (distribution.proposed_by_id, distribution.campaign.owner_id):
        return OwnCampaign()
    if is_holder:
        return HolderDecides()
    if distribution.status != Distribution.Status.PROPOSED:
        return DistributionDecided(status=distribution.status)
    if charge.status != ChargeStatus.CAPTURED:
        return DistributionNotPaidIn()
    if is_disputed(charge):
        return PaymentDisputed()
    return None


@retrying
def approve_distribution(*, staff: User, distribution_id: UUID, seen: str, now: datetime) -> Distribution:
    """
    Let it be paid to the holders; the outbox begins at once.

    :param seen: the `evidence_of` what the reviewer has read
    :raises NotFound: :raises RoleRequired: :raises OwnCampaign: :raises HolderDecides: :raises DistributionDecided:
    :raises DistributionNotPaidIn: :raises PaymentDisputed: :raises DistributionChanged: nothing was changed
    """
    distribution, _ = _access(staff, distribution_id, seen)
    _decide(distribution, Distribution.Status.APPROVED, staff, now)
    _record("distribution.approved", distribution, staff, now)
    outbox.emit("investments.distribute", now=now, distribution_id=str(distribution.pk))
    return distribution


@retrying
def reject_distribution(*, staff: User, distribution_id: UUID, seen: str, reason: str, now: datetime) -> Distribution:
    """
    Send its money back to the method that paid it in.

    :param reason: for the owner
    :raises NotFound: :raises RoleRequired: :raises OwnCampaign: :raises HolderDecides: :raises DistributionDecided:
    :raises DistributionNotPaidIn: :raises PaymentDisputed: :raises DistributionChanged: nothing was changed
    """
    distribution, charge = _access(staff, distribution_id, seen)
    distribution.reason = reason
    _decide(distribution, Distribution.Status.REJECTED, staff, now)
    _record("distribution.rejected", distribution, staff, now, reason=reason)
    charge.status = ChargeStatus.REFUNDING
    charge.updated_at = now
    charge.refund_reservation = books.reserve_distribution_refund(
        distribution_id=distribution.pk, provider=charge.provider, amount=distribution.amount, now=now
    )
    sql.update(charge, "status", "updated_at", "refund_reservation")
    outbox.put_back(_refund_event(charge.pk, now))
    return distribution


def _access(staff: User, distribution_id: UUID, seen: str) -> tuple[Distribution, DistributionCharge]:
    try:
        distribution, charge = lock_distribution(distribution_id)
    except Distribution.DoesNotExist:
        raise NotFound() from None
    is_holder = holdings_in(distribution.campaign_id).filter(investor=staff).exists()
    if refusal := decision_refusal(distribution, charge, staff, is_holder=is_holder):
        raise refusal
    if seen != evidence_of(distribution, charge, holders_of(distribution.campaign_id)):
        raise DistributionChanged()
    return distribution, charge


def _decide(distribution: Distribution, status: str, staff: User, now: datetime) -> None:
    distribution.status = status
    distribution.decided_by = staff
    distribution.decided_at = distribution.updated_at = now
    sql.update(distribution, "status", "decided_by", "decided_at", "reason", "updated_at")


def _record(kind: str, distribution: Distribution, staff: User | None, now: datetime, **facts: object) -> None:
    events.record(
        kind,
        distribution,
        actor=staff,
        now=now,
        amount=distribution.amount,
        campaign_id=distribution.campaign_id,
        campaign_title=distribution.campaign.title,
        owner_id=distribution.proposed_by_id,
        **facts,
    )


# --- The way back ---------------------------------------------------------------------------------------------------


def _refund_event(charge_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    event_id = derived_id(charge_id, "refund")
    return outbox.row("investments.refund_distribution", id=event_id, now=now, after=after, charge_id=str(charge_id))


def send_refund(charge_id: UUID, *, now: datetime) -> timedelta | None:
    """
    Ask the provider for the refund of a rejected distribution, and book its yes. A clear no is asked again under a new
    key.

    :returns: None when nothing is left to do, otherwise after how long to ask again
    """
    refunding = DistributionCharge.objects.filter(pk=charge_id, status=ChargeStatus.REFUNDING)
    charge = refunding.select_related("distribution").first()
    if charge is None or is_disputed(charge):
        return None  # the end of a dispute puts it back into the outbox
    if charge.retry_at is not None and charge.retry_at > now:
        return charge.retry_at - now
    try:
        return _send(charge, now)
    except LeftAlone:
        return ASK_AGAIN


def _send(charge: DistributionCharge, now: datetime) -> timedelta | None:
    """:raises LeftAlone: nothing was asked"""
    return ask_for_refund(
        charge,
        key=charge.refund_key,
        amount=charge.amount,
        done=lambda refund_id: _record_refund(charge.distribution_id, refund_id, now),
        refused=lambda reason: _note_refusal(charge, reason, now),
        now=now,
    )


def ask_or_raise(charge_id: UUID, *, now: datetime) -> None:
    """
    Ask about the refund of a charge that is disputed, if one is under way: it was done before, or is refused.

    :raises OutcomeUnknown: the provider did not answer
    """
    refunding = DistributionCharge.objects.filter(pk=charge_id, status=ChargeStatus.REFUNDING)
    charge = refunding.select_related("distribution").first()
    if charge is not None and _send(charge, now) == ASK_AGAIN:
        raise OutcomeUnknown(f"no answer about {charge.refund_key}")


def resume_refund(charge: DistributionCharge, *, now: datetime) -> None:
    """Send the refund of a locked charge at once that has waited for the end of a dispute."""
    charge.retry_at = None
    sql.update(charge, "retry_at")
    outbox.put_back(_refund_event(charge.pk, now))


def drop_refund(charge: DistributionCharge, *, now: datetime) -> None:
    """The refund of a locked charge is void: nobody has to send it any more."""
    outbox.done(derived_id(charge.pk, "refund"), now=now)


@retrying
def _note_refusal(charge: DistributionCharge, reason: str, now: datetime) -> None:
    """A clear no was an answer to this key; the next try is a new question."""
    asked = DistributionCharge.objects.filter(
        pk=charge.pk, refund_attempt=charge.refund_attempt, status=ChargeStatus.REFUNDING
    )
    asked.update(
        refund_attempt=charge.refund_attempt + 1,
        failure_code=reason[:40],
        retry_at=now + AFTER_REFUSAL,
        updated_at=now,
    )


@retrying
def _record_refund(distribution_id: UUID, refund_id: str, now: datetime) -> None:
    distribution, charge = lock_distribution(distribution_id)
    if charge.status != ChargeStatus.REFUNDING or charge.refund_reservation is None:
        logger.info("refunded before", extra={"chargeId": charge.pk})
        return
    reservation = charge.refund_reservation
    charge.status = ChargeStatus.REFUNDED
    charge.refund_id = refund_id
    charge.failure_code = ""
    charge.updated_at = now
    with sql.together():
        sql.update(charge, "status", "refund_id", "failure_code", "updated_at")
        _record("distribution.refunded", distribution, None, now)
        outbox.done(derived_id(charge.pk, "refund"), now=now)
        post_reserved(reservation, now=now)  # last, see docs/ledger.md on locks


def quiet_refunds(now: datetime) -> QuerySet[DistributionCharge, UUID]:
    """Ids of charges whose refund has been on its way for five minutes since somebody looked after it."""
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    refunding = DistributionCharge.objects.filter(due, status=ChargeStatus.REFUNDING)
    disputed = Dispute.objects.filter(distribution_charge=OuterRef("pk"), status=Dispute.Status.OPEN)
    refunding = refunding.exclude(Exists(disputed))
    quiet = refunding.filter(updated_at__lte=now - FINISH_AFTER)
    return quiet.order_by("updated_at", "id").values_list("pk", flat=True)


@retrying
def send_refund_again(charge_id: UUID, *, now: datetime) -> None:
    """Put the refund back into the outbox, which calls `send_refund`."""
    outbox.put_back(_refund_event(charge_id, now))
