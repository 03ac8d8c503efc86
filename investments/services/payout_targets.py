"""
Where an owner's money goes. A choice is a row; changing it makes a new one, which voids what was approved for the old
one. The outbox asks the provider whether the account can receive money.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import lock_person
from accounts.models import User
from core import events
from core.data import locks, sql
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.jobs import outbox
from core.models import OutboxEvent
from investments.access import access_payment_method
from investments.errors import NoPayoutTarget, PayoutTargetNotABankAccount
from investments.models import PaymentMethod, PayoutTarget, Settlement
from investments.providers import asking
from investments.providers.base import OutcomeUnknown, TargetRejected

logger = logging.getLogger("vectragrow.payments")

Status = PayoutTarget.Status
ASK_AGAIN = timedelta(seconds=30)
ASK_SELDOM = timedelta(minutes=30)
"""Once an account has been unverified for an hour: its owner has something to do at the provider."""
SOON = timedelta(hours=1)
FINISH_AFTER = timedelta(minutes=5)


def payout_target_of(person: User) -> PayoutTarget:
    """:raises NoPayoutTarget: they have chosen none"""
    target = targets_of(person.pk).select_related("method").first()
    if target is None:
        raise NoPayoutTarget()
    return target


def targets_of(person_id: UUID) -> QuerySet[PayoutTarget]:
    """The one that counts, if there is one."""
    return PayoutTarget.objects.filter(owner_id=person_id, removed_at=None)


@retrying
def set_payout_target(*, owner: User, payment_method_id: UUID, now: datetime) -> PayoutTarget:
    """
    Choose where own money goes. The one that is there already stays as it is, unless the provider has rejected it.

    :raises PaymentMethodNotFound: :raises PayoutTargetNotABankAccount:
    """
    lock_person(owner.pk)
    method = access_payment_method(owner, payment_method_id)
    if method.type != PaymentMethod.Type.BANK_ACCOUNT:
        raise PayoutTargetNotABankAccount(field="paymentMethodId")
    former = locks.lock(targets_of(owner.pk)).select_related("method").first()
    if former is not None and former.method_id == method.pk and former.status != Status.REJECTED:
        return former
    target = PayoutTarget(id=uuid7(), owner=owner, method=method, created_at=now, updated_at=now)
    if former is not None:
        _remove(former, now)
    target.save(force_insert=True)
    _void_what_waits(owner, now)
    events.record("payout_target.changed", target, actor=owner, now=now, user_id=owner.pk, ending=method.last4)
    outbox.put_back(_own_event(target.pk, now))
    return target


@retrying
def remove_payout_target(*, owner: User, now: datetime) -> None:
    """:raises NoPayoutTarget: they have chosen none"""
    lock_person(owner.pk)
    target = locks.lock(targets_of(owner.pk)).select_related("method").first()
    if target is None:
        raise NoPayoutTarget()
    _remove(target, now)
    _void_what_waits(owner, now)
    ending = target.method.last4
    events.record("payout_target.removed", target, actor=owner, now=now, user_id=owner.pk, ending=ending)


def _remove(target: PayoutTarget, now: datetime) -> None:
    target.removed_at = target.updated_at = now
    sql.update(target, "removed_at", "updated_at")


def _void_what_waits(owner: User, now: datetime) -> None:
    """Settlements that are not being paid begin anew: what was approved named another target."""
    before_paying = (Settlement.Status.WAITING_FOR_APPROVAL, Settlement.Status.APPROVED)
    waiting = Settlement.objects.filter(owner=owner, status__in=[Settlement.Status.WAITING_FOR_TARGET, *before_paying])
    for settlement in locks.lock(waiting).order_by("pk"):
        settlement.status, settlement.because, settlement.retry_at = Settlement.Status.WAITING_FOR_TARGET, "", None
        settlement.updated_at = now
        sql.update(settlement, "status", "because", "retry_at", "updated_at")


# --- Verification ---------------------------------------------------------------------------------------------------


def _own_event(target_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    return outbox.row("investments.verify_target", id=target_id, now=now, after=after, target_id=str(target_id))


def verify_target(target_id: UUID, *, now: datetime) -> timedelta | None:
    """
    Ask the provider whether a target can receive money, and record its answer.

    :returns: None when nothing is left to do, otherwise after how long to ask again
    """
    unverified = PayoutTarget.objects.filter(pk=target_id, removed_at=None, status=Status.UNVERIFIED)
    target = unverified.select_related("method").first()
    if target is None:
        return None
    method, rejected = target.method, ""
    try:
        with asking(method.provider) as provider:
            provider.verify_target(key=target.key, owner_id=target.owner_id, token=method.token, now=now)
    except OutcomeUnknown:
        logger.info("the provider does not know yet", extra={"targetId": target_id}, exc_info=True)
        return ASK_AGAIN if now - target.created_at < SOON else ASK_SELDOM
    except TargetRejected as refusal:
        rejected = refusal.reason
    _record(target_id, rejected, now)
    return None


@retrying
def _record(target_id: UUID, rejected: str, now: datetime) -> None:
    """:param rejected: the provider's code; empty: it can receive money"""
    target = locks.lock(PayoutTarget.objects.select_related("method")).get(pk=target_id)
    if target.removed_at is not None or target.status != Status.UNVERIFIED:
        logger.info("decided before", extra={"targetId": target_id})
        return
    target.status = Status.REJECTED if rejected else Status.VERIFIED
    target.reason, target.updated_at = rejected[:40], now
    target.verified_at = None if rejected else now
    sql.update(target, "status", "reason", "verified_at", "updated_at")
    about = {"user_id": target.owner_id, "ending": target.method.last4}
    if rejected:
        events.record("payout_target.rejected", target, actor=None, now=now, reason=target.reason, **about)
        return
    events.record("payout_target.verified", target, actor=None, now=now, **about)
    waiting = Settlement.objects.filter(owner=target.owner_id, status=Settlement.Status.WAITING_FOR_TARGET)
    for settlement_id in waiting.order_by("pk").values_list("pk", flat=True):
        outbox.emit("investments.settle", now=now, settlement_id=str(settlement_id))


def quiet_targets(now: datetime) -> QuerySet[PayoutTarget, UUID]:
    """Ids of targets that wait for the provider, and of which the outbox knows nothing any more."""
    waiting = PayoutTarget.objects.filter(removed_at=None, status=Status.UNVERIFIED)
    quiet = waiting.filter(created_at__lte=now - FINISH_AFTER).exclude(outbox.is_waiting(now))
    return quiet.order_by("created_at", "id").values_list("pk", flat=True)


@retrying
def verify_target_again(target_id: UUID, *, now: datetime) -> None:
    """Put a target back into the outbox, which calls `verify_target`."""
    outbox.put_back(_own_event(target_id, now))
